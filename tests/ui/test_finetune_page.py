"""The tab Fine-tune in a real browser: the queue, stop, resume, what a run will need, comparison and care of runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import expect

from gpr.labels.label import Label
from gpr.ui.context import Context
from gpr.ui.curves import COLOURS, curves
from gpr.ui.finetune_tab import FinetuneTab
from tests.ui.conftest import Visit
from tests.ui.fake import FakeRun, FakeWorkspace

pytestmark = pytest.mark.browser


def test_a_waiting_run_is_moved_and_removed(visit: Visit, workspace: FakeWorkspace, data: str) -> None:
    workspace.known = [
        FakeRun("a", data, status="running", step=5),
        FakeRun("b", data, status="queued", step=0),
        FakeRun("c", data, status="queued", step=0),
    ]
    for name in ("b", "c"):
        workspace.turns.join(name, "cpu")
    page = visit.open()
    visit.tab("Fine-tune")
    waiting = page.locator("#gpr-waiting li")
    expect(waiting).to_have_count(2)
    page.get_by_role("button", name="Earlier: c").click()
    expect(waiting.first).to_contain_text("1. c")
    assert workspace.turns.waiting() == ["c", "b"]
    page.get_by_role("button", name="Remove from the queue: c").click()
    expect(page.locator("#gpr-runs tbody tr")).to_have_count(2)
    assert [run.name for run in workspace.known] == ["a", "b"]


def test_a_run_on_other_data_is_looked_at_when_there_is_no_other(workspace: FakeWorkspace, context: Context) -> None:
    workspace.known = [FakeRun("a", "news"), FakeRun("b", "funds")]
    tab = object.__new__(FinetuneTab)
    tab.context = context
    assert [getattr(tab._looked_at(None, shown), "name", "") for shown in ("", "b")] == ["b", "b"]


def test_all_parts_are_there_from_the_start_and_the_legend_names_those_of_the_run() -> None:
    look = {"step": 2, "valid_loss": 1.0, "perplexity": 2.7}
    made, tuned = (curves(run) for run in (FakeRun("p", "", task="pretrain", looks=(look,)), FakeRun("a", "")))
    assert made.colors_in_legend == ["text", "validation"]
    assert tuned.colors_in_legend == ["sum", "generate", "match"]
    part = made.value["columns"].index("part")
    assert list(dict.fromkeys(row[part] for row in tuned.value["data"])) == list(COLOURS)
    assert [row[part] for row in made.value["data"]].count("match") == 1


def test_an_interrupted_run_is_resumed_and_then_discarded(visit: Visit, workspace: FakeWorkspace, data: str) -> None:
    workspace.known = [FakeRun("a", data, status="interrupted", step=30)]
    page = visit.open()
    visit.tab("Fine-tune")
    card = page.locator("#gpr-run-card")
    expect(card).to_contain_text("Press Resume to go on from its last checkpoint.")
    expect(page.locator("#gpr-stop")).to_be_hidden()
    page.locator("#gpr-resume").click()
    expect(card).to_contain_text("running")
    expect(page.locator("#gpr-resume")).to_be_hidden()
    page.locator("#gpr-discard").click()
    expect(card).to_contain_text("No run yet")


def test_what_a_run_shows_while_it_learns_and_afterwards(visit: Visit, workspace: FakeWorkspace, data: str) -> None:
    look = {"step": 20, "valid_loss": 1.234, "R@10": 0.75, "NDCG@10": 0.5, "seconds": 20.0}
    foreseen = {"estimate": {"seconds": 90.0, "memory_gb": 2.0, "disk_gb": 0.2}}
    machine = {
        "rate": 0.0005,
        "examples_per_second": 12.0,
        "memory_gb": 1.5,
        "peak_memory_gb": 1.9,
        "peak_disk_gb": 0.1,
        "again": 20.0,
        "slowed": 1.38,
    }
    going = FakeRun("a", data, "running", 30, metrics={}, looks=(look,), config=foreseen, state=machine)
    workspace.known = [going]
    page = visit.open()
    visit.tab("Fine-tune")
    card = page.locator("#gpr-run-card")
    expect(card).to_contain_text("Validation at step 20: loss 1.234, R@10 0.750, NDCG@10 0.500")
    expect(card).to_contain_text("learning rate 0.0005 · 12 examples/s · 1.5 GB")
    expect(card).to_contain_text("Foreseen: 1 min 30 s, 2.0 GB memory, 205 MB disk")
    card.get_by_text("Log", exact=True).click()
    words = "Validation got worse at 3 checks: stopped, kept step 20."
    read = {"before": 42.13, "after": 17.5, "steps": 9, "kept": True}
    done = FakeRun("a", data, message=words, config=foreseen, state=machine, forgotten=True, adaptation=read)
    workspace.known = [done]
    expect(card).to_contain_text("Perplexity of the catalogue's text: 42.1 before it was read, 17.5 after")
    expect(card).to_contain_text("Needed: 41 s, 1.9 GB memory, 102 MB disk")
    expect(card).to_contain_text("20 s more because it was interrupted · a step took 1.4 times as long as foreseen")
    expect(card).to_contain_text(words)
    expect(card).to_contain_text("trained on a person who has been forgotten since")
    expect(card.locator("details.gpr-log pre")).to_be_visible()  # it was opened before the card was written anew
    expect(page.locator("#gpr-runs")).to_contain_text("done, trained on forgotten data")


def test_what_a_run_will_need_is_told_for_the_settings(visit: Visit) -> None:
    page = visit.open()
    visit.tab("Fine-tune")
    page.locator("#gpr-preset").get_by_text("Thorough", exact=True).click()
    expect(page.locator("#gpr-length input[value='Epochs']")).to_be_checked()
    page.locator("#gpr-estimate").click()
    expect(page.locator("#gpr-train-notice")).to_contain_text("This run needs about 32 s, 1.0 GB of memory")


def test_a_gpt_is_made_from_texts_and_becomes_a_base_model(
    visit: Visit, workspace: FakeWorkspace, tmp_path: Path
) -> None:
    (tmp_path / "tales.txt").write_text("Once upon a time.")
    page = visit.open()
    visit.tab("Fine-tune")
    page.get_by_text("A GPT from scratch").click()
    fold, card = page.locator("#gpr-pretrain"), page.locator("#gpr-run-card")
    layers = fold.get_by_label("Layers")
    expect(layers).to_be_visible()
    layers.fill("4")
    layers.press("Tab")  # before that the page may not know it yet
    expect(layers).to_have_value("4")
    page.locator("#gpr-pretrain-estimate").click()
    expect(page.locator("#gpr-train-notice")).to_contain_text("This run needs about 4 s")
    fold.get_by_label("Read the active data").uncheck()
    page.locator("#gpr-pretrain-start").click()
    expect(page.locator("#gpr-train-notice")).to_contain_text("There is nothing to read. Upload text files")
    fold.get_by_label("Read the active data").check()
    fold.locator("input[type=file]").set_input_files(tmp_path / "tales.txt")
    expect(fold).to_contain_text("tales")
    page.locator("#gpr-pretrain-start").click()
    expect(card).to_contain_text("step 3 of 4")
    assert workspace.known[-1].data == "tales.txt tiny"
    expect(card).to_contain_text("Validation at step 2: loss 3.000, perplexity 45.000")
    expect(page.locator("#gpr-perplexity")).to_be_visible()
    name = workspace.known[-1].name
    workspace.known[-1] = replace(workspace.known[-1], status="done")
    page.get_by_role("button", name=f"As base model: {name}").click()
    page.get_by_text("Advanced").click()
    expect(page.locator("#gpr-base input")).to_have_value(name)


def test_a_run_is_taught_and_says_what_that_changed(visit: Visit, workspace: FakeWorkspace, data: str) -> None:
    workspace.known = [FakeRun("a", data)]
    page = visit.open()
    visit.tab("Fine-tune")
    expect(page.locator("#gpr-teach-about")).to_contain_text("they can teach the run in use")
    expect(page.locator("#gpr-teach")).to_be_disabled()
    name = workspace.dataset(data).name
    said = ("q", "toys", (), "m7", "Toy Story", "a", 0.5, -0.7, 1)
    workspace.labels.add(Label(*said, "good", "ada", dataset=name))
    page.reload()
    visit.tab("Fine-tune")
    expect(page.locator("#gpr-teach-about")).to_contain_text("a can learn from 1 good and 0 bad labels.")
    page.locator("#gpr-teach-estimate").click()
    expect(page.locator("#gpr-train-notice")).to_contain_text("This run needs as long as a takes")
    page.locator("#gpr-teach").click()
    expect(page.locator("#gpr-train-notice")).to_contain_text("a-taught has started.")
    expect(page.locator("#gpr-run-card")).to_contain_text("a-taught")
    lists = [{"query": "toys", "history": [], "new": ["Toy <b>Story"], "gone": ["Heat"], "first": "Heat"}]
    rates = {"before": 0.5, "after": 0.75}
    counts = {"good": 1, "bad": 2, "held_out": 3, "pairs": 4, "asked": 6, "changed": 1}
    workspace.known = [FakeRun("a-taught", data, taught={**counts, "win_rate": rates, "lists": lists})]
    card = page.locator("#gpr-run-card")
    expect(card).to_contain_text(
        "Win rate of good over bad items on 4 held-out pairs: 50% before, 75% after. 1 of 6 lists changed."
    )
    card.get_by_text("Requests with other items").click()
    expect(card).to_contain_text("+ Toy <b>Story − Heat")


def test_two_runs_are_compared(visit: Visit, workspace: FakeWorkspace, data: str) -> None:
    workspace.known = [
        FakeRun("a", data, settings={"rank": 8, "seed": 0}, note="the first", tags=("small",)),
        FakeRun("b", data, settings={"rank": 16, "seed": 0}),
    ]
    page = visit.open()
    visit.tab("Fine-tune")
    runs = page.locator("#gpr-runs")
    expect(runs).to_contain_text("the first #small")
    head = runs.get_by_role("columnheader").first
    expect(runs.locator("th[aria-sort]")).to_contain_text("started")
    for order, first in (("ascending", "a"), ("descending", "b")):
        head.get_by_role("button").focus()
        page.keyboard.press("Enter")
        expect(head).to_have_attribute("aria-sort", order)
        expect(runs.locator("tbody tr").first).to_contain_text(f"{first}Look")
    page.get_by_text("Compare, rename, export, import…").click()
    box = page.locator("#gpr-compare input")
    for name in ("a", "b"):
        box.click()
        page.get_by_role("option", name=name, exact=True).click()
    table = page.locator("#gpr-compared")
    expect(table.locator("tr", has_text="rank")).to_contain_text("16")
    expect(table).not_to_contain_text("seed")


def test_a_phone_shows_all_of_it(visit: Visit, workspace: FakeWorkspace, data: str, tmp_path: Path) -> None:
    workspace.known = [FakeRun("a-run-with-a-rather-long-name-that-does-not-break", data, status="running", step=9)]
    visit.page.set_viewport_size({"width": 390, "height": 844})
    page = visit.open()
    visit.tab("Fine-tune")
    page.get_by_text("Advanced").click()
    page.get_by_text("Compare, rename, export, import…").click()
    expect(page.locator("#gpr-delete-run")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
