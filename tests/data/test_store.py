"""Kept data: stored once with a hash, read the same, renamed, exported, and rid of a person."""

from __future__ import annotations

import stat
from pathlib import Path

import pandas as pd
import pytest

from gpr.data.account import account
from gpr.data.choices import Choices
from gpr.data.kept import MARKER
from gpr.data.load import load
from gpr.data.read import read
from gpr.data.store import DataStore
from gpr.errors import DataError
from tests.small_data import write_films


@pytest.fixture
def store(tmp_path: Path) -> DataStore:
    return DataStore(tmp_path / "data")


@pytest.fixture
def films_in(tmp_path: Path) -> Path:
    return write_films(tmp_path / "films")


def text_of(folder: Path) -> str:
    """All that is stored, as text."""
    tables = [pd.read_parquet(path).to_csv() for path in folder.glob("*.parquet")]
    return "\n".join([*tables, *(path.read_text() for path in folder.glob("*.json"))])


def test_what_is_kept_reads_the_same(store: DataStore, films_in: Path, tmp_path: Path) -> None:
    (films_in / "pairs.csv").write_text((films_in / "pairs.csv").read_text() + "one field only\nx,m99,train\n")
    fresh = load(films_in, cache=tmp_path)
    kept = store.add("films", read(films_in), source=str(films_in))
    again = load(store.folder("films"), cache=tmp_path)
    assert (kept.hash, kept.items) == (fresh.hash, 10)
    assert (again.catalogue.item_ids, again.examples, again.sequences) == (
        fresh.catalogue.item_ids,
        fresh.examples,
        fresh.sequences,
    )
    assert account(again) == account(fresh)
    assert again.findings == fresh.findings
    assert again.name == "films"
    assert store.dataset("films").hash == kept.hash


def test_no_user_id_is_stored_and_the_key_stays_private(store: DataStore, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "items.csv").write_text("item_id,title\n1,Alien\n2,Big\n3,Cop\n")
    (folder / "interactions.csv").write_text("user_id,item_id\njane.doe,1\njane.doe,2\njane.doe\nbob,3\nbob,1\n")
    (folder / "users.csv").write_text("user_id,job\njane.doe,writer\nbob,nurse\n")
    store.add("shop", read(folder), source="shop")
    assert "jane.doe" not in text_of(store.folder("shop"))
    assert [sequence.user for sequence in store.dataset("shop").sequences] == ["writer", "nurse"]
    key = store.root / ".key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    store.export("shop", tmp_path / "out")
    exported = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    tables = {"items.csv", "interactions.csv", "users.csv"}
    assert {path.name for path in exported} == {*tables, "set-aside.csv", "report.json"}
    assert not any(key.read_bytes() in path.read_bytes() or b"jane" in path.read_bytes() for path in exported)
    again = load(tmp_path / "out", cache=tmp_path)
    assert again.examples == store.dataset("shop").examples


def test_choices_change_the_hash_which_names_the_old_one(store: DataStore, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("user,title,score\n" + "".join(f"u,Film {n},{n}\n" for n in range(6)))
    first = store.add("log", read(tmp_path / "log.csv"), source="log.csv")
    second = store.choose("log", Choices(good_from=3))
    assert second.hash != first.hash
    assert second.before == (first.hash,)
    assert store.find("log") == second
    assert len(store.dataset("log").sequences[0].items) == 1
    with pytest.raises(DataError, match="No column is"):
        store.choose("log", Choices().with_role("log.csv", "title", "ignore").with_role("log.csv", "user", "ignore"))
    assert store.find("log") == second, "what cannot be used changes nothing"


def test_a_mapping_counts_again_for_files_with_the_same_columns(store: DataStore, tmp_path: Path) -> None:
    for name in ("may", "june"):
        (tmp_path / f"{name}.csv").write_text(f"wanted,what\nspace {name},Alien\nchild {name},Big\n")
    with pytest.raises(DataError):
        store.add("may", read(tmp_path / "may.csv"), source="may.csv")
    kept = store.add("may", read(tmp_path / "may.csv"), source="may.csv", partial=True)
    assert (kept.hash, kept.items) == ("", 0)
    choices = kept.choices.with_role("may.csv", "wanted", "query").with_role("may.csv", "what", "title")
    assert store.choose("may", choices).hash
    june = store.add("june", read(tmp_path / "june.csv"), source="june.csv")
    assert june.choices.roles == {"june.csv": {"wanted": "query", "what": "title"}}
    assert sum(map(len, store.dataset("june").examples.values())) == 2


def test_a_column_that_becomes_the_user_is_hidden_then(store: DataStore, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("who,title\njane,Alien\njane,Big\nbob,Cop\n")
    kept = store.add("log", read(tmp_path / "log.csv"), source="log.csv")
    assert "jane" in text_of(store.folder("log"))
    store.choose("log", kept.choices.with_role("log.csv", "who", "user_id"))
    assert "jane" not in text_of(store.folder("log"))
    assert len(store.dataset("log").sequences) == 2
    hidden = text_of(store.folder("log"))
    store.choose("log", store.find("log").choices.with_role("log.csv", "title", "title"))
    assert text_of(store.folder("log")).count("u-") == hidden.count("u-"), "a hash is not hashed again"


def test_rename_delete_and_what_is_not_there(store: DataStore, films_in: Path, tmp_path: Path) -> None:
    store.add("films", read(films_in), source="films")
    with pytest.raises(DataError, match="kept already"):
        store.add("films", read(films_in), source="films")
    store.rename("films", "kino")
    assert [kept.name for kept in store.all()] == ["kino"]
    assert load(store.folder("kino"), cache=tmp_path).name == "kino"
    for name in ("movies", "../x", "", ".hidden", "a b"):
        with pytest.raises(DataError, match="cannot name a data set"):
            store.rename("kino", name)
    with pytest.raises(DataError, match="Kept here: kino"):
        store.delete("kin")
    store.delete("kino")
    assert store.all() == []
    with pytest.raises(DataError, match="Nothing is kept yet"):
        store.find("kino")


def test_a_damaged_data_set_says_so_and_is_not_listed(store: DataStore, films_in: Path) -> None:
    store.add("films", read(films_in), source="films")
    (store.folder("films") / "items.parquet").write_bytes(b"PAR1")
    with pytest.raises(DataError, match="damaged"):
        store.dataset("films")
    (store.folder("films") / MARKER).write_text("{}")
    assert store.all() == []


def test_a_person_is_forgotten(store: DataStore, films_in: Path) -> None:
    before = store.add("films", read(films_in), source="films")
    (lost,) = store.forget(" u1 ")
    assert (lost.name, lost.rows) == ("films", 6)
    after = store.find("films")
    assert lost.after is not None
    assert after.hash == lost.after.hash != before.hash
    assert after.before == (before.hash,)
    assert len(store.dataset("films").sequences) == len(lost.before.sequences) - 1
    assert store.forget("u1") == store.forget("nobody") == store.forget("") == []


def test_the_only_person_of_a_data_set(store: DataStore, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("user,title\nu,Alien\nu,Big\n")
    store.add("log", read(tmp_path / "log.csv"), source="log.csv")
    (lost,) = store.forget("u")
    assert lost.after is None
    assert store.all() == []
