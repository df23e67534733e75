"""The first tables: references, deployments, nights, outcomes and releases.

Written out, not drawn from `store/tables.py`: what this made must not change when that does.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_DEPLOYMENT = ["service", "model_version", "prompt_version", "adapter", "variant", "commit_sha"]


def upgrade() -> None:
    """Create every table in an empty database."""
    _references()
    _deployments()
    _nights()
    _parts_of_a_night()
    _outcomes()
    _releases()


def _references() -> None:
    op.create_table(
        "reference_profiles",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("model_version", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("content_sha", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("window_start", _TIME, nullable=False),
        sa.Column("window_end", _TIME, nullable=False),
        sa.Column("rows_read", sa.BigInteger(), nullable=False),
        sa.Column("rows_kept", sa.BigInteger(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("chosen", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("recorded_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_reference_profiles"),
        sa.UniqueConstraint("service", "model_version", "revision", name="uq_reference_profiles"),
        sa.CheckConstraint("kind IN ('training', 'own_traffic')", name=op.f("ck_reference_profiles_kind")),
    )


def _deployments() -> None:
    op.create_table(
        "deployments",
        sa.Column("id", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in _DEPLOYMENT),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("approved_by", sa.Text(), nullable=False),
        sa.Column("share", sa.Double(), nullable=True),
        sa.Column("started_at", _TIME, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_deployments"),
        sa.CheckConstraint("source IN ('log', 'deploy')", name=op.f("ck_deployments_source")),
    )
    for source, columns in (("log", _DEPLOYMENT), ("deploy", [*_DEPLOYMENT, "started_at"])):
        where = sa.text(f"source = '{source}'")
        op.create_index(
            f"uq_deployments_{source}",
            "deployments",
            columns,
            unique=True,
            sqlite_where=where,
            postgresql_where=where,
        )


def _nights() -> None:
    op.create_table(
        "nights",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("night", sa.Date(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("content_sha", sa.Text(), nullable=False),
        sa.Column("window_start", _TIME, nullable=False),
        sa.Column("window_end", _TIME, nullable=False),
        sa.Column("reference_id", sa.Integer(), nullable=False),
        sa.Column("rows_read", sa.BigInteger(), nullable=False),
        sa.Column("rows_kept", sa.BigInteger(), nullable=False),
        sa.Column("moved", sa.BigInteger(), nullable=False),
        sa.Column("profile_path", sa.Text(), nullable=False),
        sa.Column("page_path", sa.Text(), nullable=False),
        sa.Column("snapshot_path", sa.Text(), nullable=False),
        sa.Column("changed", sa.Text(), nullable=False),
        sa.Column("standing", sa.Text(), nullable=False),
        sa.Column("page_sha", sa.Text(), nullable=False),
        sa.Column("recorded_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_nights"),
        sa.ForeignKeyConstraint(["reference_id"], ["reference_profiles.id"], name="fk_nights_reference_id"),
        sa.UniqueConstraint("service", "night", "revision", name="uq_nights"),
    )
    _counts("night_counts", "nights", "night_id")


def _parts_of_a_night() -> None:
    op.create_table(
        "quarantine",
        sa.Column("night_id", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("night_id", "request_id", "reason", name="pk_quarantine"),
        sa.ForeignKeyConstraint(["night_id"], ["nights.id"], name="fk_quarantine_night_id"),
    )
    op.create_table(
        "numbers",
        sa.Column("night_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Double(), nullable=True) for name in ("value", "numerator", "denominator")),
        sa.PrimaryKeyConstraint("night_id", "name", "subject", name="pk_numbers"),
        sa.ForeignKeyConstraint(["night_id"], ["nights.id"], name="fk_numbers_night_id"),
    )
    _findings()


def _findings() -> None:
    key = ["measure", "feature", "slice", "slice_value", "comparison"]
    late = ["reference_value", "current_value", "low", "high", "effective_rows", "p_value", "q_value"]
    op.create_table(
        "findings",
        sa.Column("night_id", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in key),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("effect", sa.Double(), nullable=True),
        sa.Column("floor", sa.Double(), nullable=True),
        sa.Column("rows_reference", sa.BigInteger(), nullable=True),
        sa.Column("rows_current", sa.BigInteger(), nullable=True),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("unit", "direction", "reason")),
        *(sa.Column(name, sa.Double(), nullable=True) for name in late),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("night_id", *key, name="pk_findings"),
        sa.ForeignKeyConstraint(["night_id"], ["nights.id"], name="fk_findings_night_id"),
        sa.CheckConstraint(
            "outcome IN ('stable', 'drifted', 'inconclusive', 'not_computed')",
            name=op.f("ck_findings_outcome"),
        ),
    )


def _outcomes() -> None:
    op.create_table(
        "outcomes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("night", sa.Date(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("content_sha", sa.Text(), nullable=False),
        sa.Column("window_seconds", sa.BigInteger(), nullable=False),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.Column("mature", sa.BigInteger(), nullable=False),
        sa.Column("positive", sa.BigInteger(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("recorded_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_outcomes"),
        sa.UniqueConstraint("service", "night", "revision", name="uq_outcomes"),
    )
    _counts("outcome_counts", "outcomes", "outcome_id")


def _releases() -> None:
    op.create_table(
        "releases",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("window_start", _TIME, nullable=False),
        sa.Column("window_end", _TIME, nullable=False),
        sa.Column("rows_read", sa.BigInteger(), nullable=False),
        sa.Column("rows_kept", sa.BigInteger(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("manifest_sha", sa.Text(), nullable=False),
        sa.Column("recorded_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_releases"),
        sa.UniqueConstraint("service", "version", name="uq_releases"),
    )
    _counts("release_counts", "releases", "release_id")


def _counts(table: str, owner: str, owner_id: str) -> None:
    op.create_table(
        table,
        sa.Column(owner_id, sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(owner_id, "reason", name=f"pk_{table}"),
        sa.ForeignKeyConstraint([owner_id], [f"{owner}.id"], name=f"fk_{table}_{owner_id}"),
    )
