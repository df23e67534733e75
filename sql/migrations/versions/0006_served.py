"""What served each night, and how many of its requests.

Written out, not drawn from `store/tables.py`: what this made must not change when that does.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a table; of nights that were judged before nothing is known."""
    key = ["model_version", "prompt_version", "adapter", "variant", "commit_sha"]
    op.create_table(
        "served",
        sa.Column("night_id", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in key),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("night_id", *key, name="pk_served"),
        sa.ForeignKeyConstraint(["night_id"], ["nights.id"], name="fk_served_night_id"),
    )
