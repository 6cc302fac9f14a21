"""The tables of the labels' database, as they are now. How older databases become so is in `migrations`."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()

actions = sa.Table(
    "label_actions",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("undoes", sa.Integer, unique=True, nullable=True),
    sa.Column("time", sa.Text, nullable=False),
    sa.Column("annotator", sa.Text, nullable=False),
    sa.Column("dataset", sa.Text),
    sa.Column("request_id", sa.Text),
    sa.Column("query", sa.Text),
    sa.Column("history", sa.Text),  # JSON
    sa.Column("item_id", sa.Text),
    sa.Column("title", sa.Text),
    sa.Column("run", sa.Text),
    sa.Column("probability", sa.Double),
    sa.Column("log_prob", sa.Double),
    sa.Column("rank", sa.Integer),
    sa.Column("scores", sa.Text),  # JSON
    sa.Column("verdict", sa.Text),
    sa.Column("reason", sa.Text),
    sa.Column("note", sa.Text),
    sa.Column("redoes", sa.Integer),
    sa.Column("batch", sa.Text),
    sa.Column("kind", sa.Text),
    sa.Column("against", sa.Text),
    sa.Index("label_actions_key", "request_id", "item_id", "annotator"),
    sa.Index("label_actions_annotator", "annotator"),
    sa.Index("label_actions_redoes", "redoes", unique=True),
    sqlite_autoincrement=True,
)
"""The log: one row an action, and no row is ever changed.

A label, a preference or a ruling (`kind`) fills the columns of what was said. An undo has an id in `undoes`, its time
and annotator; a redo is the same row once more, with the id of the undo in `redoes`. What was done with one press
shares its `batch`.
"""

settings = sa.Table(
    "label_settings",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("time", sa.Text, nullable=False),
    sa.Column("annotator", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("value", sa.Text, nullable=False),
    sqlite_autoincrement=True,
)
"""What all annotators share (guidelines, overlap), a log as well: the latest row of a name counts."""

claims = sa.Table(
    "label_claims",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("time", sa.Text, nullable=False),
    sa.Column("request_id", sa.Text, nullable=False),
    sa.Column("annotator", sa.Text, nullable=False),
    sa.UniqueConstraint("request_id", "annotator", name="label_claims_key"),
)
"""Who has a request in the queue, so that others leave it alone once it has enough annotators."""

_undone = actions.alias("undone")
STANDS = sa.and_(actions.c.undoes.is_(None), ~sa.exists().where(_undone.c.undoes == actions.c.id))
"""Of the rows of the log: what was said and not taken back."""
