"""Which nights a row is held against: its own, whatever happened to others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from judged_series import dates_of, latencies, service
from monitoring.bands import banded, layout_of
from monitoring.blocks import blocks_of
from monitoring.compared import Context, Nights, used
from monitoring.records import ALL_ROWS, Profile
from monitoring.series import Series
from monitoring.verdict import judged_against, reference_of, without_lost_places
from monitoring.verdicts.incidents import Key, Moved
from monitoring.verdicts.rows import joined
from monitoring.verdicts.variation import fitted
from store.grid import CategoryGrid

DATES = dates_of(29)
GRID = CategoryGrid(("a", "b"))
NAMES = ("x", "y")


def profile(shares: dict[str, float], nulls: int = 0) -> Profile:
    """A night of 5,000 requests: the share of `a` in each column, and how many have no value."""
    counts = {
        name: np.array([[round(5000 * p) - nulls, 5000 - round(5000 * p), 0, nulls]])
        for name, p in shares.items()
    }
    return Profile((ALL_ROWS,), counts)


def nights(shares: list[dict[str, float]], apart: object = None) -> Nights:
    """Nights of two categories; the reference is four weeks of ordinary ones."""
    usual = profile(dict.fromkeys(NAMES, 0.5))
    layout = layout_of(usual, dict.fromkeys(NAMES, GRID), dict.fromkeys(NAMES, "category"), frozenset())
    rng = np.random.default_rng(3)
    noisy = [profile({name: p + rng.normal(0, 0.01) for name, p in each.items()}) for each in shares]
    counts = np.stack([banded(layout, each) for each in noisy])
    whole = banded(layout, usual).astype(np.int64)
    return Nights(
        layout,
        dates_of(len(shares)),
        counts,
        28 * whole,
        (),
        counts[:0],
        apart=apart or {},  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("known", "apart", "wanted"),
    [(7, (), 7), (8, (), 8), (9, (), 7), (56, (), 54), (10, (2, 3), 8), (11, (2, 3), 7), (8, (0, 1), 6)],
)
def test_which_nights_are_used(known: int, apart: tuple[int, ...], wanted: int) -> None:
    """All but the last two, and these too where fewer than seven were left; never tonight, nor one set apart."""
    usual = np.ones(known + 1, dtype=bool)
    usual[list(apart)] = False
    found = used(usual)

    assert (found.sum(), found[-1]) == (wanted, False)
    assert not found[list(apart)].any()
    assert usual[-1]  # what was given is left as it is


def test_nights_are_set_apart_of_one_row_alone() -> None:
    """An incident of one column's distribution takes its nights from that row, and from no other of any measure."""
    inside = frozenset(DATES[5:8])
    apart = {("distribution", "x"): inside, ("volume", ""): inside}
    made = nights([dict.fromkeys(NAMES, 0.5)] * 29, apart)
    blocks = blocks_of(Context(service(), made, frozenset()))
    known = {
        label: int((~np.isnan(block.rows.past.squares[n, :, 0])).sum())
        for block in blocks
        for n, label in enumerate(block.labels)
    }

    assert {label for label, many in known.items() if many == 23} == set(apart)
    assert {label for label, many in known.items() if many == 26} == set(known) - set(apart)
    assert len(known) == 7


def test_a_long_incident_leaves_a_young_service_its_sight() -> None:
    """Of four weeks two are set apart: what is left tells no weekdays apart, and the next change is still found."""
    shifted = [dict.fromkeys(NAMES, 0.5)] * 12 + [{"x": 0.7, "y": 0.5}] * 17
    apart = {("distribution", "x"): frozenset(DATES[12:-1])}
    blind, seeing = (
        judged_against(service(), (ALL_ROWS,), nights(shifted, each)).findings for each in ({}, apart)
    )
    verdicts = [
        next(
            (f.verdict, "usual" in f.against)
            for f in every
            if (f.measure, f.feature) == ("distribution", "x")
        )
        for every in (blind, seeing)
    ]

    assert not verdicts[0][1]
    assert verdicts[1] == ("drifted", True)
    alike = {
        label[1]: block.rows.past.alike[n, 0]
        for block in blocks_of(Context(service(), nights(shifted, apart), frozenset()))
        for n, label in enumerate(block.labels)
        if label[0] == "distribution"
    }
    assert alike == {"x": 12, "y": pytest.approx(26 / 7, abs=0.1)}  # the other column keeps its weekdays


def test_nothing_watched_is_nothing_judged() -> None:
    """Without a column and without a number there is no verdict, and no failure."""
    many = np.zeros((29, 1, 0), dtype=np.int32)
    empty = Nights((), DATES, many, many[0].astype(np.int64), (), many[:0])

    assert judged_against(service(), (ALL_ROWS,), empty).findings == ()


def test_series_do_not_change_what_is_known_of_the_reference() -> None:
    """Numbers the reference has no nights of leave its weeks' variation as it was, volume's too."""
    rng = np.random.default_rng(4)
    made = nights([dict.fromkeys(NAMES, 0.5)] * 29)
    slow = np.repeat(rng.normal(1, 0.2, 4), 7)[:, np.newaxis, np.newaxis]  # nights of a week are alike
    alone = replace(
        made, reference_dates=dates_of(57)[:28], reference_counts=(made.counts[:28] * slow).astype(np.int32)
    )
    series = [latencies(np.array([1.0]), measure=each) for each in ("latency_ms", "first_token_ms", "cost")]
    both = replace(alone, series=tuple(_over_all(each) for each in series))
    less, more = (
        reference_of(blocks_of(Context(service(), each, frozenset()))).together for each in (alone, both)
    )

    assert len(more) == len(less) + 3
    assert less.max() > 2
    np.testing.assert_array_equal(more[: len(less)], less)


def _over_all(series: Series) -> Series:
    return replace(series, value=series.value[:, :1], part=series.part[:, :1], whole=series.whole[:, :1])


def test_without_nights_of_its_own_the_reference_has_those_of_the_bank() -> None:
    """Ageing is then held against what the nights before differ by, not against chance alone."""
    blocks = blocks_of(Context(service(), nights([dict.fromkeys(NAMES, 0.5)] * 29), frozenset()))
    rows = joined([block.rows for block in blocks])
    bank = fitted(rows.past, rows.unit, rows.dof)

    assert bank.tau2.max() > 0
    np.testing.assert_array_equal(reference_of(blocks).tau2, bank.tau2)


def test_a_lost_place_has_lost_no_requests() -> None:
    """Requests whose city is null are told as that; requests missing elsewhere, and all else in a city, stay."""

    def found(measure: str, feature: str = "", part: str = "") -> Moved:
        return Moved(Key(measure, feature, part), "tonight", 5.0, 0.0, 0.0, 1.0, 0.0)

    null, here, cell = (
        found("null_share", "city"), found("volume", part="city\x1fRecife"),
        found("volume", part="channel × city\x1fios × Recife"),
    )  # fmt: skip
    stay = [found("volume"), found("volume", part="channel\x1fios"), found("errors", part="city\x1fRecife")]

    assert without_lost_places([null, here, cell, *stay]) == [null, *stay]
    assert without_lost_places([here, cell, *stay]) == [here, cell, *stay]
    in_one = found("null_share", "city", "channel\x1fios")
    assert without_lost_places([in_one, here]) == [in_one, here]
