"""Features that always moved together, told from those that a storm moved with all others."""

from __future__ import annotations

import numpy as np
import pytest

from monitoring.verdicts.together import together

ROWS, NIGHTS = 12, 54
ONE = np.zeros(ROWS, dtype=np.int64)


def squares(seed: int, storms: float = 0.0, directions: int = 1) -> np.ndarray:
    """Past nights of rows of which the first two share nine tenths of their deviation; some nights shake all.

    Args:
        directions: of each row; the squares of many follow a storm closely.
    """
    rng = np.random.default_rng(seed)
    moved = rng.normal(size=(ROWS, NIGHTS, directions))
    moved[1] = 3 * (np.sqrt(0.95) * moved[0] + np.sqrt(0.05) * moved[1])
    found: np.ndarray = (moved**2).sum(axis=-1) * np.exp(2 * storms * rng.normal(size=NIGHTS))
    return found


def asked(*rows: int) -> np.ndarray:
    """These rows; all of them if none is named."""
    return np.isin(np.arange(ROWS), rows) if rows else np.ones(ROWS, dtype=bool)


@pytest.mark.parametrize("directions", [1, 9])
@pytest.mark.parametrize("storms", [0.0, 1.0])
def test_what_moved_together_is_found_and_nothing_else(storms: float, directions: int) -> None:
    """On most of twenty services the pair, whatever its scale; of 65 others none. Storms that shake all are no pair."""
    found = np.array([together(squares(seed, storms, directions), ONE, asked()) for seed in range(20)])
    pairs = found.copy()
    pairs[:, [0, 1], [1, 0]] = False

    assert (found == found.transpose(0, 2, 1)).all()
    assert found[:, 0, 1].mean() >= 0.6
    assert not pairs.any()


def test_few_rows_of_a_unit_make_no_pair() -> None:
    """What is common to all rows of a night cannot be told from seven of them, nor from those of another unit."""
    made = squares(0)
    made[1] = made[0]

    assert together(made, ONE, asked(0, 1))[0, 1]
    assert together(made[:8], ONE[:8], asked(0, 1)[:8])[0, 1]
    assert not together(made[:7], ONE[:7], asked(0, 1)[:7]).any()
    other = np.where(np.arange(ROWS) < 5, 1, 0)
    assert not together(made, other, asked()).any()
    assert together(made, np.where(np.arange(ROWS) > 8, 1, 0), asked())[0, 1]


def test_what_is_not_known_hides_no_pair() -> None:
    """A third row that was always 0, or is known on few nights, leaves the pair as it is; alone it has none."""
    made = squares(0)
    made[1] = made[0]
    made[2], made[3, 10:] = 0.0, np.nan

    found = together(made, ONE, asked(0, 1, 2, 3))
    assert found[0, 1]
    assert not found[2:4].any()
    assert not together(made, ONE, asked(0, 2)).any()


def test_too_few_nights_tell_nothing() -> None:
    """Nights that one of the rows does not know are no nights of the pair; a row that never varied has no partner."""
    made = squares(0)
    made[1] = made[0]
    assert together(made[:, :14], ONE, asked())[0, 1]
    assert not together(made[:, :13], ONE, asked()).any()
    assert not together(np.full((ROWS, NIGHTS), 0.5), ONE, asked()).any()
    assert not together(made, ONE, asked(5)).any()
