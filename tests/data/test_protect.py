"""What is stored names nobody: personal data in texts is masked before, unless the user keeps it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpr.data.account import examples_of
from gpr.data.choices import Choices
from gpr.data.load import load
from gpr.data.read import read
from gpr.data.store import DataStore
from gpr.errors import DataError
from tests.data.test_store import text_of

ITEMS = (
    "item_id,title,description,seller,internal\n1,Alien,mail a@b.org,c@d.org,call +1 212 555 0142\n"
    "2,Big,fine,e@f.org,-\n3,Cop a@b.org,of g&#64;h.org,c@d.org,-\n"
)
NAMED = ("a@b.org", "c@d.org", "e@f.org", "212 555", "h.org")


@pytest.fixture
def store(tmp_path: Path) -> DataStore:
    return DataStore(tmp_path / "data")


@pytest.fixture
def items(tmp_path: Path) -> Path:
    (tmp_path / "items.csv").write_text(ITEMS)
    return tmp_path / "items.csv"


def test_nothing_personal_is_stored_and_the_report_says_so(store: DataStore, items: Path, tmp_path: Path) -> None:
    choices = Choices().with_role("items.csv", "internal", "ignore")
    kept = store.add("shop", read(items), source="items.csv", choices=choices)
    assert not any(word in text_of(store.folder("shop")) for word in NAMED), "also where a column is not used"
    data = store.dataset("shop")
    assert kept.hash == load(items, cache=tmp_path, choices=choices).hash == data.hash
    assert data.catalogue.details(0)["seller"] == "[e-mail]"
    notes = {finding.column: finding for finding in data.findings if finding.code == "personal-data"}
    assert "seller: e-mail 3. It is masked" in notes["seller"].message
    assert "internal: phone 1. It is masked" in notes["internal"].message
    assert examples_of(data, notes["description"]) == [
        {"row": 1, "value": "mail [e-mail]"},
        {"row": 3, "value": "of [e-mail]"},
    ]
    store.export("shop", tmp_path / "out")
    assert not any(word in path.read_text() for path in (tmp_path / "out").rglob("*.*") for word in NAMED)


def test_what_the_user_keeps_is_stored_until_it_is_to_be_masked(store: DataStore, items: Path) -> None:
    store.add("shop", read(items), source="items.csv", choices=Choices(personal="keep"))
    assert all(word in text_of(store.folder("shop")) for word in NAMED)
    store.choose("shop", Choices(personal="mask"))
    assert not any(word in text_of(store.folder("shop")) for word in NAMED)
    with pytest.raises(DataError, match="masked before this was stored"):
        store.choose("shop", Choices(personal="keep"))


def test_a_column_of_e_mails_can_still_turn_out_to_be_the_users(store: DataStore, tmp_path: Path) -> None:
    log = "who,title\na@b.org,Alien\nc@d.org,Alien\na@b.org,Big\nc@d.org,Cop\na@b.org,Dune\n"
    (tmp_path / "log.csv").write_text(log)
    store.add("log", read(tmp_path / "log.csv"), source="log.csv")
    store.choose("log", Choices().with_role("log.csv", "who", "user_id"))
    assert "a@b.org" not in text_of(store.folder("log"))
    assert len(store.dataset("log").sequences) == 2
    (lost,) = store.forget("a@b.org")
    assert lost.rows == 3
