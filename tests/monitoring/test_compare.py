"""Distances of a night: against SciPy on the raw values, and their noise against simulation."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.stats import wasserstein_distance

from monitoring.compare import scores
from monitoring.grids import number_grid
from monitoring.records import ALL_ROWS, Counts, Profile, Score, Slice
from store.grid import CategoryGrid, Grid, NumberGrid, Segment

pytestmark = pytest.mark.filterwarnings("error")

Floats = npt.NDArray[np.float64]
GRID = NumberGrid((Segment(0.0, 10.0, 10),))
WORDS = CategoryGrid(("a", "b", "c"))


def binned(grid: NumberGrid, values: Floats) -> Counts:
    """Counts per cell of finite values."""
    codes = np.searchsorted(grid.edges, values, side="right")
    return np.bincount(codes, minlength=grid.size).astype(np.int64)


def compared(grid: Grid, before: Any, now: Any, slices: tuple[Slice, ...] = (ALL_ROWS,)) -> list[Score]:
    """The scores of one column `x`."""
    sides = [
        Profile(slices, {"x": np.atleast_2d(np.asarray(side, dtype=np.int64))}) for side in (before, now)
    ]
    return scores(sides[0], sides[1], {"x": grid})


def distribution(found: list[Score]) -> Score:
    """The score of the whole distribution."""
    return next(score for score in found if score.measure == "distribution")


@pytest.mark.parametrize("shift", [0.0, 0.05, 0.5, 3.0])
@pytest.mark.parametrize("kind", ["normal", "lognormal", "exponential"])
def test_numbers_agree_with_scipy_on_raw_values(kind: str, shift: float) -> None:
    """On 20,000 rows the binned distance over the standard deviation is SciPy's within the stated binning error."""
    random = np.random.default_rng(5)
    draw = {"normal": random.normal, "lognormal": lambda a, b, n: random.lognormal(a, b / 2, n),
            "exponential": lambda a, b, n: a + random.exponential(b, n)}[kind]  # fmt: skip
    before, now = draw(0.0, 1.0, 20_000), draw(0.0, 1.0, 20_000)
    now = now + shift * before.std()
    grid = number_grid(before)
    score = distribution(compared(grid, binned(grid, before), binned(grid, now)))
    raw = wasserstein_distance(before, now) / before.std()
    widths = [
        np.diff(grid.edges)[np.clip(np.searchsorted(grid.edges, v, side="right") - 1, 0, grid.bins - 1)]
        for v in (before, now)
    ]
    error = (widths[0].mean() + widths[1].mean()) / 2 / before.std()
    assert abs(score.effect - raw) <= error
    assert score.effect == pytest.approx(raw, rel=0.05, abs=0.01)
    assert (score.unit, score.rows_reference, score.rows_current) == ("sd", 20_000, 20_000)
    assert score.direction == ("up" if now.mean() > before.mean() else "down")


COUNT = st.lists(st.integers(0, 500), min_size=5, max_size=5).filter(any)


@given(COUNT, COUNT)
@settings(max_examples=100)
def test_categories_are_scipys_distance_exactly(before: list[int], now: list[int]) -> None:
    """Jensen-Shannon to base 2 over all cells, null and unseen among them."""
    score = distribution(compared(WORDS, before, now))
    assert score.effect == pytest.approx(jensenshannon(before, now, base=2), abs=1e-7)
    assert (score.unit, score.direction, score.reference_value) == ("js", "", None)


REPEATS = 300
REPEATED = (ALL_ROWS, *(Slice("try", str(n)) for n in range(REPEATS)))


@pytest.mark.parametrize(("cells", "rows"), [(4, (500, 2000)), (20, (3000, 800)), (20, (5000, 5000))])
def test_noise_of_categories_is_what_chance_shows(cells: int, rows: tuple[int, int]) -> None:
    """Two samples of the same categories differ, in root mean square, by the stated noise (10 %)."""
    random = np.random.default_rng(6)
    grid = CategoryGrid(tuple(f"w{n}" for n in range(cells)))
    chances = np.append(random.dirichlet(np.full(cells, 5.0)), [0, 0])
    before, now = (random.multinomial(n, chances, len(REPEATED)) for n in rows)
    found = [score for score in compared(grid, before, now, REPEATED) if score.measure == "distribution"]
    seen = np.sqrt(np.mean([score.effect**2 for score in found]))
    assert np.mean([score.noise for score in found]) == pytest.approx(seen, rel=0.1)


@pytest.mark.parametrize(
    ("kind", "rows"), [("normal", (400, 3000)), ("exponential", (1000, 1000)), ("two", (300, 900))]
)
def test_noise_of_numbers_is_what_chance_shows(kind: str, rows: tuple[int, int]) -> None:
    """Two samples of the same numbers differ on average by the stated noise (10 %)."""
    random = np.random.default_rng(7)
    draw = {
        "normal": random.normal,
        "exponential": random.exponential,
        "two": lambda size: random.choice([0.0, 7.0], size),
    }[kind]
    grid = number_grid(draw(size=50_000))
    before, now = (np.stack([binned(grid, draw(size=n)) for _ in REPEATED]) for n in rows)
    found = [score for score in compared(grid, before, now, REPEATED) if score.measure == "distribution"]
    assert np.mean([s.noise for s in found]) == pytest.approx(np.mean([s.effect for s in found]), rel=0.1)


@pytest.mark.parametrize("share", [0.02, 0.3])
def test_noise_of_shares_is_their_standard_error(share: float) -> None:
    """The noise of a null share is the standard deviation of the difference of two samples (10 %)."""
    random = np.random.default_rng(8)
    effects, noises = [], []
    for _ in range(600):
        nulls = random.binomial(1000, share), random.binomial(4000, share)
        before, now = (
            np.array([n - null, 0, 0, 0, null]) for n, null in zip((1000, 4000), nulls, strict=True)
        )
        score = compared(WORDS, before, now)[1]
        effects.append(score.effect)
        noises.append(score.noise)
    assert np.mean(noises) == pytest.approx(np.sqrt(np.mean(np.square(effects))), rel=0.1)


def test_shares_by_hand() -> None:
    """Null, unseen and beyond-the-grid shares are differences of shares of all rows."""
    null, unseen = compared(WORDS, [50, 40, 10, 0, 0], [40, 20, 10, 20, 10])[1:]
    assert (null.measure, null.effect, null.reference_value, null.current_value, null.direction) == (
        "null_share", 0.1, 0.0, 0.1, "up",
    )  # fmt: skip
    assert (unseen.measure, unseen.effect, unseen.current_value) == ("unseen_share", 0.2, 0.2)
    before = np.array([1, *[10] * 10, 1, 5, 1, 1, 1])
    beyond = compared(GRID, before, before)[2]
    assert (beyond.measure, beyond.effect, beyond.reference_value) == ("beyond_share", 0.0, 5 / 110)
    assert (beyond.rows_reference, beyond.rows_current) == (110, 110)


def test_a_constant_that_comes_alive() -> None:
    """Without a standard deviation the share of rows that left the one value is told."""
    grid = number_grid(np.zeros(100))
    before, now = binned(grid, np.zeros(100)), binned(grid, np.array([0.0] * 60 + [0.3] * 30 + [1e9] * 10))
    score = distribution(compared(grid, before, now))
    assert (score.unit, score.effect, score.noise) == ("share", pytest.approx(0.4), 0.0)
    assert score.direction == "up"
    assert distribution(compared(grid, before, before)).effect == 0.0


def test_nothing_on_a_side_is_nothing_known() -> None:
    """Without rows on either side the distance is NaN, without a warning; all-null numbers have no rows to compare."""
    full, none = np.array([0, *[10] * 10, 0, 0, 0, 0, 0]), np.zeros(16, dtype=np.int64)
    nulls = np.zeros(16, dtype=np.int64)
    nulls[GRID.null] = 100
    for before, now in ((full, none), (none, full), (none, none), (full, nulls), (nulls, full)):
        score = distribution(compared(GRID, before, now))
        assert np.isnan(score.effect) or (score.unit == "share" and not score.rows_reference)
    null_share = compared(GRID, full, nulls)[1]
    assert (null_share.effect, null_share.rows_current) == (1.0, 100)
    assert np.isnan(compared(WORDS, [0] * 5, [0] * 5)[1].effect)


def test_a_slice_nobody_has_seen_is_no_score() -> None:
    """A slice that is empty on both sides is left out, one that is empty on one side is told."""
    slices = (ALL_ROWS, Slice("city", "a"), Slice("city", "b"), Slice("city", "c"))
    before = [[5, 5, 0, 0, 0], [5, 5, 0, 0, 0], [0] * 5, [0] * 5]
    now = [[5, 5, 0, 0, 0], [0] * 5, [5, 5, 0, 0, 0], [0] * 5]
    found = [s.slice for s in compared(WORDS, before, now, slices) if s.measure == "distribution"]
    assert found == list(slices[:3])


@given(st.integers(1, 6), st.integers(0, 10_000))
@settings(max_examples=40)
def test_slices_are_compared_as_if_alone(slices: int, seed: int) -> None:
    """Comparing many slices in one call gives what each gives alone, on the scale of the whole reference."""
    random = np.random.default_rng(seed)
    names = (ALL_ROWS, *(Slice("s", str(n)) for n in range(slices)))
    before, now = (random.integers(0, 50, (len(names), WORDS.size)) for _ in range(2))
    together = [s for s in compared(WORDS, before, now, names) if s.measure == "distribution"]
    alone = [distribution(compared(WORDS, before[n], now[n])) for n in range(len(names))]
    assert [s.effect for s in together] == pytest.approx([s.effect for s in alone])
    assert [s.noise for s in together] == pytest.approx([s.noise for s in alone])
