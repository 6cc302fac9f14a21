"""The tab Data in a browser: uploads, what was understood and changed, what is looked at and taken away."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import expect

from gpr.labels.label import Label, request_id
from gpr.ui.context import Context
from tests.ui.conftest import Visit
from tests.ui.fake import FakeRun, FakeWorkspace

pytestmark = pytest.mark.browser


def upload(visit: Visit, path: Path) -> None:
    visit.tab("Data")
    visit.page.get_by_text("Use your own table").click()
    visit.page.locator("#gpr-own input[type=file]").set_input_files(path)
    expect(visit.page.locator("#gpr-own").get_by_label("Name")).to_have_value(path.stem)
    visit.page.locator("#gpr-add").click()


def test_an_upload_becomes_active_with_its_findings(visit: Visit, tmp_path: Path) -> None:
    page = visit.open()
    table = tmp_path / "shop.csv"
    table.write_text("item_id,title\n1,Lamp\n1,Chair\n2,\n3,Table\n4,<i>Bed</i>\n")
    upload(visit, table)
    expect(page.locator("#gpr-data-notice")).to_contain_text("shop is stored and active: 3 items")
    expect(page.locator("#gpr-header")).to_contain_text("shop")
    findings = page.locator(".gpr-findings")
    expect(findings).to_contain_text("shop.csv, row 3, column title")
    expect(findings).to_contain_text("Hurts results")
    expect(page.locator("#gpr-preview")).to_contain_text("<i>Bed</i>")
    visit.page.reload()
    expect(page.locator("#gpr-header")).to_contain_text("shop")


def test_an_upload_that_cannot_be_read_is_said_in_words_and_not_kept(
    visit: Visit, context: Context, tmp_path: Path
) -> None:
    page = visit.open()
    table = tmp_path / "empty.csv"
    table.write_text("")
    upload(visit, table)
    expect(page.locator("#gpr-data-notice .gpr-bad")).to_contain_text("The file is empty")
    expect(page.locator("#gpr-header")).to_contain_text("tiny")
    assert context.workspace.data.all() == []


def test_the_next_files_get_a_name_of_their_own_unless_one_was_typed(visit: Visit, tmp_path: Path) -> None:
    page = visit.open()
    for file in ("empty", "shop", "bikes"):
        (tmp_path / f"{file}.csv").write_text("")
    upload(visit, tmp_path / "empty.csv")
    expect(page.locator("#gpr-data-notice")).to_contain_text("The file is empty")
    name, chosen = page.locator("#gpr-own").get_by_label("Name"), page.locator("#gpr-own input[type=file]")
    page.get_by_label("Clear", exact=True).click()
    chosen.set_input_files(tmp_path / "shop.csv")
    expect(name).to_have_value("shop")
    name.fill("mine")
    page.get_by_label("Clear", exact=True).click()
    chosen.set_input_files(tmp_path / "bikes.csv")
    expect(page.locator("#gpr-own")).to_contain_text("bikes")
    page.locator("#gpr-add").click()
    expect(page.locator("#gpr-data-notice")).to_contain_text("bikes.csv: The file is empty")
    expect(name).to_have_value("mine")


def test_a_sample_is_chosen_and_its_pages_turned(visit: Visit) -> None:
    page = visit.open()
    visit.tab("Data")
    page.locator("#gpr-sources").get_by_role("button", name="funds").click()
    expect(page.locator("#gpr-header")).to_contain_text("funds")
    expect(page.locator("#gpr-preview")).to_contain_text("1 to 8 of")
    page.locator("#gpr-preview").get_by_role("button", name="Next page").click()
    expect(page.locator("#gpr-preview")).to_contain_text("9 to 16 of")
    page.locator("#gpr-preview").get_by_role("button", name="Examples").click()
    expect(page.locator("#gpr-preview th").first).to_have_text("query")


def test_data_that_is_gone_is_let_go(visit: Visit, context: Context, tmp_path: Path) -> None:
    page = visit.open()
    table = tmp_path / "shop.csv"
    table.write_text("title\nLamp\nChair\n")
    upload(visit, table)
    expect(page.locator("#gpr-header")).to_contain_text("shop")
    shutil.rmtree(context.workspace.data.folder("shop"))
    visit.page.reload()
    expect(page.locator("#gpr-header")).to_contain_text("tiny")


LOG = "who,film,stars,when\n" + "".join(
    f"{who},Film {film},{film % 5 + 1},2024-0{film + 1}-01\n" for who in ("ann", "bob") for film in range(8)
)


def test_columns_that_gpr_does_not_know_are_mapped_by_hand(visit: Visit, context: Context, tmp_path: Path) -> None:
    page = visit.open()
    table = tmp_path / "log.csv"
    table.write_text(LOG)
    upload(visit, table)
    expect(page.locator("#gpr-data-notice")).to_contain_text("Until then tiny stays active.")
    expect(page.locator("#gpr-header")).to_contain_text("tiny")
    expect(page.locator("#gpr-report .gpr-bad")).to_contain_text("No column is the title")
    page.get_by_label("meaning of film").select_option("title")
    expect(page.locator("#gpr-report .gpr-figures")).to_contain_text("8items")
    page.get_by_label("meaning of who").select_option("user_id")
    expect(page.locator("#gpr-report .gpr-figures")).to_contain_text("2histories")
    expect(page.locator("#gpr-report")).to_contain_text("you chose it")
    expect(page.locator("#gpr-report")).not_to_contain_text("ann")
    page.get_by_label("meaning of stars").select_option("rating")
    page.get_by_label("good_from").select_option("4")
    expect(page.locator("#gpr-report h4")).to_contain_text("16 rows = 4 used + 12 set aside")
    expect(page.locator("#gpr-report .gpr-select option:checked", has_text="from 4 on (4 good, 12 bad)")).to_have_count(
        1
    )
    page.get_by_label("meaning of film").select_option("ignore")
    expect(page.locator("#gpr-data-notice .gpr-bad")).to_contain_text("No column is the title")
    expect(page.get_by_label("meaning of film")).to_have_value("title")
    assert context.workspace.data.find("log").choices.good_from == 4


def test_a_change_to_a_sample_makes_a_copy(visit: Visit, workspace: FakeWorkspace) -> None:
    page = visit.open()
    visit.tab("Data")
    page.get_by_role("button", name="Keep them apart, with their id").click()
    expect(page.locator("#gpr-data-notice")).to_contain_text("Your copy is called tiny.")
    expect(page.locator("#gpr-preview")).to_contain_text("Heat (m8)")
    page.get_by_role("button", name="Make them one item").click()
    expect(page.locator("#gpr-preview")).not_to_contain_text("Heat (m8)")
    assert workspace.data.find("tiny").choices.equal_titles == "merge"


def test_rows_are_searched_and_set_aside_rows_shown_and_taken_away(visit: Visit, tmp_path: Path) -> None:
    page = visit.open()
    table = tmp_path / "shop.csv"
    table.write_text("item_id,title,about\n1,Lamp,light\n1,Chair,seat\n2,,mail a@b.org\n3,Table,wood\n4,Bed,a@b.org\n")
    upload(visit, table)
    finding = page.locator(".gpr-finding", has_text="An item_id that came before")
    finding.get_by_text("Show rows").click()
    expect(finding.locator("tbody tr")).to_have_count(1)
    expect(page.locator(".gpr-findings")).to_contain_text("Personal data in about: e-mail 2. It is masked")
    page.get_by_label("Search").fill("WOOD")
    expect(page.locator("#gpr-preview tbody tr")).to_have_count(1)
    expect(page.locator("#gpr-preview")).to_contain_text("Table")
    page.get_by_label("Search").fill("")
    page.locator("#gpr-preview").get_by_role("button", name="Set aside").click()
    expect(page.locator("#gpr-preview")).to_contain_text("duplicate-item-id")
    with page.expect_download() as download:
        page.locator("#gpr-aside").click()
    text = Path(download.value.path()).read_text(encoding="utf-8")
    assert text.splitlines()[0] == "file,row,reason,why,raw,item_id,title,about"
    assert len(text.splitlines()) == 3
    with page.expect_download() as download:
        page.locator("#gpr-repaired").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert archive.read("shop.csv").decode().splitlines() == [
            "item_id,title,about", "1,Lamp,light", "3,Table,wood", "4,Bed,[e-mail]",
        ]  # fmt: skip


def test_data_is_renamed_rid_of_a_person_and_deleted(visit: Visit, workspace: FakeWorkspace, tmp_path: Path) -> None:
    page = visit.open()
    table = tmp_path / "log.csv"
    table.write_text(LOG.replace("who,film", "user,title"))
    upload(visit, table)
    expect(page.locator("#gpr-report .gpr-figures")).to_contain_text("2histories")
    history = [str(number + 1) for number in range(7)]
    key = request_id("log", "", history)
    workspace.labels.add(Label(key, "", tuple(history), "8", "x", "", 0.5, -1, 1, "good", "me", dataset="log"))
    page.get_by_text("Rename, delete, forget a person").click()
    page.get_by_label("New name of this data").fill("films")
    page.locator("#gpr-rename").click()
    expect(page.locator("#gpr-header")).to_contain_text("films")
    assert [label.dataset for label in workspace.labels.current()] == ["films"]
    page.get_by_label("Id of a person").fill("ann")
    page.locator("#gpr-forget").click()
    expect(page.locator("#gpr-data-notice")).to_contain_text("films: 8 rows and 1 label removed.")
    expect(page.locator("#gpr-report .gpr-figures")).to_contain_text("1histories")
    workspace.known = [FakeRun("r", str(workspace.data.folder("films")))]
    page.locator("#gpr-delete").click()
    expect(page.locator("#gpr-data-notice .gpr-bad")).to_contain_text("is needed by runs: r")
    page.get_by_label("Even if a run needs it").check()
    page.locator("#gpr-delete").click()
    expect(page.locator("#gpr-data-notice")).to_contain_text("films is deleted.")
    expect(page.locator("#gpr-header")).to_contain_text("tiny")
    assert workspace.data.all() == []


def test_pictures_of_the_data(visit: Visit, tmp_path: Path) -> None:
    page = visit.open()
    table = tmp_path / "log.csv"
    table.write_text(LOG.replace("who,film", "user,title"))
    upload(visit, table)
    expect(page.locator("#gpr-report")).to_contain_text("16 rows = 16 used")
    page.locator("#gpr-pictures > button").click()
    expect(page.locator("#gpr-plot .js-plotly-plot")).to_be_visible()
    axes = {"History lengths": "items in a history", "Over time": "week", "Ratings": "rating"}
    for name, axis in axes.items():
        page.locator("#gpr-picture").get_by_text(name, exact=True).click()
        expect(page.locator("#gpr-plot .xtitle")).to_have_text(axis)
