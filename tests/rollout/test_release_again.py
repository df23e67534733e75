"""A release is the same when it is made again after a retraining froze a newer reference."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from rollout.retrain import retrain
from ronda import released
from services.window import night_of, window_between
from store.ledger import NightRow, last_night, record_night
from store.references import latest_reference, reference_of
from store.state import reading, writing

NOW = datetime(2026, 6, 1, tzinfo=UTC)
FIRST, LAST = date(2026, 5, 1), date(2026, 5, 6)
WINDOW = window_between(FIRST, LAST, "UTC")


def judged(shop: Any, day: date, reference_id: int, sha: str = "one") -> None:
    """Record a night as compared with a reference."""
    night = night_of(day, "UTC")
    row = NightRow("shop", day, sha, night.start, night.end, reference_id, 120, 120, NOW)
    with writing(shop.watch.state) as connection:
        record_night(connection, row, {"kept": 120})


def test_a_release_is_made_against_what_its_last_night_was_compared_with(shop: Any) -> None:
    """The retraining's reference is newer, and later nights are compared with it; the release does not change."""
    judged(shop, date(2026, 5, 5), reference_id=1)
    first = released.make(shop.watch, WINDOW, NOW)
    made = retrain(shop.watch, first.row.version, NOW)
    with reading(shop.watch.state) as connection:
        newest = latest_reference(connection, "shop")
        old = reference_of(connection, 1)
    assert newest is not None
    judged(shop, date(2026, 5, 7), reference_id=newest.id)
    again = released.make(shop.watch, WINDOW, NOW)

    assert made.promoted
    assert newest.model_version == made.model_version
    assert newest.content_sha != old.content_sha
    assert first.manifest["reference_sha256"] == old.content_sha
    assert (again.is_new, again.row.version, again.manifest) == (False, first.row.version, first.manifest)


def test_without_a_judged_night_the_newest_reference_counts(shop: Any) -> None:
    """There is nothing else to go by; a night after the window does not count."""
    made = retrain(shop.watch, shop.version, NOW)
    judged(shop, date(2026, 5, 7), reference_id=1)
    found = released.make(shop.watch, WINDOW, NOW)
    with reading(shop.watch.state) as connection:
        newest = latest_reference(connection, "shop", made.model_version)

    assert newest is not None
    assert found.manifest["reference_sha256"] == newest.content_sha


def test_the_last_night(shop: Any) -> None:
    """Up to a date, which is included, in its latest revision, of this service alone."""
    for day, sha in ((4, "a"), (5, "b"), (5, "c"), (7, "d")):
        judged(shop, date(2026, 5, day), 1, sha)
    with reading(shop.watch.state) as connection:
        found = {day: last_night(connection, "shop", date(2026, 5, day)) for day in (3, 4, 5, 6, 7)}

        assert last_night(connection, "other", LAST) is None
    assert {day: row and row.content_sha for day, row in found.items()} == {
        3: None,
        4: "a",
        5: "c",
        6: "c",
        7: "d",
    }
