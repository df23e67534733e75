"""What people said of incidents and took back, with who did and when.

Written out, not drawn from `store/tables.py`: what this made must not change when that does.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add a table."""
    texts = ("what", "by", "reason", "source", "key", "back_by")
    op.create_table(
        "answers_taken_back",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in texts),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("back_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_answers_taken_back"),
    )
