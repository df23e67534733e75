"""No floor is proposed that its unit cannot reach: what went so far is told as an incident that seems to lie there."""

from __future__ import annotations

import numpy as np

from judged_series import service as service_with
from monitoring.quieter import LARGEST, Beyond, quieter
from monitoring.records import ALL_ROWS
from monitoring.replayed import History, replay
from stored_nights import history

SERVICE = service_with(slices=["city", "app"], critical=["errors"])


def failing(points: float) -> History:
    """Calm nights, but for two on which so many more requests fail, in all slices alike."""
    made = history(30, categories=0, sizes=(1500, 900))
    for night in (25, 26):
        own = made.counts[night]
        more = (own[:, -4] * points).astype(np.int32)
        own[:, -4] -= more
        own[:, -3] += more
    return made


def test_a_share_that_most_requests_take_is_an_incident() -> None:
    """Nine requests of ten fail: no floor is proposed, errors and the night are named, and the incident stays."""
    made = failing(0.9)
    base = replay(SERVICE, made, made.judged)
    floors, beyond, now, done = quieter(SERVICE, made, base, made.judged, rounds=3)

    assert floors == ()
    assert {(each.measure, each.feature) for each in beyond} == {("errors", "")}
    assert {each.night for each in beyond} <= {made.dates[25], made.dates[26]}
    assert (now.lines, done) == (base.lines, 0)


def test_what_goes_less_far_has_its_floor() -> None:
    """Three of ten is below the largest share: it is proposed as ever, and nothing is told as an incident."""
    made = failing(0.3)
    base = replay(SERVICE, made, made.judged)
    (floor,), beyond, now, _ = quieter(SERVICE, made, base, made.judged, rounds=3)

    assert 0.25 < floor.proposed <= LARGEST["share"]
    assert (beyond, now.lines) == ((), ())


def test_a_night_that_fell_to_nothing_is_an_incident() -> None:
    """A thousandth of the requests came: no volume floor of hundreds is proposed."""
    made = history(30, categories=0, sizes=(150_000, 90_000))
    made.counts[25] //= 1000
    base = replay(SERVICE, made, made.judged)
    floors, beyond, _, _ = quieter(SERVICE, made, base, made.judged, rounds=3)

    assert [each.setting for each in floors if each.proposed > LARGEST["ratio"]] == []
    assert ("volume", made.dates[25]) in {(each.measure, each.night) for each in beyond}
    assert isinstance(beyond[0], Beyond)
    assert all(each.slice == ALL_ROWS or each.slice.dimension for each in beyond)
