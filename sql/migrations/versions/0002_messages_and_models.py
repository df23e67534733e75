"""Messages that are sent once, what waits for the morning, nights that could not be judged, and models.

Written out, not drawn from `store/tables.py`: what this made must not change when that does.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add four tables, and to a night the headline it was told with."""
    op.add_column("nights", sa.Column("headline", sa.Text(), nullable=False, server_default=""))
    _models()
    _messages()
    _lines()
    _troubles()


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _models() -> None:
    op.create_table(
        "models",
        sa.Column("id", sa.Integer(), nullable=False),
        *_texts(
            "service",
            "model_version",
            "release_version",
            "trainer",
            "path",
            "content_sha",
            "scores",
            "reason",
        ),
        sa.Column("promoted", sa.Boolean(), nullable=False),
        sa.Column("recorded_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_models"),
        sa.UniqueConstraint("service", "model_version", name="uq_models"),
    )


def _messages() -> None:
    op.create_table(
        "messages",
        sa.Column("id", sa.Integer(), nullable=False),
        *_texts("key", "kind", "action", "about", "service"),
        sa.Column("night", sa.Date(), nullable=True),
        *_texts("channel", "payload", "state", "unknown", "error", "channel_id", "ts"),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("due_at", _TIME, nullable=False),
        sa.Column("recorded_at", _TIME, nullable=False),
        sa.Column("claimed_at", _TIME, nullable=True),
        sa.Column("answered_at", _TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_messages"),
        sa.UniqueConstraint("key", name="uq_messages"),
        sa.CheckConstraint("action IN ('post', 'reply', 'update', 'file')", name=op.f("ck_messages_action")),
        sa.CheckConstraint(
            "state IN ('waiting', 'sending', 'unknown', 'held', 'refused', 'sent', 'written')",
            name=op.f("ck_messages_state"),
        ),
    )


def _lines() -> None:
    op.create_table(
        "digest_lines",
        *_texts("service"),
        sa.Column("night", sa.Date(), nullable=False),
        *_texts("channel", "owner", "line", "message_key"),
        sa.Column("due_at", _TIME, nullable=False),
        sa.Column("recorded_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("service", "night", name="pk_digest_lines"),
    )


def _troubles() -> None:
    op.create_table(
        "night_troubles",
        *_texts("service"),
        sa.Column("night", sa.Date(), nullable=False),
        *_texts("kind", "message"),
        sa.Column("recorded_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("service", "night", name="pk_night_troubles"),
    )
