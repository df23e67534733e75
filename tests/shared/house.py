"""The rules of the house that tests hold imports to: what may import what."""

from __future__ import annotations

import re

# Imports point from right to left; the two last stand outside and may import anything.
HOUSE = ("services", "store", "monitoring", "feedback", "rollout", "ronda")
OUTSIDE = ("demo", "benchmarks")
FEEDBACK_MAY_USE = {"records", "distances", "alert"}
STEP_PACKAGES = ("monitoring", "feedback", "rollout")
SHARED_BY_STEPS = {"records", "incident", "story", "distances", "moments", "errors", "verdicts", "bands"}
# What reads, calls steps and writes: a night (what it holds in its hands, what it gathers for the page, its writing
# half, what it says), the index, the making of a reference, of a release, and of a model, the sending, and
# the replay of stored nights.
SHELLS = (
    *("night", "judged", "page", "record", "enqueue", "overview", "freeze", "release", "retrain", "bank"),
    *("alert", "sending", "copies", "stands", "threads", "thread_rows", "waking", "answers", "files", "week"),
    *("backtesting", "backtest", "delays", "quieter", "replayed", "shifted"),
)
# A step too long for one file is several (or a folder), which may know each other: part -> the step it belongs to.
REPORT = (
    *(
        "plots",
        "chart",
        "axis",
        "text",
        "index",
        "cards",
        "standing",
        "speaking",
        "deployment_words",
        "where",
        "mix",
        "explain",
        "pattern",
        "telling",
        "morning",
    ),
    *(
        "message",
        "thread_words",
        "amounts",
        "revised",
        "places",
        "week_words",
        "incident_cards",
        "incident_proof",
    ),
)
PART_OF = {
    **dict.fromkeys(REPORT, "report"),
    **dict.fromkeys(("comparable", "compact"), "snapshot"),
    **dict.fromkeys(("blocks", "compared", "series"), "verdict"),
    **dict.fromkeys(("known", "vanished", "incident_state"), "incidents"),
    "grids": "survey",
    "profile": "frozen",
    **dict.fromkeys(("slack_words", "slack_body", "slack_reading", "webhook"), "slack"),
}
SERVICE_WORDS = re.compile(r"flight|carrier|nycflights|tailnum", re.IGNORECASE)

# Vendor -> the paths (a file, or a folder with all below it) that may import it.
DOORS = {
    "evidently": ("monitoring/snapshot.py", "benchmarks"),
    "slack_sdk": ("monitoring/slack.py",),
    "duckdb": ("store", "demo", "benchmarks"),
    # Core expressions may be built where their meaning is known; engines are opened in store/ alone
    "sqlalchemy": (
        "store",
        "feedback/extract.py",
        "feedback/outcome.py",
        "demo",
        "benchmarks",
        "sql/migrations",
    ),
    "alembic": ("store", "sql/migrations"),
    "adbc_driver_manager": ("store", "demo", "benchmarks"),
    "adbc_driver_postgresql": ("store", "demo", "benchmarks"),
    "airflow": ("dags", "ronda/airflow_page.py"),
    "matplotlib": ("monitoring/chart.py",),
}
