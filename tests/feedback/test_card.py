"""The data card: what a reader sees, and what a hostile log cannot make of it."""

from __future__ import annotations

from typing import Any

from feedback.card import escaped, render

FACTS: dict[str, Any] = {
    "name": "shop-outcome", "service": "shop", "owner": "@<b>ana</b>", "code_commit": "",
    "outcome": {"name": "outcome", "event": "rated", "positive": "stars > 3", "window_seconds": 129_600},
    "window": {"first": "2026-05-10", "last": "2026-05-12", "start": "", "end": "", "time_zone": "UTC"},
    "not_mature": ["2026-05-12"], "schema": [{"name": "a|b", "type": "double", "role": "feature"}],
    "rows_read": 12_040, "rows_kept": 12_000, "labels": {"0": 11_991, "1": 9}, "requests_gone": 3,
    "counts": {"kept": 12_000, "no_feedback": 36, "quarantined_size_above_max": 4},
    "model_versions": {"m1": 11_997, "</script>|`x`\n# [click](http://x)": 3}, "nights": [{}, {}],
}  # fmt: skip


def test_what_it_says() -> None:
    """Rows, nights, rule, reasons in words, and the nights that are not in it."""
    text = render(FACTS, "0123456789abcdef")

    for expected in (
        "# shop\\-outcome, version 0123456789abcdef",
        "12,000 rows of 2 nights.",
        "not known yet: 2026-05-12.",
        "within 36 hours of the request says stars &gt; 3, and 0",
        "| no feedback was seen | 36 |",
        "| set aside: size above max | &lt;10 |",
        "| 0 | 11,991 |",
        "License: set by the owner",
    ):
        assert expected in text


def test_small_counts_are_not_shown() -> None:
    """A handful of people could be found again: no count from 1 to 9 stands in the card."""
    text = render(FACTS, "v")
    cells = {cell.strip() for line in text.splitlines() if line.startswith("|") for cell in line.split("|")}

    assert not cells & {"3", "4", "9"}
    assert "&lt;10 requests had an outcome" in text


def test_users_text_is_text() -> None:
    """Markup and links of a log stay letters, and a table keeps its columns."""
    text = render(FACTS, "v")

    assert "<script" not in text
    assert "<b>" not in text
    assert "](" not in text
    (line,) = [line for line in text.splitlines() if "script" in line]
    assert line.replace("\\|", "").count("|") == 3
    assert "a\\|b" in text


def test_long_names_are_cut() -> None:
    """One value cannot fill the page."""
    assert escaped("x" * 500) == "x" * 79 + "…"
