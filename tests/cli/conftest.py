"""`gpr` as a caller meets it: its words in, its exit code, stdout and stderr out."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from gpr import cli
from gpr.workspace import Workspace

Run = Callable[..., Result]


@pytest.fixture
def gpr(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`gpr WORDS...` in a new workspace."""
    monkeypatch.setenv("GPR_WORKSPACE", str(tmp_path / "ws"))
    return lambda *words: CliRunner().invoke(cli.app, [str(word) for word in words], prog_name="gpr")


@pytest.fixture
def with_run(gpr: Run, trained: Workspace) -> Run:
    """`gpr WORDS...` in the workspace that has the run `films`."""
    return lambda command, *words: gpr(command, "--workspace", trained.root, *words)


@pytest.fixture
def signals() -> Iterator[None]:
    """Puts the handlers back that `gpr train` replaces."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


def answer(result: Result) -> Any:
    """What a command that went well wrote as JSON, and nothing beside it on stdout."""
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def refused(result: Result, *words: str) -> str:
    """The one message on stderr of a command that a user has to put right."""
    assert (result.exit_code, result.stdout) == (1, ""), result.output
    *before, message = result.stderr.strip().splitlines()
    assert message.startswith("Error: ")
    assert not [line for line in before if "rror" in line or "Traceback" in line]
    for part in words:
        assert part in message
    return message
