"""Small data that several tests share: a catalogue in memory, and a folder of films whose right answers are known."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from gpr.data.dataset import Catalogue

ITEMS = """item_id,title,year,genre,description
m1,The Matrix,1999,Sci-Fi,A hacker learns that the world is a simulation.
m2,The Mummy,1999,Adventure,A librarian wakes a priest who was buried alive in Egypt.
m3,Alien,1979,Horror,The crew of a freighter is hunted by a creature that it let on board.
m4,Aliens,1986,Action,Marines return to the colony that no longer answers.
m5,Amélie,2001,Romance,A shy waitress in Paris secretly makes people happy.
m6,Groundhog Day,1993,Comedy,A weatherman lives one day again and again.
m7,Casablanca,1942,Romance,A bar owner meets a lost love in wartime Morocco.
m8,盗梦空间,2010,Sci-Fi,盗贼潜入梦境植入一个念头。
m9,Heat,1995,Crime,A detective and a master thief circle each other.
m10,Dune,2021,Sci-Fi,A young heir survives on the desert planet that has the spice.
m11,Alien,2024,Horror,The same title under another id.
"""
"""Ten items: m11 is an alias of m3."""
PAIRS = """query,item_id,split
monster on a space ship,m3,train
soldiers against monsters,m4,train
is the world only a dream,m1,train
old egypt and curses,m2,train
the same morning over and over,m6,train
梦中之梦,m8,train
feel good film in paris,m5,train
marines,m4,train
worms in the sand,m10,valid
love and war,m7,valid
stuck in time,m6,valid
cops and robbers,m9,test
scary creatures,m3,test
scary creatures,m4,test
电影里的梦,m8,test
"""
"""m4 is the item with the most training queries; 'scary creatures' has two right items."""
INTERACTIONS = """user_id,item_id,timestamp
u1,m3,1
u1,m4,2
u1,m1,3
u1,m10,4
u1,m9,5
u2,m5,1
u2,m7,2
u2,m6,3
u2,m4,4
u3,m4,1
u3,m1,2
u3,m8,3
"""
USERS = "user_id,age,job\nu1,24,student\nu2,61,writer\nu3,35,nurse\n"


def write_films(folder: Path) -> Path:
    """The films with their queries, histories and users."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = {"items": ITEMS, "pairs": PAIRS, "interactions": INTERACTIONS, "users": USERS}
    for name, text in parts.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


def catalogue_of(titles: Sequence[str], **columns: Sequence[str]) -> Catalogue:
    """A catalogue in memory, with ids a0, a1, ... and any further columns."""
    ids = tuple(f"a{number}" for number in range(len(titles)))
    table = pd.DataFrame({"title": list(titles), **{name: list(values) for name, values in columns.items()}}, dtype=str)
    return Catalogue(ids, table, {item_id: number for number, item_id in enumerate(ids)})
