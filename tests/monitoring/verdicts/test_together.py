"""Features that always moved together, told from those that a storm moved with all others."""

from __future__ import annotations

import numpy as np

from monitoring.verdicts.together import together

ROWS, NIGHTS = 12, 54


def squares(seed: int, storms: float = 0.0) -> np.ndarray:
    """Past nights of rows of which the first two share nine tenths of their deviation; some nights shake all."""
    rng = np.random.default_rng(seed)
    moved = rng.normal(size=(ROWS, NIGHTS))
    moved[1] = 3 * (np.sqrt(0.95) * moved[0] + np.sqrt(0.05) * moved[1])
    return (moved * np.exp(storms * rng.normal(size=NIGHTS))) ** 2


def all_of(rows: int = ROWS) -> np.ndarray:
    """Every row is asked."""
    return np.ones(rows, dtype=bool)


def test_what_moved_together_is_found_and_nothing_else() -> None:
    """On most of twenty services the pair, whatever its unit; of 65 others none. Storms that shake all are no pair."""
    for storms in (0.0, 1.5):
        found = np.array([together(squares(seed, storms), all_of()) for seed in range(20)])
        pairs = found.copy()
        pairs[:, [0, 1], [1, 0]] = False

        assert (found == found.transpose(0, 2, 1)).all()
        assert found[:, 0, 1].mean() >= 0.6
        assert not pairs.any()


def test_only_what_is_asked_is_compared() -> None:
    """A row that did not move tonight is no part of a pair; one alone has none."""
    made = squares(0)
    made[1] = made[0]
    asked = all_of()

    assert together(made, asked)[0, 1]
    asked[1] = False
    assert not together(made, asked).any()


def test_too_few_nights_tell_nothing() -> None:
    """Nights that one of the rows does not know are no nights of the pair; a row that never varied has no partner."""
    made = squares(0)
    made[1] = made[0]
    assert together(made[:, :14], all_of())[0, 1]
    assert not together(made[:, :13], all_of()).any()
    made[0, 13:] = np.nan
    assert not together(made, all_of()).any()
    still = np.zeros((2, NIGHTS))
    assert not together(still, all_of(2)).any()
    assert not together(np.full((2, NIGHTS), 0.5), all_of(2)).any()
