"""A backtest says what stored nights would have told, how soon changes are seen, and which floors to change."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from judged_series import service as service_with
from monitoring.backtest import Backtest, backtest, is_small, plain
from monitoring.delays import TIMES, WITHIN, delays, keys_of, starts_of
from monitoring.quieter import above, quieter, setting_of, unheld, with_floors
from monitoring.records import ALL_ROWS, Number, Slice
from monitoring.replayed import History, replay
from store.canonical import canonical_json
from stored_nights import history

SERVICE = service_with(slices=["city", "app"], critical=["errors"])
SMALL = (1500, 900)
STATUS = slice(-4, None)


def bursts(nights: int = 40, points: float = 0.05, at: tuple[int, ...] = (25, 26)) -> History:
    """Calm nights, but for some on which more requests fail, in all slices alike."""
    made = history(nights, categories=0, sizes=SMALL)
    for night in at:
        own = made.counts[night]
        more = (own[:, -4] * points).astype(np.int32)
        own[:, -4] -= more
        own[:, -3] += more
    return made


@pytest.fixture(scope="module")
def calm() -> Backtest:
    """Of three quiet weeks."""
    found = backtest(SERVICE, history(21, categories=0, sizes=(1500,), reference=14))
    assert found is not None
    return found


def test_a_calm_history_predicts_no_page(calm: Backtest) -> None:
    """Every night from the eighth on is judged, nothing is raised, and no floor is to be changed for it."""
    assert (calm.nights, str(calm.first), str(calm.last)) == (14, "2026-01-12", "2026-01-25")
    assert (calm.raised, calm.pages_a_month, calm.quieter, calm.left) == ((), 0.0, (), ())


def test_changes_are_seen_the_sooner_the_larger_they_are(calm: Backtest) -> None:
    """Four floors over all rows are told at once or after two nights, one floor later or not at all; all are bounded."""
    told = {(each.measure, each.slice, each.times): each for each in calm.delays}
    whole = [each for each in calm.delays if not each.slice]

    assert {each.measure for each in whole} == {"distribution", "null_share", "errors", "volume"}
    assert {each.times for each in whole} == set(TIMES)
    for each in calm.delays:
        assert len(each.seen) == len(each.told) == len(calm.starts) == 3
        for seen, said in zip(each.seen, each.told, strict=True):
            assert said is None or (seen is not None and 1 <= seen <= said <= WITHIN)
    for each in whole:
        if each.times == 4:
            assert {night in {1, 2} for night in each.told} == {True}
    one, four = (
        [WITHIN + 1 if n is None else n for n in told["distribution", "", times].told] for times in (1, 4)
    )
    assert sum(one) > sum(four)
    assert told["errors", "", 4].pages
    assert not told["distribution", "", 4].pages


def test_a_wild_history_proposes_a_floor_that_keeps_it_silent() -> None:
    """Two ordinary nights of failures are one page; the floor that is proposed is just large enough."""
    made = bursts(30, at=(25, 26))
    base = replay(SERVICE, made, made.judged)
    (floor,), _, now, _ = quieter(SERVICE, made, base, made.judged, rounds=3)

    assert [(line.lead.key.measure, line.severity, line.first) for line in base.lines] == [
        ("errors", "critical", made.dates[25])
    ]
    assert (floor.setting, floor.now, floor.silences) == ("floors.share", 0.02, (made.dates[25],))
    assert now.lines == ()
    silent = with_floors(SERVICE, {("errors", ""): floor.proposed})
    assert replay(silent, made, made.judged).lines == ()
    less = with_floors(SERVICE, {("errors", ""): floor.proposed / 2})
    assert replay(less, made, made.judged).lines != ()


def test_an_input_that_moved_is_no_page() -> None:
    """It is raised, and has its floor proposed, but a message of its own is not predicted for it."""
    made = history(40, numbers=1, categories=0, sizes=SMALL)
    for night in (25, 26):
        own = made.counts[night]
        more = own[:, 1] // 2
        own[:, 1] -= more
        own[:, 4] += more
    places = made.judged
    base = replay(SERVICE, made, places)
    floors, _, now, done = quieter(SERVICE, made, base, places, rounds=3)

    assert [(each.severity, each.lead.key.feature) for each in base.lines] == [("minor", "number_0")]
    assert [each.setting for each in floors] == ["features.rules.number_0.floor"]
    assert now.lines == ()
    assert 1 <= done <= 3


def test_all_of_an_incident_is_kept_silent() -> None:
    """Three inputs that move together are one incident; a floor is proposed for each, since one would not do."""
    made = history(24, numbers=3, categories=0, sizes=(1500,))
    for night in (20, 21):
        for start in (0, 8, 16):
            own = made.counts[night, :, start : start + 8]
            more = own[:, 1] // 2
            own[:, 1] -= more
            own[:, 4] += more
    base = replay(SERVICE, made, made.judged)
    floors, _, now, done = quieter(SERVICE, made, base, made.judged, rounds=3)

    assert len(base.lines) == 1
    assert [each.setting for each in floors] == [f"features.rules.number_{n}.floor" for n in range(3)]
    assert (now.lines, done) == ((), 2)


def test_the_same_history_gives_the_same_result(calm: Backtest) -> None:
    """Byte for byte, and another history gives another one."""
    made = (history(11, seed, categories=0, sizes=(900,), reference=0) for seed in (3, 3, 4))
    one, again, other = (canonical_json(plain(found)) for each in made if (found := backtest(SERVICE, each)))

    assert one == again != other
    assert plain(calm)["pages_a_month"] == 0.0


@pytest.mark.parametrize(("nights", "judged"), [(7, 0), (8, 1), (10, 3)])
def test_eight_nights_suffice(nights: int, judged: int) -> None:
    """With seven nobody can be judged; with eight the last one is."""
    made = history(nights, categories=0, sizes=(900,), reference=0)

    assert len(made.judged) == judged
    found = backtest(SERVICE, made)
    assert (found.nights if found else 0) == judged


def test_a_night_knows_nothing_of_those_after_it() -> None:
    """What is said of a night does not change with the nights that follow."""
    made = bursts(at=(25, 26, 33, 34))
    early = replay(SERVICE, made, made.judged[:-10])
    late = replay(SERVICE, bursts(), made.judged)

    assert early.findings == {night: late.findings[night] for night in early.findings}
    assert early.moved == {night: late.moved[night] for night in early.moved}


def test_nights_inside_an_incident_are_left_out_of_what_is_usual() -> None:
    """As on real nights: failures that stay are told for weeks, and do not wear off as their nights fill the bank."""
    made = bursts(points=0.08, at=tuple(range(20, 40)))
    (line,) = replay(SERVICE, made, made.judged).lines

    assert (line.first, line.last) == (made.dates[20], made.dates[39])


def test_numbers_that_are_stored_are_replayed() -> None:
    """A latency that doubles for three nights is raised, though the counts know nothing of it."""
    made = history(30, categories=0, sizes=SMALL)
    rng = np.random.default_rng(1)
    value = dict(zip(made.dates, 80 * rng.lognormal(0, 0.03, 30), strict=True))
    for night in made.dates[-3:]:
        value[night] *= 2
    numbers = {day: (Number("latency_ms", "", float(each), None, 2000),) for day, each in value.items()}
    found = replay(SERVICE, replace(made, numbers=numbers), made.judged)

    assert [(line.lead.key.measure, line.first) for line in found.lines] == [("latency_ms", made.dates[-3])]
    assert replay(SERVICE, made, made.judged).lines == ()


def test_less_is_seen_in_less_traffic() -> None:
    """All rows first, then the slice that sees least; forty requests cannot hold a floor, and it is said what they can."""
    made = history(14, categories=0, sizes=(3000, 40), reference=7)
    found = backtest(SERVICE, made)
    assert found is not None
    sights = {each.slice: each for each in found.sights}
    tiny = Slice("city", "c1")

    assert (found.sights[0].slice, found.sights[1].slice) == (ALL_ROWS, tiny)
    assert sights[tiny].rows == pytest.approx(40, abs=5)
    assert (sights[tiny].floors or np.inf) > 1.2 * (sights[ALL_ROWS].floors or np.inf)
    dim = {(each.measure, each.slice): each for each in found.unheld}
    assert dim["errors", tiny].floors > 4
    assert dim["errors", tiny].visible == pytest.approx(dim["errors", tiny].floors * 0.02)
    assert not any(where == ALL_ROWS for _, where in dim)
    assert found.unheld_in_all == len(found.unheld) < found.unheld_of
    assert not any(key[2].startswith("city") and key[2].endswith("c1") for key in _looked_at(found))


def _looked_at(found: Backtest) -> set[tuple[str, str, str]]:
    return {(each.measure, each.feature, each.slice) for each in found.delays}


def test_what_is_not_measured_has_no_floor_to_hold() -> None:
    """A finding of a slice without rows is none of those that see too little."""
    made = history(10, categories=0, sizes=(900,), reference=0)
    found = replay(SERVICE, made, made.judged)
    none = {
        night: [replace(each, rows_current=0, visible=None) for each in own]
        for night, own in found.findings.items()
    }
    blind = {night: [replace(each, visible=None) for each in own] for night, own in found.findings.items()}

    assert unheld(none) == ()
    assert {each.visible for each in unheld(blind)} == {None}


def test_a_change_begins_where_little_moved_by_itself() -> None:
    """Starts keep off the bursts, and lie some days apart."""
    made = bursts(35, at=(26, 27))
    base = replay(SERVICE, made, made.judged)
    starts = starts_of(made, base)

    assert len(starts) == 3
    assert all(not {26, 27} & set(range(start - 2, start + WITHIN)) for start in starts)
    assert all(b - a > 1 for a, b in pairwise(starts))


def test_what_is_changed_is_bounded() -> None:
    """At most twelve keys, whatever is watched: over all rows, in a middle slice and in a small one with rows enough."""
    made = history(9, numbers=4, categories=4, reference=0)
    made.counts[..., 8] += made.counts[..., 15]  # number_1 has no null any more
    made.counts[..., 15] = 0
    keys = keys_of(SERVICE, made)

    assert len(keys) == 11
    assert {slot for _, _, slot in keys} == {0, 2, 4}
    assert {feature for measure, feature, _ in keys if measure == "distribution"} == {"number_1", "place_0"}


def test_a_large_history_costs_no_more_than_a_minute() -> None:
    """By its size alone fewer nights are judged; what is beyond that is done only when it is asked for."""
    made = history(9, categories=0, sizes=(900,), reference=0)
    wide = replace(made, reference=np.zeros((200, 14_000), dtype=np.int64))

    assert is_small(made)
    assert not is_small(wide)


def test_delays_count_what_they_judge() -> None:
    """One key, one start: a plain change takes a night or two, and the nights after it are not judged."""
    made = history(20, categories=0, sizes=(1500,), reference=0)
    base = replay(SERVICE, made, made.judged)
    found, nights = delays(SERVICE, made, base, [("errors", "", 0)], [12])

    assert [each.times for each in found] == list(TIMES)
    assert found[2].told == (1,)
    assert nights == sum(WITHIN if each.told[0] is None else each.told[0] for each in found)


@pytest.mark.parametrize(
    ("measure", "feature", "setting"),
    [
        ("distribution", "fare", "features.rules.fare.floor"),
        ("unseen_share", "city", "floors.share"),
        ("outcome", "", "floors.share"),
        ("cost", "", "floors.volume"),
        ("guard", "orders", "guards.orders.floor"),
    ],
)
def test_a_floor_is_set_where_the_service_file_has_it(measure: str, feature: str, setting: str) -> None:
    """And nowhere else: every other floor stays what it was."""
    given: Any = service_with(guards={"orders": {"query": "sql/orders.sql"}})
    made = with_floors(given, {(measure, feature): 0.5}).model_dump()
    rules = made["features"].pop("rules")
    before = given.model_dump()
    before["features"].pop("rules")
    found = {f"features.rules.{name}.floor": rule["floor"] for name, rule in rules.items()}
    found |= {f"floors.{n}": v for n, v in made["floors"].items() if v != before["floors"][n]}
    found |= {
        f"guards.{n}.floor": v["floor"]
        for n, v in made["guards"].items()
        if v["floor"] != before["guards"][n]["floor"]
    }

    assert found == {setting: 0.5}
    assert setting_of(measure, feature) == setting


@pytest.mark.parametrize(
    ("value", "next_one"), [(0.02, 0.021), (0.0999, 0.1), (0.1, 0.11), (1.0, 1.1), (37.2, 38.0)]
)
def test_two_digits_and_above(value: float, next_one: float) -> None:
    """A floor that is proposed is larger than what it is to silence, by less than a tenth."""
    assert above(value) == next_one


def test_gaps_in_the_nights_are_no_history() -> None:
    """A night is held against the fifty-six days before it, not against so many nights."""
    made = history(16, categories=0, sizes=(900,), reference=0)
    days = made.dates[:8] + tuple(day + timedelta(days=100) for day in made.dates[8:])

    assert replace(made, dates=days).judged == (7, 15)
