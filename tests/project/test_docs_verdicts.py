"""What the description of the verdicts says in numbers is held to the code."""

from __future__ import annotations

import ast
import math
import re
from datetime import date, timedelta
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from monitoring.compared import used
from monitoring.verdicts.kinds import kinds
from monitoring.verdicts.lay import Bank
from monitoring.verdicts.shares import of_counts, roots
from monitoring.verdicts.variation import fitted

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "verdicts.md").read_text(encoding="utf-8")


def section(heading: str) -> str:
    """The text under one heading of the description."""
    return TEXT.split(f"\n## {heading}\n")[1].split("\n## ")[0]


CONSTANTS = re.findall(r"^\| `([\w.]+)` \| (.+?) \| .+ \|$", section("Constants"), flags=re.MULTILINE)
KNOWN = re.findall(r"^\| (\d+) \| (\d+) \| (\d+) \| ([\d.]+) \| ([\d.]+) \|$", TEXT, flags=re.MULTILINE)


def test_the_tables_are_read() -> None:
    """Every line of both tables is understood: none escapes the tests below."""
    assert len(CONSTANTS) == section("Constants").count("\n| `")
    assert len(CONSTANTS) > 30
    assert [int(line[0]) for line in KNOWN] == [7, 14, 21, 28, 56]


@pytest.mark.parametrize(("name", "written"), CONSTANTS, ids=[name for name, _ in CONSTANTS])
def test_constants_are_those_of_the_code(name: str, written: str) -> None:
    """A constant in the table has the value that the code has."""
    module, _, constant = name.rpartition(".")
    assert getattr(import_module(module), constant) == ast.literal_eval(written)


@pytest.mark.parametrize("line", KNOWN, ids=[line[0] for line in KNOWN])
def test_what_so_many_nights_give(line: tuple[str, ...]) -> None:
    """The bank, the nights of tonight's kind and what the scale rests on are what the code makes of so many nights."""
    known, used_nights, alike, factor, rests = (float(each) for each in line)
    days = [date(2026, 1, 5) + timedelta(days=n) for n in range(int(known) + 1)]
    mine = used(np.ones(len(days), dtype=bool))
    counts = np.random.default_rng(5).multinomial(900, (0.5, 0.3, 0.2), (1, len(days), 2))
    reference = counts.sum(axis=1)
    bank = Bank(kinds(days, ()), mine[np.newaxis])
    rows = of_counts(roots(reference[:, 0]), counts, reference, 4, bank, np.array([0.1]))
    variation = fitted(rows.past, rows.unit, rows.dof)

    assert (mine.sum(), rows.tonight.nights[0, 0]) == (used_nights, alike)
    assert factor == pytest.approx(1 + 1 / alike, abs=0.0051)
    assert rests == pytest.approx(variation.nights[0, 0], abs=0.051)


def test_the_arithmetic_of_nights() -> None:
    """How much a share of 10 % differs from night to night is computed as the text says, for the design effects it names."""
    points = [100 * math.sqrt((effect - 1) / 4999 * 0.1 * 0.9) for effect in (2, 5, 15, 50)]
    written = "{:.2f}, {:.2f}, {:.1f} and {:.1f} points at D = 2, 5, 15 and 50".format(*points)
    assert written in " ".join(section("What no method can promise").split())


def test_every_source_is_cited() -> None:
    """Each work in the list is named in the text with its year, and each one named there is in the list."""
    text, listed = TEXT.split("\n## Sources\n")
    flat = " ".join(listed.split()).removeprefix("- ").split(" - ")
    sources = {(each.split()[0].rstrip(","), each.rpartition("(")[2].rstrip(").")) for each in flat}
    cited = re.findall(
        r"\b([A-Z]\w+)(?: et al\.|,? (?:[A-Z]\w+,? )*and [A-Z]\w+)? (1[89]\d\d|20\d\d)\b",
        " ".join(text.split()),
    )
    assert len(sources) == 15
    assert sources == set(cited)
