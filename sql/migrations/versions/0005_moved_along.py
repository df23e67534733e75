"""What else moved on a night that always moves along with a finding.

Written out, not drawn from `store/tables.py`: what this made must not change when that does.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a column to what moved; of nights that were judged before nothing is known."""
    op.add_column("moves", sa.Column("beside", sa.Text(), nullable=False, server_default=""))
