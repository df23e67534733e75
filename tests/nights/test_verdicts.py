"""What a night's verdicts rest on: the nights before it, kept as bands, whatever becomes of the files."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from typing import Any

import numpy as np

from monitoring import bank
from monitoring.bands import banded, layout_of
from monitoring.compared import Nights
from monitoring.records import ALL_ROWS, Finding, Profile
from monitoring.verdict import judged_against
from shop_changes import warmer
from store.grid import CategoryGrid
from store.ledger import findings_of
from store.state import reading


def of(found: Any, feature: str, measure: str = "distribution") -> Finding:
    """The finding of a feature over all rows."""
    (one,) = [
        f for f in found.judged.findings if (f.feature, f.measure, f.slice) == (feature, measure, ALL_ROWS)
    ]
    return one


def test_a_change_is_told_from_the_nights_before(nights: Any) -> None:
    """With fourteen nights behind it a warmer night has moved, against nights of its kind; the others are steady."""
    quiet = nights.run()
    nights.write_night(nights.night, warmer)
    changed = nights.run()

    assert of(quiet, "price").verdict == "stable"
    assert (of(changed, "price").verdict, of(changed, "price").against[0]) == ("drifted", "usual")
    assert of(changed, "price").q_value < 0.01  # type: ignore[operator]
    assert 0 < of(changed, "price").visible < of(changed, "price").effect  # type: ignore[operator]
    assert {f.feature for f in changed.judged.findings if f.verdict == "drifted"} == {"price"}


def test_what_came_with_a_deployment_is_told_as_since_then(nights: Any) -> None:
    """A new version from the night's start on, and a warmer price with it: since a deployment, and unlike last night."""

    def released(columns: dict[str, Any]) -> None:
        warmer(columns)
        columns["model_version"] = ["v2"] * len(columns["price"])

    def page() -> str:
        found: str = nights.watch().lake.get(f"pages/shop/{nights.night}.html").decode()
        return found

    nights.write_night(nights.night, warmer)
    alone, page_alone = nights.run(), page()
    nights.write_night(nights.night, released)
    told, page_told = nights.run(), page()

    assert of(told, "price").against == ("usual", "deployment", "eve", "night")
    assert of(alone, "price").against == ("usual", "night")
    assert of(told, "eta_min").against == ()
    since, jumped = "since a deployment that began with it", "and unlike the night before"
    assert (since in page_alone, jumped in page_alone) == (False, True)
    assert (since in page_told, jumped in page_told) == (True, False)


def test_what_was_judged_is_kept(nights: Any) -> None:
    """Probabilities, comparisons and the smallest visible effect stand in the state."""
    nights.write_night(nights.night, warmer)
    row = nights.run().recorded
    with reading(nights.watch().state) as connection:
        kept = {
            (f.feature, f.measure): f
            for f in findings_of(connection, row.id)
            if not f.slice and f.outcome == "drifted"
        }

    finding = kept["price", "distribution"]
    assert finding.p_value is not None
    assert finding.q_value is not None
    assert '"against":["usual"' in finding.detail


def test_few_nights_are_no_past(frozen_shop: Any) -> None:
    """With two nights behind it a night is only held beside the reference, and no effect is said to be visible."""
    found = frozen_shop.run().judged.findings

    assert {f.visible for f in found} == {None}


def test_a_lost_bank_is_made_again(nights: Any) -> None:
    """The bands of nights are a copy of their profiles: without them the verdicts are the same."""
    nights.write_night(nights.night, warmer)
    with_files = nights.run().judged.findings
    shutil.rmtree(nights.root / "var/lake/bank")

    assert nights.run().judged.findings == with_files


def test_the_reference_keeps_its_nights(frozen_shop: Any) -> None:
    """A reference of two nights holds both, and they add up to it."""
    watch = frozen_shop.watch()
    judged = frozen_shop.run().judged
    reference, row = judged.reference, judged.reference_row
    found = bank.bank_of(watch, frozen_shop.night, reference, row.path, reference.profile)

    assert len(found.reference_nights) == 2
    assert found.reference_counts.sum(axis=0).tolist() == banded(found.layout, reference.profile).tolist()
    assert set(found.reference_nights) <= set(found.nights)


def test_only_eight_weeks_are_held_against(nights: Any) -> None:
    """Nights further back, and the night itself, are no part of the bank."""
    watch = nights.watch()
    judged = nights.run().judged
    reference, row = judged.reference, judged.reference_row

    def known(night: date) -> tuple[date, ...]:
        return bank.bank_of(watch, night, reference, row.path, reference.profile).nights

    assert known(nights.night)[-1] == nights.night - timedelta(days=1)
    assert known(nights.night + timedelta(days=60)) == ()
    assert isinstance(
        bank.bank_of(watch, nights.night, reference, row.path, reference.profile).counts, np.ndarray
    )


def test_a_lost_column_is_no_lost_request(shop: Any) -> None:
    """The volume of a night is that of any column it has: one that is gone from the log counts no rows."""
    grid = CategoryGrid(("a", "b"))
    profile = Profile((ALL_ROWS,), {name: np.array([[600, 600, 0, 0]]) for name in ("x", "y")})
    layout = layout_of(profile, {"x": grid, "y": grid}, {"x": "category", "y": "category"}, frozenset())
    whole = banded(layout, profile)
    tonight = banded(layout, Profile((ALL_ROWS,), {"y": profile.counts["y"]}))
    dates = tuple(date(2026, 5, 1) + timedelta(days=n) for n in range(15))
    counts = np.stack([*[whole] * 14, tonight])
    nights = Nights(
        layout, dates, counts, whole.astype(np.int64), (), np.zeros((0, *whole.shape), dtype=np.int32)
    )
    (volume,) = [
        f for f in judged_against(shop.watch().service, (ALL_ROWS,), nights).findings if f.measure == "volume"
    ]

    assert (volume.effect, volume.rows_current, volume.verdict) == (0.0, 1200, "stable")
