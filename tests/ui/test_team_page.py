"""Several annotators on the tab Label: guidelines, files, conflicts, in a real browser; and who may decide."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from gradio import Error
from playwright.sync_api import expect

from gpr.labels.label import Label
from gpr.labels.queue import Card, id_of
from gpr.labels.team import Team
from gpr.ui.context import Context
from gpr.ui.label_team import LabelTeam
from gpr.ui.turns import label_of
from tests.ui.conftest import Visit
from tests.ui.fake import FakeWorkspace
from tests.ui.fake_recommender import FakeRecommender
from tests.ui.test_label_page import sit_down


@dataclass
class Who:
    username: str | None


def judged(workspace: FakeWorkspace, data: str, annotator: str, *verdicts: str) -> list[Label]:
    """Labels of the best answers to one request."""
    dataset = workspace.dataset(data)
    request = next(example.request for example in dataset.examples["train"])
    found = FakeRecommender(dataset, "").recommend(request, len(verdicts))
    labels = [
        label_of(dataset, Card(request, one, (id_of(dataset, request), one.item_id)), "", verdict, annotator)
        for one, verdict in zip(found, verdicts, strict=True)
    ]
    workspace.labels.add(*labels)
    return labels


@pytest.mark.browser
def test_the_owner_writes_guidelines_and_rules_on_conflicts(visit: Visit, workspace: FakeWorkspace, data: str) -> None:
    first, *_ = judged(workspace, data, "bob", "good", "good", "bad")
    judged(workspace, data, "cy", "bad", "good", "bad")
    sit_down(visit)
    page = visit.page
    page.keyboard.press("i")
    expect(page.locator("#gpr-guidelines-text")).to_contain_text("No guidelines yet.")
    page.locator("#gpr-guidelines-edit textarea").fill("# Good is *on topic*\n\n<script>window.hacked = 1</script>")
    page.locator("#gpr-guidelines-save").click()
    expect(page.locator("#gpr-guidelines-text h1")).to_have_text("Good is on topic")
    assert page.evaluate("window.hacked") is None
    page.get_by_text("Annotators, agreement and conflicts").click()
    expect(page.locator("#gpr-agreement")).to_contain_text("bob and cy")
    expect(page.locator("#gpr-agreement")).to_contain_text("Krippendorff's alpha")
    expect(page.locator("#gpr-conflicts")).to_contain_text("bob: good; cy: bad")
    page.locator("#gpr-conflicts").get_by_role("button", name=f"Bad: {first.title}").click()
    expect(page.locator("#gpr-conflicts")).not_to_contain_text("bob: good")
    [ruling] = workspace.labels.rulings()
    assert (ruling.item_id, ruling.verdict, ruling.annotator) == (first.item_id, "bad", "ada")
    page.locator("#gpr-team").get_by_label("Reasons after").fill("too old\ntoo long")
    page.locator("#gpr-rules-save").click()
    page.locator("#gpr-mode").click()
    page.keyboard.press("b")
    expect(page.locator(".gpr-reasons")).to_contain_text("too long")


@pytest.mark.browser
def test_labels_of_a_file_are_added(visit: Visit, workspace: FakeWorkspace, tmp_path: Path) -> None:
    sit_down(visit)
    table = tmp_path / "judged.csv"
    table.write_text("title,verdict\nAlien,good\n<i>Gone</i>,bad\nHeat,great\n")
    visit.page.locator("input[type=file][accept*='.parquet']").last.set_input_files(table)
    notice = visit.page.locator("#gpr-export-notice")
    expect(notice).to_contain_text("2 labels added. 1 item not in this data, kept: <i>Gone</i>.")
    expect(notice).to_contain_text("1 row left out: row 3: 'great' is no verdict.")
    assert [label.annotator for label in workspace.labels.current()] == ["ada", "ada"]


@pytest.mark.browser
def test_queries_of_a_file_are_judged(visit: Visit, tmp_path: Path) -> None:
    sit_down(visit)
    queries = tmp_path / "queries.txt"
    queries.write_text("a monster in space\n")
    visit.page.get_by_text("What to label, in which order").click()
    visit.page.locator("input[type=file][accept*='.txt']").last.set_input_files(queries)
    expect(visit.page.locator(".gpr-query")).to_contain_text("a monster in space")
    expect(visit.page.locator("#gpr-label-progress")).to_contain_text("0 of 5 done")


@pytest.mark.browser
def test_a_label_moves_its_item_at_once_unless_that_is_switched_off(visit: Visit) -> None:
    page = visit.open()
    visit.ask("a monster in space")
    title = page.locator(".gpr-card h3").first
    expect(title).to_be_visible()
    first = title.inner_text()
    page.locator(".gpr-card").first.locator("[data-press=bad]").click()
    expect(page.locator(".gpr-card[data-verdict=bad]")).to_have_count(1)
    visit.ask("monster in space")
    expect(page.locator("#gpr-answer")).to_contain_text("1 label counted")
    expect(title).not_to_have_text(first)
    page.get_by_text("Filters, history and model").click()
    page.get_by_label("Labels count at once").uncheck()
    visit.ask("a monster in space")
    expect(page.locator("#gpr-answer")).not_to_contain_text("counted")
    expect(title).to_have_text(first)


def test_the_owner_alone_decides_where_people_log_in(context: Context) -> None:
    assert context.is_owner(Who(None))
    assert context.is_owner(Who("ben")), "nobody was named"
    context.owner = "olga"
    assert context.is_owner(Who("olga"))
    assert not context.is_owner(Who("ben"))
    assert context.is_owner(Who(None)), "without a login everyone is"


def test_an_annotator_is_refused_what_is_the_owners(context: Context) -> None:
    part = LabelTeam.__new__(LabelTeam)  # without its fields, which want a page
    part.context, part.team = context, Team(context.workspace.labels.database)
    context.owner = "olga"
    for call in (lambda who: part.set_guidelines("x", "", who), lambda who: part.set_rules(1, "x", "", who)):
        with pytest.raises(Error, match="Only the owner may do this"):
            call(Who("ben"))
        call(Who("olga"))
    assert (part.team.guidelines, part.team.reasons, part.team.overlap) == ("x", ("x",), 1)
