"""The two runs of verdicts on a few keys: what they print, and that they count what they say."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks import discoveries, verdicts


def test_the_speed_of_verdicts_is_measured_on_every_night(tmp_path: Path) -> None:
    """All nights are written and summed, and every key of an unchanged last night is judged."""
    found = verdicts.measured(tmp_path, 60, 9, 15)

    files = sorted(tmp_path.iterdir())
    assert len(files) == 15
    whole = np.stack([np.load(file, allow_pickle=False) for file in files])
    np.testing.assert_array_equal(verdicts.summed(files), whole.sum(axis=0))
    np.testing.assert_array_equal(verdicts.read(files, slice(3, 7)), whole[:, 3:7].transpose(1, 0, 2, 3))
    assert (found["keys"], found["drifted"]) == (540, 0)


def test_false_discoveries_are_counted() -> None:
    """Two services: changes are found, and few findings are false."""
    found = discoveries.measured("dirichlet", 40, 1)

    assert found["nights"] == 80
    assert found["findings_a_night"] > 3
    assert found["false"] < 0.15
    assert discoveries.table({"dirichlet": found}).splitlines()[1].startswith("dirichlet")


def test_nights_that_follow_one_another_are_no_discoveries() -> None:
    """Where each night is like the one before, sums of seven are not taken for change: few findings are false."""
    assert discoveries.measured("autocorrelated", 80, 1)["false"] < 0.03


def test_what_is_planted_has_its_effect() -> None:
    """Moved shares lie exactly as far off as was asked for."""
    rng = np.random.default_rng(1)
    shares = rng.dirichlet(np.ones(10), size=(4, 3))
    toward = np.eye(10)[[0, 1, 2, 3]][:, np.newaxis]
    part = discoveries.reach(shares, toward, np.full((4, 3), 0.2))[..., np.newaxis]

    moved = shares * (1 - part) + part * toward

    np.testing.assert_allclose(discoveries.distance(shares, moved), 0.2, rtol=1e-6)
    assert discoveries.false_share(np.array([True, True, False]), np.array([True, False, True])) == 0.5
