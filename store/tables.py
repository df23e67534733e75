"""The tables of the state database.

A missing text is `''`, never NULL, so that unique keys hold. A missing number is NULL.
"""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa

from store.column_types import Finite, Key, Utc, Whole, Words

HEAD = "0007"
"""The newest migration. Compared on every opening, so that Alembic is only loaded when there is work."""

metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.Integer, primary_key=True)


def _of(table: str, name: str) -> sa.Column[int]:
    return sa.Column(name, sa.ForeignKey(f"{table}.id"), primary_key=True)


def _key(name: str, *, primary: bool = False) -> sa.Column[str]:
    return sa.Column(name, Key, primary_key=primary, nullable=False)


def _words(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, Words, nullable=False) for name in names]


def _whole(*names: str, nullable: bool = False) -> list[sa.Column[int]]:
    return [sa.Column(name, Whole, nullable=nullable) for name in names]


def _times(*names: str) -> list[sa.Column[datetime]]:
    return [sa.Column(name, Utc, nullable=False) for name in names]


def _floats(*names: str, nullable: bool = True) -> list[sa.Column[float]]:
    return [sa.Column(name, Finite, nullable=nullable) for name in names]


def _dates(*names: str, nullable: bool = False) -> list[sa.Column[date]]:
    return [sa.Column(name, sa.Date, nullable=nullable) for name in names]


def _counts(table: str, owner: str, owner_id: str) -> sa.Table:
    return sa.Table(table, metadata, _of(owner, owner_id), _key("reason", primary=True), *_whole("rows"))


reference_profiles = sa.Table(  # `references` alone is a reserved word
    "reference_profiles",
    metadata,
    _id(),
    *(_key(name) for name in ("service", "model_version")),
    sa.Column("revision", sa.Integer, nullable=False),
    *_words("content_sha", "kind"),
    *_times("window_start", "window_end"),
    *_whole("rows_read", "rows_kept"),
    *_words("path", "chosen", "reason"),
    *_times("recorded_at"),
    sa.UniqueConstraint("service", "model_version", "revision"),
    sa.CheckConstraint("kind IN ('training', 'own_traffic')", name="kind"),
)

DEPLOYMENT_KEY = ("service", "model_version", "prompt_version", "adapter", "variant", "commit_sha")
deployments = sa.Table(
    "deployments",
    metadata,
    _id(),
    *(_key(name) for name in DEPLOYMENT_KEY),
    *_words("author", "approved_by"),
    *_floats("share"),
    *_times("started_at"),
    *_words("source"),
    sa.CheckConstraint("source IN ('log', 'deploy')", name="source"),
)
LOGGED = sa.text("source = 'log'")
DEPLOYED = sa.text("source = 'deploy'")
# What the log shows is one row, whose start may move back; a recorded deploy may happen again (a rollback).
for _name, _columns, _where in (
    ("uq_deployments_log", DEPLOYMENT_KEY, LOGGED),
    ("uq_deployments_deploy", (*DEPLOYMENT_KEY, "started_at"), DEPLOYED),
):
    sa.Index(
        _name,
        *(deployments.c[column] for column in _columns),
        unique=True,
        sqlite_where=_where,
        postgresql_where=_where,
    )

nights = sa.Table(
    "nights",
    metadata,
    _id(),
    _key("service"),
    sa.Column("night", sa.Date, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    *_words("content_sha"),
    *_times("window_start", "window_end"),
    sa.Column("reference_id", sa.ForeignKey("reference_profiles.id"), nullable=False),
    *_whole("rows_read", "rows_kept", "moved"),
    *_words("profile_path", "page_path", "snapshot_path", "changed", "standing", "headline", "page_sha"),
    *_times("recorded_at"),
    sa.UniqueConstraint("service", "night", "revision"),
)
night_counts = _counts("night_counts", "nights", "night_id")
quarantine = sa.Table(  # ids and reasons only: values may be personal
    "quarantine",
    metadata,
    _of("nights", "night_id"),
    _key("request_id", primary=True),
    _key("reason", primary=True),
)
numbers = sa.Table(
    "numbers",
    metadata,
    _of("nights", "night_id"),
    _key("name", primary=True),
    _key("subject", primary=True),
    *_floats("value", "numerator", "denominator"),
)
findings = sa.Table(
    "findings",
    metadata,
    _of("nights", "night_id"),
    *(_key(name, primary=True) for name in ("measure", "feature", "slice", "slice_value", "comparison")),
    *_words("outcome"),
    *_floats("effect", "floor"),
    *_whole("rows_reference", "rows_current", nullable=True),
    *_words("unit", "direction", "reason"),
    *_floats("reference_value", "current_value", "low", "high", "effective_rows", "p_value", "q_value"),
    *_words("detail"),
    sa.CheckConstraint("outcome IN ('stable', 'drifted', 'inconclusive', 'not_computed')", name="outcome"),
)
moves = sa.Table(  # the findings that incidents are made of; a slice is "dimension\x1fvalue"
    "moves",
    metadata,
    _of("nights", "night_id"),
    *(_key(name, primary=True) for name in ("measure", "feature", "slice")),
    *_words("comparison"),
    *_floats("floors", "chance", "whole", "share", "alone", nullable=False),
    sa.Column("up", sa.Boolean, nullable=False),
    sa.Column("beside", sa.Text, nullable=False, server_default=""),
)

served = sa.Table(  # what served a night, and how many of its requests
    "served",
    metadata,
    _of("nights", "night_id"),
    *(_key(name, primary=True) for name in DEPLOYMENT_KEY[1:]),
    *_whole("requests"),
)
incidents = sa.Table(
    "incidents",
    metadata,
    _id(),
    _key("service"),
    *_whole("number"),
    *_dates("first", "opened", "last"),
    *_dates("resolved", nullable=True),
    *_words("state", "severity"),
    *_whole("seen", "reopened"),
    *_words("told", "measure", "feature", "slice", "comparison"),
    *_floats("floors", nullable=False),
    sa.Column("up", sa.Boolean, nullable=False),
    *_words("keys", "detail"),
    *_times("recorded_at"),
    sa.UniqueConstraint("service", "number"),
    sa.CheckConstraint("state IN ('open', 'acknowledged', 'resolved', 'muted', 'withdrawn')", name="state"),
    sa.CheckConstraint("severity IN ('critical', 'major', 'minor')", name="severity"),
)
incident_answers = sa.Table(  # what people said of incidents
    "incident_answers",
    metadata,
    _id(),
    _key("service"),
    *_whole("number"),
    *_words("what", "by", "reason", "source"),
    _key("key"),
    *_dates("until", nullable=True),
    *_times("at"),
    sa.UniqueConstraint("service", "number", "key"),
    sa.CheckConstraint("what IN ('taken', 'real', 'expected', 'noise', 'resolved', 'muted')", name="what"),
    sa.CheckConstraint("source IN ('slack', 'command')", name="source"),
)
answers_taken_back = (
    sa.Table(  # they count no more; the same may have been said again since, and taken back again
        "answers_taken_back",
        metadata,
        _id(),
        _key("service"),
        *_whole("number"),
        *_words("what", "by", "reason", "source"),
        _key("key"),
        *_dates("until", nullable=True),
        *_words("back_by"),
        *_times("at", "back_at"),
    )
)
backtests = sa.Table(
    "backtests",
    metadata,
    _id(),
    _key("service"),
    *_words("reference_sha"),
    *_whole("nights"),
    *_words("result"),
    *_times("recorded_at"),
    sa.UniqueConstraint("service"),
)

outcomes = sa.Table(
    "outcomes",
    metadata,
    _id(),
    _key("service"),
    sa.Column("night", sa.Date, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    *_words("content_sha"),
    *_whole("window_seconds", "requests", "mature", "positive"),
    *_words("path"),
    *_times("recorded_at"),
    sa.UniqueConstraint("service", "night", "revision"),
)
outcome_counts = _counts("outcome_counts", "outcomes", "outcome_id")

releases = sa.Table(
    "releases",
    metadata,
    _id(),
    *(_key(name) for name in ("service", "version")),
    *_times("window_start", "window_end"),
    *_whole("rows_read", "rows_kept"),
    *_words("path", "manifest_sha"),
    *_times("recorded_at"),
    sa.UniqueConstraint("service", "version"),
)
release_counts = _counts("release_counts", "releases", "release_id")

models = sa.Table(
    "models",
    metadata,
    _id(),
    *(_key(name) for name in ("service", "model_version")),
    *_words("release_version", "trainer", "path", "content_sha", "scores", "reason"),
    sa.Column("promoted", sa.Boolean, nullable=False),
    *_times("recorded_at"),
    sa.UniqueConstraint("service", "model_version"),
)

messages = sa.Table(
    "messages",
    metadata,
    _id(),
    _key("key"),
    *_words("kind", "action", "about", "service"),
    sa.Column("night", sa.Date, nullable=True),
    *_words("channel", "payload", "state", "unknown", "error", "channel_id", "ts"),
    *_whole("attempts"),
    *_times("due_at", "recorded_at"),
    sa.Column("claimed_at", Utc, nullable=True),
    sa.Column("answered_at", Utc, nullable=True),
    sa.UniqueConstraint("key"),
    sa.CheckConstraint("action IN ('post', 'reply', 'update', 'file', 'page')", name="action"),
    sa.CheckConstraint(
        "state IN ('waiting', 'sending', 'unknown', 'held', 'refused', 'sent', 'written')", name="state"
    ),
)
sa.Index("ix_messages_about", messages.c.about)
digest_lines = sa.Table(  # what waits for the morning, one line per service and night
    "digest_lines",
    metadata,
    _key("service", primary=True),
    sa.Column("night", sa.Date, primary_key=True),
    *(_key(name) for name in ("channel", "owner")),
    *_words("line", "message_key"),
    *_times("due_at", "recorded_at"),
)
night_troubles = sa.Table(  # why a night has no verdict yet: the last attempt's error
    "night_troubles",
    metadata,
    _key("service", primary=True),
    sa.Column("night", sa.Date, primary_key=True),
    *_words("kind", "message"),
    *_times("recorded_at"),
)
