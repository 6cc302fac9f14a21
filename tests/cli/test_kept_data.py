"""`gpr data ...`, `gpr forget` and the choices of `gpr check`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run, answer, refused

pytestmark = pytest.mark.usefixtures("cache")

LOG = "who,film,stars\n" + "".join(f"{who},Film {film},{film % 5 + 1}\n" for who in "ab" for film in range(8))


@pytest.fixture
def log(tmp_path: Path) -> Path:
    (tmp_path / "log.csv").write_text(LOG)
    return tmp_path / "log.csv"


def test_columns_are_given_meanings(gpr: Run, log: Path) -> None:
    refused(gpr("check", log), "No column is the title; the columns are 'who', 'film', 'stars'")
    said = answer(gpr("check", log, "--role", "who=user_id", "--role", "film=title", "--good-from", 3, "--json"))
    assert (said["items"], said["sequences"]) == (8, 2)
    assert said["files"]["log.csv"]["columns"]["who"] == {"role": "user_id", "reason": "you chose it"}
    assert {"file": said["files"]["log.csv"]["set_aside"], "rows": 16} == {"file": 8, "rows": 16}
    refused(gpr("check", log, "--role", "who=king"), "'king' is no role of a column", "user_id")
    assert gpr("check", log, "--role", "who").exit_code == 2


def test_set_aside_rows_and_repaired_data_are_written(gpr: Run, tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text("id,title,about\n1,A,=cmd()\n1,B,x\n,C,y\n")
    out, aside = tmp_path / "out", tmp_path / "aside.csv"
    assert gpr("check", tmp_path / "items.csv", "--repaired", out, "--set-aside", aside).exit_code == 0
    assert (out / "items.csv").read_text() == "item_id,title,about\n1,A,'=cmd()\n,C,y\n"
    assert "duplicate-item-id" in aside.read_text()
    refused(gpr("check", tmp_path / "items.csv", "--set-aside", aside), "exists already")


def test_data_is_kept_listed_renamed_exported_and_deleted(gpr: Run, log: Path, tmp_path: Path) -> None:
    words = ("--role", "who=user_id", "--role", "log.csv:film=title")
    added = gpr("data", "add", log, "--name", "films", *words)
    assert added.stdout.startswith("films: 8 items, ")
    (kept,) = answer(gpr("data", "list", "--json"))
    assert (kept["name"], kept["items"], kept["runs"]) == ("films", 8, [])
    assert kept["hash"] in added.stdout
    assert "films" in gpr("data", "list").stdout
    assert gpr("data", "set", "films", "--good-from", 4).stdout.split()[-1] != kept["hash"]
    assert answer(gpr("check", "films", "--json"))["choices"]["good_from"] == 4
    assert gpr("data", "set", "films", "--good-from", -1).stdout.split()[-1] == kept["hash"]
    assert gpr("data", "rename", "films", "kino").stdout == "kino\n"
    exported = gpr("data", "export", "kino", tmp_path / "out").stdout.splitlines()
    assert [Path(path).name for path in exported] == ["log.csv", "report.json"]
    refused(gpr("data", "export", "kino", tmp_path / "out"), "exists already")
    assert gpr("data", "delete", "kino").stdout == "deleted: kino\n"
    refused(gpr("data", "delete", "kino"), "no kept data set 'kino'")


def test_a_person_is_forgotten(gpr: Run, log: Path) -> None:
    gpr("data", "add", log, "--role", "who=user_id", "--role", "film=title")
    (gone,) = answer(gpr("forget", "--user", "a", "--json"))
    assert (gone["name"], gone["rows"], gone["labels"], gone["runs"]) == ("log", 8, 0, [])
    assert answer(gpr("check", "log", "--json"))["sequences"] == 1
    assert "8 rows and 0 label entries removed" in gpr("forget", "--user", "b").stdout
    refused(gpr("forget", "--user", "a"), "Nobody of that id")
