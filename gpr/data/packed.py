"""Packed files: .gz and .zip become plain files in a temporary folder, within bounds.

It knows the dangers of archives (paths that climb out, links, bombs, passwords), not what the files hold.
"""

from __future__ import annotations

import gzip
import lzma
import struct
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO

from gpr.errors import DataError

MAX_MEMBERS = 1_000
MAX_RATIO = 500
"""A member that grows more than so many times is a bomb; text reaches 20, a table of zeros 200."""
SMALL_BYTES = 16 * 1024**2
"""What grows to no more than this is harmless at any ratio."""
_DAMAGED = (
    zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, NotImplementedError,
    RuntimeError, ValueError, LookupError,
)  # fmt: skip
_BLOCK = 1 << 20
_S_IFMT, _S_IFLNK = 0o170000, 0o120000


def is_packed(path: Path) -> bool:
    return path.suffix.casefold() in (".gz", ".zip")


def unpack(path: Path, folder: Path, *, max_bytes: int) -> list[Path]:
    """The files that were packed, written into the empty `folder` by their own names, sorted.

    Raises:
        DataError: damaged, protected by a password, a path that leaves the archive, too many members, or more than
            `max_bytes` unpacked.
    """
    try:
        if path.suffix.casefold() == ".gz":
            target = folder / (path.name[: -len(".gz")] or "table.csv")
            limit = min(max_bytes, max(SMALL_BYTES, MAX_RATIO * path.stat().st_size))
            with gzip.open(path, "rb") as stream:
                _copy(stream, target, limit, path.name)
            return [target]
        with zipfile.ZipFile(path) as archive:
            return _members(archive, path.name, folder, max_bytes)
    except _DAMAGED as error:
        hint = "Pack it again, or unpack it yourself and give the folder."
        raise DataError(f"The archive is damaged ({error}).", where=path.name, hint=hint) from error


def refuse_bomb(archive: zipfile.ZipFile, name: str, max_bytes: int) -> None:
    """Raises: DataError: too many members, too large when unpacked, or packed tighter than any table is."""
    members = archive.infolist()
    if len(members) > MAX_MEMBERS:
        raise DataError(f"The archive has {len(members):,} members; the limit is {MAX_MEMBERS:,}.", where=name)
    size = sum(member.file_size for member in members)
    if size > max_bytes:
        raise DataError(f"Unpacked it is {size:,} bytes; the limit is {max_bytes:,}.", where=name, hint="Split it.")
    for member in members:
        if member.file_size > max(SMALL_BYTES, MAX_RATIO * member.compress_size):
            raise DataError(
                f"A zip bomb: {member.compress_size:,} bytes become {member.file_size:,} ('{member.filename[:80]}').",
                where=name,
                hint="If it is a table after all, unpack it yourself and give the file.",
            )


def _members(archive: zipfile.ZipFile, name: str, folder: Path, max_bytes: int) -> list[Path]:
    refuse_bomb(archive, name, max_bytes)
    written: dict[Path, None] = {}
    for member in archive.infolist():
        place = PurePosixPath(member.filename.replace("\\", "/"))
        if member.is_dir() or place.name.startswith(".") or "__MACOSX" in place.parts:
            continue
        climbs = place.is_absolute() or ".." in place.parts or ":" in place.parts[0] or "\0" in member.filename
        if climbs or (member.external_attr >> 16) & _S_IFMT == _S_IFLNK:
            raise DataError(
                f"The archive holds a path that leaves it: '{member.filename[:80]}'.",
                where=name,
                hint="It may be an attack. Unpack and look at it yourself, and give the folder.",
            )
        if member.flag_bits & 1:
            raise DataError("The archive is protected by a password.", where=name, hint="Unpack it yourself.")
        target = folder / place.name
        if target in written:
            raise DataError(f"The archive holds two files '{place.name}'.", where=name, hint="Keep one of them.")
        with archive.open(member) as stream:
            _copy(stream, target, max_bytes, name)
        written[target] = None
    if not written:
        raise DataError("The archive is empty.", where=name)
    return sorted(written)


def _copy(source: IO[bytes] | gzip.GzipFile, target: Path, max_bytes: int, name: str) -> None:
    """Counts what comes out, whatever the archive says of it."""
    size = 0
    with target.open("wb") as out:
        while block := source.read(_BLOCK):
            size += len(block)
            if size > max_bytes:
                raise DataError(f"Unpacked it is more than {max_bytes:,} bytes.", where=name, hint="Split it.")
            out.write(block)
