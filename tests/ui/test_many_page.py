"""Many requests at once in a browser: a bad file, stopped, found again by a new page, gone on with, downloaded."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import expect

from tests.ui.conftest import Visit
from tests.ui.fake import FakeWorkspace

pytestmark = pytest.mark.browser


def test_a_file_of_requests_from_upload_to_download(visit: Visit, workspace: FakeWorkspace, tmp_path: Path) -> None:
    bad, good = tmp_path / "bad.csv", tmp_path / "good.csv"
    bad.write_text("query,history\ndream,\nmonster,nobody\n", encoding="utf-8")
    good.write_text("query\ndream\nmonster\ndoll\n", encoding="utf-8")
    page = visit.open()
    status = page.locator("#gpr-many-status")
    page.get_by_role("button", name="Many at once").click()
    page.locator("#gpr-many-file input[type=file]").set_input_files(bad)
    expect(page.locator("#gpr-many-file")).to_contain_text("bad")
    page.locator("#gpr-many-go").click()
    expect(status.get_by_role("alert")).to_contain_text("bad.csv, row 2: ")
    page.locator("#gpr-many-file input[type=file]").set_input_files(good)
    expect(page.locator("#gpr-many-file")).to_contain_text("good")
    workspace.ready.clear()
    page.locator("#gpr-many-go").click()
    page.locator("#gpr-many-stop").click()
    expect(page.locator("#gpr-many-stop")).to_have_text("Stopping…")
    page.goto("about:blank")
    workspace.ready.set()
    page.goto(visit.url)
    expect(status).to_contain_text("Stopped: 1 of 3 requests are answered")
    page.locator("#gpr-many-on").click()
    expect(status).to_contain_text("All 3 requests are answered.")
    with page.expect_download() as got:
        page.locator("#gpr-many-get").click()
    assert got.value.suggested_filename == "recommendations.csv"
    assert pd.read_csv(got.value.path())["request"].value_counts().to_dict() == {1: 7, 2: 7, 3: 7}
    page.locator("#gpr-many-remove").click()
    expect(page.locator("#gpr-many-go")).to_be_visible()
    assert list((workspace.root / "batches").iterdir()) == []
