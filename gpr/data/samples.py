"""Data sets that come with GPR, to look at and to start from.

It knows their names and where their files are; it does not read them.
"""

from __future__ import annotations

import filecmp
import os
import shutil
import tempfile
from pathlib import Path

from gpr.data import movielens
from gpr.errors import DataError

SAMPLES: dict[str, str] = {
    "movies": "well-known films, with queries in a film-goer's own words",
    "courses-zh": "university courses with queries, in Chinese",
    "news": "news articles with queries and summaries",
    "funds": "invented investment funds with queries",
    "movielens-100k": "1,664 films that 943 people rated; downloaded on first use",
}
DOWNLOADED = "movielens-100k"
BUNDLED = Path(__file__).resolve().parents[2] / "assets" / "samples"


def sample_folder(name: str, cache: Path) -> Path:
    """The folder with the sample's files; `movielens-100k` is downloaded into `cache` once.

    Raises:
        DataError: no such sample, its files are missing, no network, or the cache cannot be written.
    """
    if name not in SAMPLES:
        raise DataError(f"There is no sample '{name}'.", hint=f"The samples are {', '.join(SAMPLES)}.")
    if name != DOWNLOADED:
        folder = BUNDLED / name
        if not folder.is_dir():
            raise DataError("The files of this sample are missing.", where=str(folder), hint="Install GPR again.")
        return folder
    folder = cache / "samples" / name
    if not folder.is_dir():
        try:
            _download(folder)
        except OSError as error:
            raise _cannot_write(folder, error) from error
    return folder


def is_here(name: str, cache: Path) -> bool:
    """Whether a sample can be read without a download."""
    return name != DOWNLOADED or (cache / "samples" / name).is_dir()


def _download(folder: Path) -> None:
    """Fetches beside `folder` and renames at the end, so that a folder that exists is complete."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent, ignore_cleanup_errors=True) as place:
        fresh = Path(place) / folder.name
        fresh.mkdir()
        movielens.fetch(fresh)
        try:
            os.replace(fresh, folder)
        except OSError:
            if not folder.is_dir():  # else another process was faster
                raise


def write_sample(name: str, folder: Path, *, cache: Path) -> list[Path]:
    """Copies the sample's files into `folder`, which is new, empty, or has the same files already; returns their paths.

    Raises:
        DataError: no such sample, the folder holds something else, the disk is full, or there is no permission.
    """
    source = sample_folder(name, cache)
    files = sorted(file.name for file in source.iterdir() if file.is_file())
    try:
        there = sorted(entry.name for entry in folder.iterdir()) if folder.exists() else []
        if there:
            if there != files or filecmp.cmpfiles(source, folder, files, shallow=False)[0] != files:
                raise DataError("The folder is not empty.", where=str(folder), hint="Choose a new folder.")
            return [folder / file for file in files]
        folder.mkdir(parents=True, exist_ok=True)
        _copy(source, folder, files)
    except OSError as error:
        raise _cannot_write(folder, error) from error
    return [folder / file for file in files]


def _copy(source: Path, folder: Path, files: list[str]) -> None:
    """All files or none, so that the next attempt finds the folder empty."""
    try:
        for file in files:
            shutil.copyfile(source / file, folder / file)
    except OSError:
        for file in files:
            (folder / file).unlink(missing_ok=True)
        raise


def _cannot_write(folder: Path, error: OSError) -> DataError:
    hint = "Free some space, or choose a folder that you may write to."
    return DataError(f"The sample cannot be written ({error.strerror or error}).", where=str(folder), hint=hint)
