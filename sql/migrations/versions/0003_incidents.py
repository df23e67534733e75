"""What moved on a night, incidents with their answers, backtests, and messages that wake people.

Written out, not drawn from `store/tables.py`: what this made must not change when that does.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_ACTION = "ck_messages_action"


def upgrade() -> None:
    """Add four tables, and to the actions of a message `page`."""
    _moves()
    _incidents()
    _answers()
    _backtests()
    _pages()


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _whole(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger(), nullable=False) for name in names]


def _moves() -> None:
    key = ["measure", "feature", "slice"]
    floats = ["floors", "chance", "whole", "share", "alone"]
    op.create_table(
        "moves",
        sa.Column("night_id", sa.Integer(), nullable=False),
        *_texts(*key, "comparison"),
        *(sa.Column(name, sa.Double(), nullable=False) for name in floats),
        sa.Column("up", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("night_id", *key, name="pk_moves"),
        sa.ForeignKeyConstraint(["night_id"], ["nights.id"], name="fk_moves_night_id"),
    )


def _incidents() -> None:
    op.create_table(
        "incidents",
        sa.Column("id", sa.Integer(), nullable=False),
        *_texts("service"),
        *_whole("number"),
        *(sa.Column(name, sa.Date(), nullable=False) for name in ("first", "opened", "last")),
        sa.Column("resolved", sa.Date(), nullable=True),
        *_texts("state", "severity"),
        *_whole("seen", "reopened"),
        *_texts("told", "measure", "feature", "slice", "comparison"),
        sa.Column("floors", sa.Double(), nullable=False),
        sa.Column("up", sa.Boolean(), nullable=False),
        *_texts("keys", "detail"),
        sa.Column("recorded_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_incidents"),
        sa.UniqueConstraint("service", "number", name="uq_incidents"),
        sa.CheckConstraint(
            "state IN ('open', 'acknowledged', 'resolved', 'muted', 'withdrawn')",
            name=op.f("ck_incidents_state"),
        ),
        sa.CheckConstraint("severity IN ('critical', 'major', 'minor')", name=op.f("ck_incidents_severity")),
    )


def _answers() -> None:
    op.create_table(
        "incident_answers",
        sa.Column("id", sa.Integer(), nullable=False),
        *_texts("service"),
        *_whole("number"),
        *_texts("what", "by", "reason", "source", "key"),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_incident_answers"),
        sa.UniqueConstraint("service", "number", "key", name="uq_incident_answers"),
        sa.CheckConstraint(
            "what IN ('taken', 'real', 'expected', 'noise', 'resolved', 'muted')",
            name=op.f("ck_incident_answers_what"),
        ),
        sa.CheckConstraint("source IN ('slack', 'command')", name=op.f("ck_incident_answers_source")),
    )


def _backtests() -> None:
    op.create_table(
        "backtests",
        sa.Column("id", sa.Integer(), nullable=False),
        *_texts("service", "reference_sha"),
        *_whole("nights"),
        *_texts("result"),
        sa.Column("recorded_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_backtests"),
        sa.UniqueConstraint("service", name="uq_backtests"),
    )


def _pages() -> None:
    # SQLite changes no constraint: the table is copied, as it is written here, since not all of it can be reflected.
    with op.batch_alter_table("messages", copy_from=_messages()) as batch:
        batch.drop_constraint(op.f(_ACTION), type_="check")
        batch.create_check_constraint(op.f(_ACTION), "action IN ('post', 'reply', 'update', 'file', 'page')")


def _messages() -> sa.Table:
    """The table as 0002 made it."""
    return sa.Table(
        "messages",
        sa.MetaData(),
        sa.Column("id", sa.Integer(), nullable=False),
        *_texts("key", "kind", "action", "about", "service"),
        sa.Column("night", sa.Date(), nullable=True),
        *_texts("channel", "payload", "state", "unknown", "error", "channel_id", "ts"),
        *_whole("attempts"),
        sa.Column("due_at", _TIME, nullable=False),
        sa.Column("recorded_at", _TIME, nullable=False),
        sa.Column("claimed_at", _TIME, nullable=True),
        sa.Column("answered_at", _TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_messages"),
        sa.UniqueConstraint("key", name="uq_messages"),
        sa.CheckConstraint("action IN ('post', 'reply', 'update', 'file')", name=op.f(_ACTION)),
        sa.CheckConstraint(
            "state IN ('waiting', 'sending', 'unknown', 'held', 'refused', 'sent', 'written')",
            name=op.f("ck_messages_state"),
        ),
    )
