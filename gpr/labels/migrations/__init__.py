"""How the database of an earlier GPR becomes that of this one, step by step. For Alembic."""
