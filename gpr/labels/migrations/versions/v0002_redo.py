"""Redo, several labels with one press, preferences and rulings; what annotators share; who has which request."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0002", "0001"


def upgrade() -> None:
    """Adds columns and tables; what was labelled before stays as it is."""
    for name, kind in (("redoes", sa.Integer), ("batch", sa.Text), ("kind", sa.Text), ("against", sa.Text)):
        op.add_column("label_actions", sa.Column(name, kind))
    op.create_index("label_actions_redoes", "label_actions", ["redoes"], unique=True)
    op.execute("UPDATE label_actions SET kind = 'label' WHERE undoes IS NULL")
    op.create_table(
        "label_settings",
        sa.Column("id", sa.Integer, primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("time", "annotator", "name", "value")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "label_claims",
        sa.Column("id", sa.Integer, primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("time", "request_id", "annotator")),
        sa.UniqueConstraint("request_id", "annotator", name="label_claims_key"),
    )
