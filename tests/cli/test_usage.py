"""Help, wrong usage, the workspace, and the whole as a process."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gpr import cli
from tests.cli.conftest import Run, refused

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.usefixtures("cache")


@pytest.mark.parametrize(
    "command", ["", "sample", "check", "train", "recommend", "evaluate", "label", "label export", "label stats"]
)
def test_every_command_has_help(gpr: Run, command: str) -> None:
    result = gpr(*command.split(), "--help")
    assert (result.exit_code, result.stderr) == (0, "")
    assert f"Usage: gpr {command}".strip() in result.stdout


@pytest.mark.parametrize(
    "words",
    [
        ["fly"],
        ["check"],
        ["check", "films", "--colour"],
        ["recommend", "query"],
        ["recommend", "query", "--data", "funds", "-k", "0"],
        ["recommend", "query", "--data", "funds", "-k", "many"],
        ["train", "funds"],
        ["train", "funds", "--run", "a", "--epochs", "two"],
        ["label", "export"],
        ["sample", "funds"],
    ],
)
def test_wrong_usage(gpr: Run, words: list[str]) -> None:
    result = gpr(*words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Usage: gpr" in result.stderr


def test_the_workspace_is_named_by_option_or_environment(
    films_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GPR_WORKSPACE", raising=False)
    runner = CliRunner()
    for words, environment, made in (
        ([], {}, "workspace"),
        ([], {"GPR_WORKSPACE": "mine"}, "mine"),
        (["--workspace", "here"], {"GPR_WORKSPACE": "mine"}, "here"),
    ):
        assert runner.invoke(cli.app, ["label", "stats", *words], env=environment).exit_code == 0
        assert (tmp_path / made / "labels.db").is_file()
    for before, after, made in ((["--workspace", "first"], [], "first"), (["--workspace", "a"], words, "here")):
        (tmp_path / made / "labels.db").unlink(missing_ok=True)
        found = runner.invoke(cli.app, [*before, "label", "stats", *after], env={"GPR_WORKSPACE": "mine"})
        assert found.exit_code == 0
        assert (tmp_path / made / "labels.db").is_file()
    assert "GPR_WORKSPACE" not in os.environ


def test_a_workspace_that_cannot_be_made(gpr: Run, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    refused(gpr("label", "stats", "--workspace", tmp_path / "file" / "ws"), "file")


def test_a_damaged_database(gpr: Run, tmp_path: Path) -> None:
    (tmp_path / "ws").mkdir()
    (tmp_path / "ws" / "labels.db").write_bytes(b"this is no database, however long it may be " * 50)
    refused(gpr("label", "stats"), "labels.db")


def process(*words: object, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gpr", *map(str, words)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
        env={**os.environ, **(environment or {})},
    )


def test_a_process_answers_in_json_alone() -> None:
    run = process("check", "courses-zh", "--json")
    assert (run.returncode, run.stderr) == (0, "")
    assert json.loads(run.stdout)["name"] == "courses-zh"


def test_a_process_fails_with_one_message_and_its_code(tmp_path: Path) -> None:
    missing, usage = process("check", tmp_path / "no.csv"), process("check")
    assert (missing.returncode, missing.stdout, usage.returncode, usage.stdout) == (1, "", 2, "")
    assert missing.stderr.startswith("Error: ")
    assert len(missing.stderr.splitlines()) == 1
    assert "Traceback" not in missing.stderr + usage.stderr


def test_a_hub_that_is_not_there_is_one_message() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # nobody listens
        hub = {"HF_HUB_OFFLINE": "0", "HF_ENDPOINT": f"http://127.0.0.1:{closed.getsockname()[1]}"}
        run = process("recommend", "q", "--data", "funds", "--base", "some/model", environment=hub)
    assert (run.returncode, run.stdout, len(run.stderr.splitlines())) == (1, "", 1)
    assert run.stderr.startswith("Error: There is no base model 'some/model' here, and it cannot be had from a hub")


def test_a_reader_that_has_read_enough_is_no_fault() -> None:
    shown = subprocess.Popen(
        [sys.executable, "-m", "gpr", "check", "movies", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert shown.stdout is not None
    shown.stdout.close()
    _, said = shown.communicate()
    assert b"Traceback" not in said
