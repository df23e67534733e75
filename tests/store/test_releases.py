"""Outcomes and releases: recorded once, and never with numbers that do not add up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from services.errors import StateError
from store import releases
from store.releases import OutcomeRow, ReleaseRow, record_outcome, record_release
from store.rows import Recorded
from store.state import open_state, reading, writing

Everything = Callable[[sa.Engine], dict[str, list[tuple[object, ...]]]]
AtOnce = Callable[[Callable[[int], Recorded], int], list[Recorded]]

START = datetime(2013, 1, 1, 5, tzinfo=UTC)
NOW = datetime(2013, 7, 2, 3, tzinfo=UTC)
JUNE_24 = date(2013, 6, 24)

OUTCOME = OutcomeRow("flight_delay", JUNE_24, "o1", 86_400, 97, 90, 20, "outcomes/o1.parquet", NOW)
RELEASE = ReleaseRow("flight_delay", "abc", START, NOW, 90, 80, "releases/abc", "m1", NOW)


def test_outcomes_are_revised_like_nights(state: sa.Engine) -> None:
    """Same content: nothing; other content: a revision; only the latest is read."""
    counts = {"mature": 90, "no_event": 7}
    with writing(state) as connection:
        assert record_outcome(connection, OUTCOME, counts) == Recorded(1, 1, is_new=True)
        assert record_outcome(connection, OUTCOME, counts) == Recorded(1, 1, is_new=False)
        more = replace(OUTCOME, content_sha="o2", mature=91)
        assert record_outcome(connection, more, {"mature": 91, "no_event": 6}) == Recorded(2, 2, is_new=True)
        record_outcome(connection, replace(OUTCOME, night=date(2013, 6, 20)), counts)
    with reading(state) as connection:
        latest = releases.latest_outcome(connection, "flight_delay", JUNE_24)
        before = releases.outcomes_before(connection, "flight_delay", JUNE_24)
        both = releases.latest_outcomes(connection, "flight_delay", date(2013, 6, 1), JUNE_24)

        assert latest == replace(more, id=2, revision=2)
        assert [(row.night.day, row.revision) for row in before] == [(20, 1)]
        assert [(row.night.day, row.revision) for row in both] == [(20, 1), (24, 2)]
        assert releases.outcome_counts_of(connection, 2) == {"mature": 91, "no_event": 6}
        assert releases.outcomes_before(connection, "flight_delay", JUNE_24, nights_back=3) == []


@pytest.mark.parametrize(
    ("row", "counts", "message"),
    [
        (OUTCOME, {"mature": 90}, "97 rows were read, but 90 are accounted for"),
        (replace(OUTCOME, positive=91), {"mature": 97}, "91 positive of 90 mature of 97 requests cannot be"),
        (replace(OUTCOME, mature=98), {"mature": 97}, "20 positive of 98 mature of 97 requests cannot be"),
    ],
)
def test_outcomes_that_do_not_add_up(
    state: sa.Engine, row: OutcomeRow, counts: dict[str, int], message: str, everything: Everything
) -> None:
    """Nothing is recorded, and the message names service and night."""
    with pytest.raises(StateError) as refused, writing(state) as connection:
        record_outcome(connection, row, counts)

    assert str(refused.value).startswith("service flight_delay, outcomes of night 2013-06-24: ")
    assert message in str(refused.value)
    assert everything(state)["outcomes"] == []


def test_a_release_is_recorded_once(state: sa.Engine, everything: Everything) -> None:
    """The same version again is nothing new; with another manifest it is refused."""
    counts = {"kept": 80, "immature": 10}
    with writing(state) as connection:
        assert record_release(connection, RELEASE, counts) == Recorded(1, 1, is_new=True)
    before = everything(state)
    with writing(state) as connection:
        later = replace(RELEASE, recorded_at=NOW + timedelta(days=1))
        assert record_release(connection, later, counts) == Recorded(1, 1, is_new=False)
    with pytest.raises(StateError) as refused, writing(state) as connection:
        record_release(connection, replace(RELEASE, manifest_sha="m2"), counts)
    assert "release abc exists already with another manifest (sha256 m1, this one m2)" in str(refused.value)

    assert everything(state) == before
    with writing(state) as connection:
        record_release(connection, replace(RELEASE, version="def"), counts)
        assert [row.version for row in releases.releases_of(connection, "flight_delay")] == ["abc", "def"]
        assert releases.releases_of(connection, "flight_delay")[0] == replace(RELEASE, id=1)
        assert releases.release_counts_of(connection, 1) == counts
        assert releases.releases_of(connection, "eta") == []


def test_eight_makers_of_one_release(state: sa.Engine, state_url: str, at_once: AtOnce) -> None:
    """Exactly one is told that it is new."""
    engines = [open_state(state_url) for _ in range(8)]

    def make(worker: int) -> Recorded:
        with writing(engines[worker]) as connection:
            return record_release(connection, RELEASE, {"kept": 80, "immature": 10})

    assert sorted(row.is_new for row in at_once(make, 8)) == [False] * 7 + [True]
    for engine in engines:
        engine.dispose()
