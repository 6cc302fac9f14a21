"""What the commands share: consoles, common options, and how an error of the user ends a command."""

from __future__ import annotations

import functools
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from gpr.errors import GPRError

Json = Annotated[bool, typer.Option("--json", help="JSON alone on stdout.")]
WORKSPACE = Path("workspace")
WORKSPACE_SETTING = "GPR_WORKSPACE"
Root = Annotated[Path, typer.Option("--workspace", envvar=WORKSPACE_SETTING, help="Folder that holds all state.")]
out = Console(highlight=False, markup=False, emoji=False)  # titles and columns are shown as they are, brackets and all
err = Console(stderr=True, highlight=False, markup=False, emoji=False)


def user_errors(command: Callable[..., None]) -> Callable[..., None]:
    """A user's error is one message on stderr and exit code 1."""

    @functools.wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except GPRError as error:
            err.print(f"Error: {error}", style="red", soft_wrap=True)
            raise typer.Exit(1) from error
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(1) from None

    return wrapped


def open_workspace(root: Path) -> Any:
    """The workspace; its imports take a moment, which `--help` need not wait for."""
    from gpr.workspace import Workspace

    return Workspace(root)


@contextmanager
def workspace_of_commands(root: Path) -> Iterator[None]:
    """What was said before the command counts for it, unless it says otherwise itself."""
    before = os.environ.get(WORKSPACE_SETTING)
    os.environ[WORKSPACE_SETTING] = str(root)
    try:
        yield
    finally:
        os.environ.pop(WORKSPACE_SETTING)
        if before is not None:
            os.environ[WORKSPACE_SETTING] = before


def print_json(content: Any) -> None:
    print(json.dumps(content, ensure_ascii=False, indent=1))


def stop_on_signal(kept: str = "what was learned is kept") -> Callable[[], bool]:
    """Ctrl-C and SIGTERM ask the run to stop; a second Ctrl-C ends it at once."""
    asked: list[int] = []

    def handle(number: int, frame: Any) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(number)
        err.print(f"Stopping: {kept}. Press Ctrl-C again to end at once.")

    signal.signal(signal.SIGINT, handle)
    signal.signal(signal.SIGTERM, handle)
    return lambda: bool(asked)
