"""`gpr sample` and `gpr check`, and files that no command can use."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run, answer, refused

pytestmark = pytest.mark.usefixtures("cache")


def test_sample(gpr: Run, tmp_path: Path) -> None:
    result = gpr("sample", "funds", tmp_path / "mine")
    assert result.exit_code == 0
    assert sorted(Path(line).name for line in result.stdout.splitlines()) == ["items.csv", "pairs.csv"]
    assert all(Path(line).is_file() for line in result.stdout.splitlines())
    assert answer(gpr("check", tmp_path / "mine", "--json"))["items"] >= 40


def test_sample_refusals(gpr: Run, tmp_path: Path) -> None:
    refused(gpr("sample", "fonds", tmp_path / "mine"), "There is no sample 'fonds'", "funds")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    refused(gpr("sample", "funds", tmp_path / "full"), "not empty")


def test_check(gpr: Run, films_folder: Path) -> None:
    report = answer(gpr("check", films_folder, "--json"))
    assert (report["name"], report["items"], report["sequences"]) == ("films", 10, 3)
    assert report["examples"] == {"train": 8, "valid": 6, "test": 7}
    assert report["files"]["items.csv"]["columns"]["item_id"]["role"] == "item_id"
    places = {(found["code"], found["file"], found["row"], found["column"]) for found in report["findings"]}
    assert ("duplicate-title", "items.csv", 11, "title") in places
    shown = gpr("check", films_folder)
    assert shown.exit_code == 0
    assert "10 items" in shown.stdout
    assert "items.csv, row 11, column title" in shown.stdout


def test_check_with_findings_that_stop_nothing(gpr: Run, tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text("id,title\n1,A\n1,B\n2,\n3,C\n")
    codes = {finding["code"] for finding in answer(gpr("check", tmp_path / "items.csv", "--json"))["findings"]}
    assert {"duplicate-item-id", "empty-title"} <= codes


def test_brackets_are_shown_as_they_are(gpr: Run, tiny_base_folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "items.csv"
    file.write_text("id,[bold]title[/x]\n1,[rec]\n2,:smile: [/b]\n")
    checked = gpr("check", file)
    assert "[bold]title[/x]" in checked.stdout
    shown = gpr("recommend", "[red]", "--data", file, "--base", tiny_base_folder)
    assert "[rec]" in shown.stdout
    assert ":smile: [/b]" in shown.stdout
    assert (checked.exit_code, shown.exit_code) == (0, 0)


BAD_FILES = {
    "empty.csv": (b"", "The file is empty (0 bytes)"),
    "header.csv": (b"item_id,title\n", "header.csv"),
    "numbers.csv": (b"a,b\n1,2\n3,4\n", "numbers.csv"),
    "one.csv": (b"title\nA\n", "two or more"),
    "picture.png": (b"\x89PNG", "cannot be read"),
    "binary.csv": (bytes(range(256)) * 20, "binary.csv"),
    "cut.parquet": (b"PAR1 and no more", "cut.parquet"),
    "x" * 5_000: (b"", "is no sample, folder or file"),
}


@pytest.mark.parametrize("name", [*BAD_FILES, "missing.csv"])
@pytest.mark.parametrize("command", [["check"], ["recommend", "q", "--data"], ["evaluate"]])
def test_files_that_cannot_be_used(gpr: Run, tmp_path: Path, name: str, command: list[str]) -> None:
    content, words = BAD_FILES.get(name, (b"", "is no sample, folder or file"))
    if name in BAD_FILES and len(name) < 100:
        (tmp_path / name).write_bytes(content)
    refused(gpr(*command, tmp_path / name), words)
