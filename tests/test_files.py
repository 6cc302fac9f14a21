from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from gpr.cache import cache_folder
from gpr.errors import WorkspaceError
from gpr.files import disk_error, written_whole


def test_a_file_is_replaced_only_when_the_block_ends_well(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("old")
    with pytest.raises(KeyError), written_whole(path) as partial:
        assert partial.suffix == ".csv"
        partial.write_text("half")
        raise KeyError
    assert path.read_text() == "old"
    with written_whole(path) as partial:
        partial.write_text("new")
    assert path.read_text() == "new"
    assert os.listdir(tmp_path) == ["table.csv"]


def test_a_folder_is_replaced_with_all_that_is_in_it(tmp_path: Path) -> None:
    for content in ("one", "two"):
        with written_whole(tmp_path / "model") as partial:
            partial.mkdir()
            (partial / content).write_text(content)
    assert os.listdir(tmp_path) == ["model"]
    assert os.listdir(tmp_path / "model") == ["two"]


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        RuntimeError("Error while serializing: I/O error: No space left on device (os error 28)"),
    ],
)
def test_a_full_disk_leaves_nothing(tmp_path: Path, error: Exception) -> None:
    with pytest.raises(WorkspaceError, match="The disk is full"), written_whole(tmp_path / "model") as partial:
        partial.mkdir()
        (partial / "weights").write_text("half")
        raise error
    assert os.listdir(tmp_path) == []


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "a.csv"
    with pytest.raises(WorkspaceError, match="nowhere: The folder does not exist"), written_whole(path) as partial:
        partial.write_text("")


def test_what_the_disk_says_is_told(tmp_path: Path) -> None:
    assert "read-only" in str(disk_error(OSError(errno.EROFS, "Read-only file system"), tmp_path))
    assert "Input/output error" in str(disk_error(OSError(errno.EIO, "Input/output error"), tmp_path))


def test_the_cache_folder_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GPR_CACHE", str(tmp_path / "own"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "own"
    monkeypatch.delenv("GPR_CACHE")
    assert cache_folder() == tmp_path / "gpr"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative/is/invalid")
    assert cache_folder() == Path.home() / ".cache" / "gpr"
