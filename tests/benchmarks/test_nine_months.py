"""The table of nine months: what had a message of its own, and nothing else."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

from benchmarks.nine_months import table
from store.incidents import IncidentRow


def row(number: int, **given: Any) -> IncidentRow:
    """An incident of one stormy night."""
    night = date(2013, 7, 2)
    known = {"headline": "flights are late", "nights": {"2013-07-02": {"change": "31 % → 66 %"}}}
    plain: dict[str, Any] = {
        "service": "flight_delay", "first": night, "opened": night, "last": night, "resolved": None, "state": "open",
        "severity": "major", "seen": 1, "reopened": 0, "told": "post", "measure": "outcome", "feature": "", "slice": "",
        "comparison": "tonight", "floors": 9.0, "up": True, "keys": "[]", "detail": json.dumps(known),
        "recorded_at": datetime(2013, 7, 3, tzinfo=UTC),
    }  # fmt: skip
    return IncidentRow(number=number, **(plain | given))


def test_only_what_had_a_message_is_listed() -> None:
    """Inputs alone are counted, what waited for the morning is neither."""
    rows = [row(1), row(2, severity="minor", told=""), row(3, told="digest")]
    said = table(rows).splitlines()
    assert said[2:] == [
        "| 1 | 2013-07-02 | 1 | major | flights are late | 31 % → 66 % |",
        "",
        "1 messages; 1 incidents of inputs alone, for the morning.",
    ]
