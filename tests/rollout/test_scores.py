"""Scores against their formulas, what cannot change them, and the rule of promotion."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout.records import Part, Scores
from rollout.scores import CLIP, measure, nights_not_worse, promote, untrainable

SHARES = st.one_of(st.sampled_from([0.0, 1.0, 0.5, 1e-9, 1 - 1e-9]), st.floats(0, 1))
ROWS = st.lists(
    st.tuples(st.integers(0, 1), SHARES, SHARES, st.sampled_from(["2013-06-01", "2013-06-02", "2013-06-03"])),
    min_size=1,
    max_size=40,
)


def scored(rows: list[Any], which: int = 1) -> Scores:
    """The scores of the first or second probability of each row."""
    labels = np.array([row[0] for row in rows], np.int8)
    return measure(labels, np.array([row[which] for row in rows]), np.array([row[3] for row in rows]))


def loss_of(label: int, share: float) -> float:
    """The log loss of one row."""
    kept = min(max(share, CLIP), 1 - CLIP)
    return -math.log(kept if label else 1 - kept)


@given(ROWS)
def test_scores_are_their_formulas(rows: list[Any]) -> None:
    """Log loss, Brier score and AUC as the docstring writes them, over all rows and by night."""
    found = scored(rows)
    pairs = [(p, q) for y, p, *_ in rows for z, q, *_ in rows if y > z]
    above = [1.0 if p > q else 0.5 if p == q else 0.0 for p, q in pairs]

    assert found.log_loss == pytest.approx(np.mean([loss_of(y, p) for y, p, *_ in rows]), rel=1e-9, abs=1e-12)
    assert found.brier == pytest.approx(np.mean([(p - y) ** 2 for y, p, *_ in rows]), abs=1e-12)
    assert found.roc_auc == (pytest.approx(np.mean(above)) if pairs else None)
    assert found.mean_predicted == pytest.approx(np.mean([p for _, p, *_ in rows]))
    assert found.observed_rate == pytest.approx(np.mean([y for y, *_ in rows]))
    assert (found.rows, found.positive) == (len(rows), sum(y for y, *_ in rows))
    assert list(found.log_loss_by_night) == sorted({row[3] for row in rows})
    for night, loss in found.log_loss_by_night.items():
        of_night = [loss_of(y, p) for y, p, _, each in rows if each == night]
        assert loss == pytest.approx(np.mean(of_night), rel=1e-9, abs=1e-12)


@given(ROWS)
def test_the_whole_is_the_mean_of_its_nights(rows: list[Any]) -> None:
    """The nights' losses, each weighted with its rows, are the loss of all."""
    found = scored(rows)
    sizes = [sum(row[3] == night for row in rows) for night in found.log_loss_by_night]

    assert sum(sizes) == found.rows
    assert found.nights == len(sizes)
    assert np.average(list(found.log_loss_by_night.values()), weights=sizes) == pytest.approx(found.log_loss)


@given(ROWS, st.randoms())
def test_the_order_of_rows_says_nothing(rows: list[Any], random: Any) -> None:
    """Nor does having every row twice, but for the counts."""
    found, shuffled, doubled = scored(rows), scored(random.sample(rows, len(rows))), scored(rows * 2)

    for other in (shuffled, doubled):
        assert (other.log_loss, other.brier) == pytest.approx((found.log_loss, found.brier))
        assert other.roc_auc == pytest.approx(found.roc_auc)
    assert (shuffled.rows, doubled.rows) == (found.rows, 2 * found.rows)


@given(ROWS)
def test_naming_the_other_class_positive_says_nothing(rows: list[Any]) -> None:
    """Scores are the same for 1 − y and 1 − p: no class is favoured, not even by the clip."""
    found = scored(rows)
    turned = scored([(1 - y, 1 - p, q, night) for y, p, q, night in rows])

    assert turned.log_loss == pytest.approx(found.log_loss, abs=1e-9)
    assert turned.brier == pytest.approx(found.brier, abs=1e-12)
    if len({p for _, p, *_ in rows}) == len({1 - p for _, p, *_ in rows}):  # 1 − 1e-17 is 1: a tie
        assert turned.roc_auc == pytest.approx(found.roc_auc)


def test_certain_and_wrong_costs_the_clip() -> None:
    """Not infinity: −ln 1e-6 is 13.8."""
    wrong = measure(np.array([1, 0], np.int8), np.array([0.0, 1.0]), np.array(["2013-06-01"] * 2))

    assert wrong.log_loss == pytest.approx(-math.log(1e-6), abs=1e-6)
    assert (wrong.brier, wrong.roc_auc) == (1.0, 0.0)


@given(ROWS)
def test_two_models_are_never_both_better(rows: list[Any]) -> None:
    """Nor is one better than itself; and a promotion has what it takes."""
    old, new = scored(rows, 1), scored(rows, 2)
    promoted = promote(old, new, 1)[0]

    assert promote(old, old, 1)[0] is False
    assert not (promoted and promote(new, old, 1)[0])
    assert promote(old, new, len(rows) + 1) == (False, "too_few_held_out_rows")
    if promoted:
        assert new.log_loss < old.log_loss
        assert 2 * nights_not_worse(old, new) >= new.nights
        assert 0 < new.positive < new.rows


def of_losses(log_loss: float, *by_night: float) -> Scores:
    """Scores with these log losses, all else being ordinary."""
    nights = {f"2013-06-{n:02}": loss for n, loss in enumerate(by_night, 1)}
    return Scores(700, len(nights), 200, log_loss, 0.2, 0.7, 0.3, 2 / 7, nights)


OLD = of_losses(0.5, 0.5, 0.5, 0.5, 0.5)


@pytest.mark.parametrize(
    ("new", "verdict"),
    [
        (of_losses(0.49, 0.49, 0.49, 0.49, 0.49), (True, "lower_log_loss")),
        (of_losses(0.49, 0.30, 0.50, 0.51, 0.51), (True, "lower_log_loss")),  # equal on a night counts for it
        (of_losses(0.49, 0.30, 0.51, 0.51, 0.51), (False, "worse_on_most_nights")),
        (of_losses(0.50, 0.40, 0.40, 0.40, 0.80), (False, "log_loss_not_lower")),  # a tie keeps what served
        (of_losses(0.51, 0.51, 0.51, 0.51, 0.51), (False, "log_loss_not_lower")),
        (replace(of_losses(0.1, 0.1), positive=0), (False, "one_class_held_out")),
        (replace(of_losses(0.1, 0.1), positive=700), (False, "one_class_held_out")),
        (replace(of_losses(0.1, 0.1), rows=199), (False, "too_few_held_out_rows")),
        (replace(of_losses(0.1, 0.1), rows=200, positive=60), (True, "lower_log_loss")),
        (None, (False, "no_predictions")),
    ],
)
def test_the_rule_of_promotion(new: Scores | None, verdict: tuple[bool, str]) -> None:
    """Lower over all rows, and not higher on at least half of the nights."""
    assert promote(OLD, new, 200) == verdict


def test_an_odd_number_of_nights_takes_the_larger_half() -> None:
    """Of three nights, two must not be worse: one and a half is not enough with one."""
    old = of_losses(0.5, 0.5, 0.5, 0.5)

    assert promote(old, of_losses(0.4, 0.1, 0.6, 0.6), 1) == (False, "worse_on_most_nights")
    assert promote(old, of_losses(0.4, 0.1, 0.5, 0.6), 1) == (True, "lower_log_loss")


def test_what_served_without_probabilities_is_never_replaced() -> None:
    """There is no log loss to be lower than."""
    assert promote(None, OLD, 200) == (False, "predictions_not_probabilities")


@pytest.mark.parametrize(
    ("rows", "positive", "reason"),
    [(200, 100, ""), (199, 100, "too_few_training_rows"), (200, 0, "one_class_in_training"), (200, 200, "one_class_in_training")],
)  # fmt: skip
def test_what_can_be_trained_on(rows: int, positive: int, reason: str) -> None:
    """Enough rows, of both classes."""
    assert untrainable(Part(date(2013, 5, 1), date(2013, 5, 2), 2, rows, positive), 200) == reason
    assert untrainable(None, 200) == "too_few_nights"
