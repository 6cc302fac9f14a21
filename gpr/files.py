"""Files and folders that are there whole or not at all. Knows nothing of what is in them."""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gpr.errors import WorkspaceError

_RUST_ERROR = re.compile(r"\(os error (\d+)\)")


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A name beside `path` to write a file or a folder to; it becomes `path` when the block ends without an error.

    Whatever happens, nothing half-written stays. The name keeps the suffix of `path`, since some writers look at it.

    Raises:
        WorkspaceError: the disk refused: it is full, the folder is missing or read-only.
    """
    partial = path.with_name(f".partial-{secrets.token_hex(4)}-{path.name}")
    try:
        yield partial
        _replace(partial, path)
    except Exception as error:
        if (refusal := _refusal(error)) is None:
            raise
        raise disk_error(refusal, path) from error
    finally:
        _remove(partial)


def disk_error(error: OSError, path: Path) -> WorkspaceError:
    """What an `OSError` at `path` means to the user."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return WorkspaceError("The disk is full.", where=str(path), hint="Free some space and try again.")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return WorkspaceError(
            "This place is read-only.", where=str(path), hint="Choose a folder that you may write to."
        )
    if error.errno == errno.ENOENT:
        return WorkspaceError("The folder does not exist.", where=str(path.parent), hint="Make it first.")
    return WorkspaceError(
        f"The disk refused: {error.strerror or error}.", where=str(path), hint="Choose another place."
    )


def _refusal(error: Exception) -> OSError | None:
    """The disk's refusal in an error; libraries written in Rust (safetensors, tokenizers) have it in the text."""
    if isinstance(error, OSError):
        return error
    found = _RUST_ERROR.search(str(error))
    return OSError(int(found[1]), os.strerror(int(found[1]))) if found else None


def _replace(partial: Path, path: Path) -> None:
    if not (partial.is_dir() and path.exists()):
        partial.replace(path)
        return
    # A folder takes no folder's place in one step.
    old = path.with_name(f".partial-{secrets.token_hex(4)}-old-{path.name}")
    path.rename(old)
    partial.rename(path)
    _remove(old)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
