"""An index by which every night finds the threads it may end.

Written out, not drawn from `store/tables.py`: what this made must not change when that does.
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index; where a 0003 of a few days made it, it is there."""
    op.create_index("ix_messages_about", "messages", ["about"], if_not_exists=True)
