"""The tab Label as an annotator meets it, by keyboard in a real browser."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.ui.conftest import Visit
from tests.ui.fake import FakeRun, FakeWorkspace

pytestmark = pytest.mark.browser


def sit_down(visit: Visit, name: str = "ada") -> Locator:
    """Opens the tab under a name; returns the title of the card."""
    visit.open()
    visit.tab("Label")
    expect(visit.page.locator("#gpr-deck")).to_contain_text("Who labels here?")
    visit.page.get_by_label("Your name").fill(name)
    visit.page.get_by_label("Your name").press("Enter")
    title = visit.page.locator(".gpr-judge h3").first
    expect(title).to_be_visible()
    return title


def said(visit: Visit, words: str) -> None:
    expect(visit.page.locator("#gpr-deck .gpr-last")).to_contain_text(words)


def verdicts(workspace: FakeWorkspace) -> list[str]:
    return [label.verdict for label in workspace.labels.current()]


def test_one_key_is_label_save_and_next(visit: Visit, workspace: FakeWorkspace) -> None:
    title, keys = sit_down(visit), visit.page.keyboard
    seen = []
    for key, words in (("g", "Good"), ("ArrowLeft", "Bad"), ("Space", "Skipped"), ("ArrowRight", "Good"), ("b", "Bad")):
        seen.append(title.inner_text())
        keys.press(key)
        said(visit, f"{words}: {seen[-1]}")
    assert verdicts(workspace) == ["good", "bad", "skip", "good", "bad"]
    assert [label.title for label in workspace.labels.current()] == seen
    assert {label.query for label in workspace.labels.current()}.isdisjoint({"cops and robbers in la"})
    expect(visit.page.locator("#gpr-label-progress")).to_contain_text("4 labelled in this sitting")
    expect(visit.page.locator("#gpr-label-progress")).to_contain_text("an hour")


def test_undo_and_redo_walk_back_and_on_even_after_a_new_visit(visit: Visit, workspace: FakeWorkspace) -> None:
    title, keys = sit_down(visit), visit.page.keyboard
    seen = []
    for _ in range(4):
        seen.append(title.inner_text())
        keys.press("g")
        said(visit, f"Good: {seen[-1]}")
    keys.press("u")
    said(visit, f"Taken back: Good: {seen[3]}")
    expect(title).to_have_text(seen[3])
    visit.page.reload()
    visit.tab("Label")
    expect(title).to_have_text(seen[3])
    keys.press("Control+z")
    said(visit, f"Taken back: Good: {seen[2]}")
    expect(title).to_have_text(seen[2])
    assert len(verdicts(workspace)) == 2
    keys.press("y")
    said(visit, f"Said again: Good: {seen[2]}")
    expect(title).to_have_text(seen[3])
    keys.press("Control+Shift+Z")
    said(visit, f"Said again: Good: {seen[3]}")
    keys.press("Control+y")
    said(visit, "There is nothing to say again.")
    assert [label.title for label in workspace.labels.current()] == seen


def test_a_flag_a_note_and_a_reason_by_keyboard(visit: Visit, workspace: FakeWorkspace) -> None:
    title, keys = sit_down(visit), visit.page.keyboard
    first = title.inner_text()
    keys.press("f")
    expect(visit.page.locator("[data-local=flag]")).to_have_attribute("aria-pressed", "true")
    keys.press("n")
    keys.type("bug, good grief")
    keys.press("Enter")
    keys.press("b")
    said(visit, f"Bad, flagged: {first}")
    expect(visit.page.locator(".gpr-reasons .gpr-button")).to_have_count(4)
    keys.press("2")
    expect(visit.page.get_by_role("button", name="already seen")).to_have_attribute("aria-pressed", "true")
    [label] = workspace.labels.current()
    assert (label.reason, label.note, label.verdict) == ("flagged; already seen", "bug, good grief", "bad")
    note, reason = visit.page.locator("[data-field=note]"), visit.page.get_by_role("button", name="already seen")
    expect(note).to_have_value("")  # that of the card before is not the next one's
    keys.press("f")
    keys.press("n")
    keys.type("g")
    reason.dispatch_event("click")  # for which the same card comes again
    expect(reason).to_have_attribute("aria-pressed", "false")
    keys.type("ood grub")
    expect(note).to_have_value("good grub")
    expect(visit.page.locator("[data-local=flag]")).to_have_attribute("aria-pressed", "true")
    assert len(workspace.labels.current()) == 1
    keys.press("Enter")
    keys.press("u")
    said(visit, f"Taken back: Bad, flagged: {first}")
    expect(visit.page.locator("[data-field=note]")).to_have_value("bug, good grief")
    assert workspace.labels.current() == []


def test_keys_that_are_no_labels(visit: Visit, workspace: FakeWorkspace) -> None:
    title, page = sit_down(visit, "bug"), visit.page
    page.keyboard.press("Control+g")
    page.keyboard.press("Alt+b")
    press = "new KeyboardEvent('keydown', {key: 'g', repeat: true, bubbles: true})"
    page.evaluate(f"document.body.dispatchEvent({press})")
    page.keyboard.press("?")
    expect(page.locator("#gpr-help")).to_be_visible()
    page.keyboard.press("g")
    page.keyboard.press("Escape")
    expect(page.locator("#gpr-help")).to_have_count(0)
    visit.tab("Data")
    page.keyboard.press("g")
    visit.tab("Label")
    expect(title).to_be_visible()
    first = title.inner_text()
    page.keyboard.press("d")
    page.keyboard.press("g")
    said(visit, f"Good: {first}")
    assert [label.annotator for label in workspace.labels.current()] == ["bug"]


def test_keys_can_be_changed_and_the_browser_remembers(visit: Visit, workspace: FakeWorkspace) -> None:
    title, page = sit_down(visit), visit.page
    page.keyboard.press("?")
    page.get_by_role("button", name="Change the key: Good; right is better").click()
    page.keyboard.press("j")
    page.get_by_role("button", name="Change the key: Undo").click()
    page.keyboard.press("b")
    page.get_by_role("button", name="Close").click()
    expect(page.locator(".gpr-keys [data-press=good] kbd")).to_have_text("J")
    expect(page.locator(".gpr-keys [data-press=bad] kbd")).to_have_text("←")
    visit.page.reload()
    visit.tab("Label")
    expect(page.locator(".gpr-keys [data-press=good] kbd")).to_have_text("J")
    first = title.inner_text()
    page.keyboard.press("g")
    page.keyboard.press("j")
    said(visit, f"Good: {first}")
    page.keyboard.press("b")
    said(visit, f"Taken back: Good: {first}")
    assert verdicts(workspace) == []


def test_a_swipe_labels_on_a_phone(visit: Visit, workspace: FakeWorkspace) -> None:
    visit.page.set_viewport_size({"width": 390, "height": 844})
    title = sit_down(visit)
    for sign, words in ((1, "Good"), (-1, "Bad")):
        first = title.inner_text()
        visit.page.evaluate(
            """(sign) => {
              const card = document.querySelector('[data-swipe]');
              const at = (x) => new Touch({identifier: 1, target: card, clientX: x, clientY: 300});
              const send = (type, x, key) => card.dispatchEvent(new TouchEvent(type,
                {bubbles: true, changedTouches: [at(x)], touches: key ? [at(x)] : []}));
              send('touchstart', 200, true); send('touchmove', 200 + 60 * sign, true);
              send('touchend', 200 + 120 * sign);
            }""",
            sign,
        )
        said(visit, f"{words}: {first}")
    assert verdicts(workspace) == ["good", "bad"]
    assert visit.page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0


def mode(visit: Visit, name: str) -> None:
    visit.page.locator("#gpr-mode").get_by_text(name, exact=True).click()


def test_a_list_by_arrows_and_all_at_once(visit: Visit, workspace: FakeWorkspace) -> None:
    sit_down(visit)
    mode(visit, "List")
    rows, keys = visit.page.locator(".gpr-row"), visit.page.keyboard
    expect(rows.first).to_have_class(re.compile("gpr-focus"))
    asked = visit.page.locator(".gpr-query").inner_text()
    third = rows.nth(2).locator("h3").inner_text()
    keys.press("ArrowDown")
    keys.press("ArrowDown")
    keys.press("b")
    said(visit, f"Bad: {third}")
    keys.press("a")
    expect(visit.page.locator(".gpr-query")).not_to_have_text(asked)
    labels = workspace.labels.current()
    assert [label.verdict for label in labels] == ["bad"] + ["good"] * 6
    assert len({label.item_id for label in labels}) == len(labels)
    keys.press("r")
    said(visit, "7 bad")
    keys.press("u")
    said(visit, "Taken back: 7 bad")
    keys.press("u")
    said(visit, "Taken back: 6 good")
    expect(visit.page.locator(".gpr-query")).to_have_text(asked)
    expect(visit.page.locator(".gpr-row[data-verdict=bad]")).to_have_count(1)
    assert verdicts(workspace) == ["bad"]


def test_blind_shows_neither_model_nor_score(visit: Visit) -> None:
    sit_down(visit)
    expect(visit.page.locator(".gpr-judge")).to_contain_text("base model, not fine-tuned, place 1")
    mode(visit, "Blind")
    expect(visit.page.locator(".gpr-judge")).not_to_contain_text("place 1")
    expect(visit.page.locator(".gpr-judge")).not_to_contain_text("%")


def test_side_by_side_keeps_preferences(visit: Visit, workspace: FakeWorkspace, data: str) -> None:
    workspace.known = [FakeRun("other", data)]
    workspace.twisted = {"other"}
    sit_down(visit)
    mode(visit, "Side by side")
    expect(visit.page.locator("#gpr-deck")).to_contain_text("Side by side needs two runs.")
    visit.page.get_by_text("What to label, in which order").click()
    visit.page.get_by_label("Compare with").click()
    visit.page.get_by_role("option", name="Base model").click()
    visit.page.keyboard.press("Escape")
    expect(visit.page.locator(".gpr-lists section")).to_have_count(2)
    visit.page.locator(".gpr-judge").click()
    asked = visit.page.locator(".gpr-query").inner_text()
    visit.page.keyboard.press("ArrowLeft")
    expect(visit.page.locator(".gpr-query")).not_to_have_text(asked)
    [liked] = workspace.labels.preferences()
    assert {liked.winner, liked.loser} == {"", "other"}
    assert liked.query in asked
    visit.page.keyboard.press("u")
    expect(visit.page.locator(".gpr-query")).to_have_text(asked)
    assert workspace.labels.preferences() == []


def test_labels_are_downloaded(visit: Visit) -> None:
    title, page = sit_down(visit), visit.page
    page.locator("#gpr-export").click()
    expect(page.locator("#gpr-export-notice")).to_contain_text("There are no labels yet.")
    first = title.inner_text()
    page.keyboard.press("g")
    said(visit, f"Good: {first}")
    with page.expect_download() as download:
        page.locator("#gpr-export").click()
    text = Path(download.value.path()).read_text(encoding="utf-8")
    assert text.startswith("request_id,query")
    assert ",good,ada," in text
