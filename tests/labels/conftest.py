from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from gpr.labels.label import Label, request_id
from gpr.labels.store import LabelStore
from tests.labels.server import postgres

_numbers = itertools.count()


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The URL of a PostgreSQL server, up to the database's name."""
    with postgres() as url:
        yield url


@pytest.fixture
def new_database(server: str) -> str:
    """The URL of an empty database on it."""
    name = f"labels{next(_numbers)}"
    engine = sa.create_engine(f"{server}/postgres".replace("postgresql:", "postgresql+pg8000:"))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine.dispose()
    return f"{server}/{name}"


@pytest.fixture(params=["memory", "file", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LabelStore]:
    """A new one on each kind of database."""
    places = {"memory": "sqlite://", "file": tmp_path / "new" / "labels.db"}
    store = LabelStore(places.get(request.param) or request.getfixturevalue("new_database"))
    yield store
    store.close()


@pytest.fixture
def label() -> Callable[..., Label]:
    """Makes a label; every field can be given."""

    def make(**fields: object) -> Label:
        query = str(fields.get("query", "a film about dreams"))
        defaults = {
            "request_id": request_id("films", query, ("3", "1")),
            "query": query,
            "history": ("3", "1"),
            "item_id": "7",
            "title": "Inception",
            "run": "run-1",
            "probability": 0.25,
            "log_prob": -1.3862943611198906,
            "rank": 1,
            "verdict": "good",
            "annotator": "ada",
            "scores": {"generate": -1.5, "words": float("-inf")},
            "dataset": "films",
        }
        return Label(**{**defaults, **fields})  # type: ignore[arg-type]

    return make
