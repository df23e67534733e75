"""What a finding moved against names what happened; the documentation says the same words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from monitoring.pattern import pattern
from monitoring.records import ALL_ROWS, Against, Finding
from monitoring.text import say

MOVED = Finding(
    "distribution", "x", ALL_ROWS, "nights", "drifted", effect=0.3, floor=0.1, unit="js", visible=0.2
)
STILL = replace(MOVED, verdict="stable")
DOCS = Path(__file__).parents[2] / "docs" / "verdicts.md"


@pytest.mark.parametrize(
    ("against", "wanted"),
    [
        (("usual",), "break"),
        (("usual", "night"), "jump"),
        (("week", "usual", "reference"), "break"),
        (("usual", "deployment", "eve", "night"), "release"),
        (("usual", "deployment", "night"), "jump"),
        (("deployment", "eve"), "release"),
        (("deployment",), "before"),
        (("reference", "deployment"), "before"),
        (("reference", "week"), "week"),
        (("reference", "night"), "ageing"),
    ],
)
@pytest.mark.parametrize("visible", [0.2, None])
def test_what_moved_has_a_pattern(against: tuple[Against, ...], wanted: str, visible: float | None) -> None:
    """From the most telling to the least, also where no effect is said to be visible."""
    assert pattern(replace(MOVED, against=against, visible=visible)) == wanted


def test_what_did_not_move_is_a_season_at_most() -> None:
    """A night far from the reference that is as ever; nothing is said of one that is near, unclear, or known too little."""
    assert pattern(STILL) == "season"
    assert pattern(replace(STILL, against=("night",))) == "weekday"
    for other in ({"effect": 0.05}, {"verdict": "inconclusive"}, {"visible": None}):
        assert pattern(replace(STILL, **other)) == ""  # type: ignore[arg-type]
    assert pattern(replace(MOVED, against=())) == ""  # the distance decided, while few nights are known


def test_the_documentation_says_what_pages_say() -> None:
    """Each row of the table of patterns ends with the words of the page."""
    rows = [
        [cell.strip() for cell in line.split("|")]
        for line in DOCS.read_text().splitlines()
        if line[:1] == "|"
    ]
    told = {row[3]: row[4] for row in rows if len(row) == 6}
    for name in ("release", "before", "jump", "break", "week", "ageing", "season", "weekday"):
        assert told[name] == say("en", f"pattern.{name}")
        assert say("pt", f"pattern.{name}") != told[name]
