"""A night's verdicts: its bands and its numbers against those of the nights before it and of the reference."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from monitoring.blocks import Block, blocks_of
from monitoring.compared import Context, Label, Nights, of_the_season
from monitoring.records import ALL_ROWS, NUMBERS, OF, Against, Finding, Slice, Verdict
from monitoring.verdicts.incidents import Comparison, Moved
from monitoring.verdicts.judge import LEAST_NIGHTS, Verdicts, judge
from monitoring.verdicts.moved import moved_of
from monitoring.verdicts.rows import UNITS, Floats, Rows, joined
from monitoring.verdicts.variation import Variation, fitted
from services.model import Service
from services.slices import parts_of

AGAINST: Mapping[Comparison, Against] = {
    "tonight": "usual", "week": "week", "ageing": "reference", "deployment": "deployment",
}  # fmt: skip
"""What the tests of a night compare with."""
NIGHTS = "nights"
"""The comparison of these findings; `Finding.against` says with which nights."""


@dataclass(frozen=True)
class Judgement:
    """What the nights before say of a night; nothing while they are few.

    Attributes:
        findings: of every key that is watched.
        moved: what incidents are made of; good news is left out.
    """

    findings: tuple[Finding, ...] = ()
    moved: tuple[Moved, ...] = ()


def judged_against(
    service: Service, slices: Sequence[Slice], nights: Nights, holidays: Collection[date] = ()
) -> Judgement:
    """Judge a night; nothing while fewer than `LEAST_NIGHTS` nights are known, or where nothing is watched.

    Without nights of its own the reference ages by the variation of the bank.

    Args:
        slices: what the second axis of the counts is, all rows first.
        holidays: dates that are like Sundays.
    """
    if len(nights.dates) - 1 < LEAST_NIGHTS:
        return Judgement()
    blocks = blocks_of(Context(service, of_the_season(nights), frozenset(holidays)))
    if not blocks:
        return Judgement()
    labels = [label for block in blocks for label in block.labels]
    rows = joined([block.rows for block in blocks])
    values = np.concatenate([_values(block) for block in blocks])
    named = np.array([measure in NUMBERS for measure, _ in labels])
    verdicts = judge(rows, reference_of(blocks), named)
    findings = (
        _finding(labels[row], slices[slot], rows, verdicts, values, (row, slot))
        for row in range(len(labels))
        for slot in range(len(slices))
    )
    names = ["" if each == ALL_ROWS else f"{each.dimension}{OF}{each.value}" for each in slices]
    guards = {name: guard.worse for name, guard in service.guards.items()}
    moved = moved_of(labels, names, rows, verdicts, guards)
    return Judgement(tuple(findings), tuple(without_lost_places(list(moved))))


def without_lost_places(moved: Sequence[Moved]) -> list[Moved]:
    """What moved, without requests that are missing where the column says no more where they are.

    A city that is null on more requests than usual has lost its name on them: they came, and that it is null is told.
    """
    lost = {each.key.feature for each in moved if each.key.measure == "null_share" and not each.key.slice}
    return [
        each
        for each in moved
        if each.key.measure != "volume" or not lost.intersection(parts_of(each.key.slice.partition(OF)[0]))
    ]


def reference_of(blocks: Sequence[Block]) -> Variation:
    """How the reference's own nights differ. Rows without any have those of the bank, apart from the others."""
    own = [block for block in blocks if block.past is not None]
    rest = [block for block in blocks if block.past is None]
    found = []
    for part in (own, rest):
        if part:
            rows = joined([block.rows for block in part])
            past = joined([block.past or block.rows.past for block in part])
            found.append(fitted(past, rows.unit, rows.dof))
    return joined(found)


def _values(block: Block) -> Floats:
    return np.full(block.rows.level.shape, np.nan) if block.value is None else block.value


def _finding(
    label: Label, where: Slice, rows: Rows, verdicts: Verdicts, values: Floats, at: tuple[int, int]
) -> Finding:
    tests = verdicts.by_name
    sure = sorted((n for n in tests if tests[n].drifted[at]), key=lambda n: float(tests[n].chance[at]))
    test = tests[sure[0] if sure else "tonight"]
    verdict: Verdict = "drifted" if sure else "stable"
    if not sure and (verdicts.inconclusive[at] or not rows.tonight.size[at]):
        verdict = "inconclusive"
    unit = UNITS[int(rows.unit[at[0]])]
    effect = _known(test.effect[at])
    usual, value = _sides(unit, rows, values, at)
    size = values[at] if label[0] == "volume" else rows.tonight.size[at]
    return Finding(
        *label, where, NIGHTS, verdict,
        effect=effect, floor=float(rows.floor[at[0]]), unit=unit,
        reference_value=usual, current_value=value, rows_current=int(size),
        direction="" if effect is None or unit == "js" else "up" if test.up[at] else "down",
        reason="not_visible" if verdict == "inconclusive" else "",
        against=_against(sure, verdicts, at),
        visible=_known(verdicts.visible[at]), p_value=_known(test.chance[at]), q_value=_known(test.adjusted[at]),
    )  # fmt: skip


def _against(sure: Sequence[Comparison], verdicts: Verdicts, at: tuple[int, int]) -> tuple[Against, ...]:
    """What a finding moved against: what is evidence, then what it is merely unlike."""
    found: list[Against] = [AGAINST[name] for name in sure]
    if sure and verdicts.unlike_before[at] and "deployment" not in found:
        found.append("deployment")
    if "deployment" in found and verdicts.unlike_eves[at]:
        found.append("eve")
    return (*found, "night") if verdicts.unlike_last_night[at] else tuple(found)


def _sides(unit: str, rows: Rows, values: Floats, at: tuple[int, int]) -> tuple[float | None, float | None]:
    """What a number usually is on nights of its kind, and tonight; None where unknown, and of a distribution."""
    tonight = rows.tonight
    if unit == "share":
        usual = tonight.other_part[at] / tonight.other_size[at] if tonight.other_size[at] else np.nan
        return _known(usual), _known(tonight.part[at] / tonight.size[at] if tonight.size[at] else np.nan)
    factor = 1 + tonight.effect[at]
    return _known(values[at] / factor if tonight.up[at] else values[at] * factor), _known(values[at])


def _known(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None
