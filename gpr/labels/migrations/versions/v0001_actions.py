"""The first schema: the log of labels and undos. Databases from before migrations have it already."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0001", None

TEXTS = ("dataset", "request_id", "query", "history", "item_id", "title", "run")


def upgrade() -> None:
    """Creates what is not there yet."""
    if sa.inspect(op.get_bind()).has_table("label_actions"):
        return
    op.create_table(
        "label_actions",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("undoes", sa.Integer, unique=True, nullable=True),
        sa.Column("time", sa.Text, nullable=False),
        sa.Column("annotator", sa.Text, nullable=False),
        *(sa.Column(name, sa.Text) for name in TEXTS),
        sa.Column("probability", sa.Double),
        sa.Column("log_prob", sa.Double),
        sa.Column("rank", sa.Integer),
        *(sa.Column(name, sa.Text) for name in ("scores", "verdict", "reason", "note")),
        sqlite_autoincrement=True,
    )
    op.create_index("label_actions_key", "label_actions", ["request_id", "item_id", "annotator"])
    op.create_index("label_actions_annotator", "label_actions", ["annotator"])
