"""Numbers of a night are held against those the state keeps: speed over all rows, the outcome in its slices too."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from feedback.night import mature
from monitoring import files
from monitoring.night import judge
from monitoring.page import feature_lines, place_lines
from monitoring.records import ALL_ROWS, NUMBERS, OF, Slice
from monitoring.verdicts.incidents import Key
from services.window import night_of
from store.ledger import findings_of
from store.state import reading

NOW = datetime(2026, 5, 20, tzinfo=UTC)
NATAL = Slice("city", "Natal")


def slower(columns: dict[str, Any]) -> None:
    """Answers take twice as long, and nothing else moves."""
    columns["latency_ms"] = columns["latency_ms"] * 2


def faster(columns: dict[str, Any]) -> None:
    """Answers take half as long."""
    columns["latency_ms"] = columns["latency_ms"] / 2


def test_a_slow_night_moved(nights: Any) -> None:
    """Twice as slow is found among the numbers of the service, handed on, and kept in the state."""
    nights.write_night(nights.night, slower)
    written = nights.run()
    numbers = [each for each in written.judged.findings if each.measure in NUMBERS]
    with reading(nights.watch().state) as connection:
        kept = {each.measure: each for each in findings_of(connection, written.recorded.id)}

    assert {each.measure for each in numbers} == {"volume", "errors", "latency_ms"}
    assert [each.measure for each in numbers if each.verdict == "drifted"] == ["latency_ms"]
    assert [each.key for each in written.judged.moved] == [Key("latency_ms", "", "")]
    assert (kept["latency_ms"].outcome, kept["latency_ms"].direction) == ("drifted", "up")
    assert kept["latency_ms"].current_value == pytest.approx(2 * kept["latency_ms"].reference_value, rel=0.1)


def test_a_fast_night_is_no_incident(nights: Any) -> None:
    """Twice as fast is found, and nothing is handed on."""
    nights.write_night(nights.night, faster)
    judged = nights.run().judged

    assert [each.measure for each in judged.findings if each.verdict == "drifted"] == ["latency_ms"]
    assert judged.moved == ()


def test_nights_of_an_incident_are_set_apart(nights: Any) -> None:
    """What is known of the latency rests on the nights that are not its incident's; the volume's on all."""
    night, inside = night_of(nights.night, "UTC"), frozenset(nights.past[2:6])
    plain, without = (
        {
            each.measure: each
            for each in judge(nights.watch(), night, apart).findings
            if each.measure in NUMBERS
        }
        for apart in ({}, {("latency_ms", ""): inside})
    )

    assert without["latency_ms"].visible != pytest.approx(plain["latency_ms"].visible, rel=0.01)
    assert without["volume"].visible == pytest.approx(plain["volume"].visible, rel=0.01)


def test_numbers_are_no_features_of_the_page(nights: Any) -> None:
    """The findings of numbers, guards among them, make no line of a feature."""
    judged = nights.run().judged
    guard = replace(judged.findings[0], measure="guard", feature="orders", slice=ALL_ROWS)
    lines = feature_lines(
        nights.watch().service, judged.reference.kinds, judged.grids, judged.before, judged.current,
        [*judged.findings, guard],
    )  # fmt: skip

    assert {each.name for each in lines} == {*judged.reference.kinds, "prediction"}
    assert not {each.measure for line in lines for each in line.findings} & NUMBERS


def unhappy_natal(shop: Any, day: date) -> None:
    """All feedback of one city is bad."""
    shop.write_night(day)
    table = shop.tables["feedback"][day]
    requests = shop.tables["requests"][day]
    there = set(requests.filter(pc.equal(requests["city"], "Natal"))["request_id"].to_pylist())
    values = ["bad" if each["request_id"] in there else each["value"] for each in table.to_pylist()]
    place = table.column_names.index("value")
    shop.write("feedback", day, table.set_column(place, "value", pa.array(values)))


def test_an_outcome_that_moved_in_one_city_is_found_there(nights: Any) -> None:
    """Told a night late, from what the nights before told of the same city: the city is named, and no other."""
    day = timedelta(days=1)
    unhappy_natal(nights, nights.night - day)
    for each in (*nights.past[-7:], nights.night):
        mature(nights.watch(), night_of(each, "UTC"), NOW)
        written = nights.run(each)
    outcome = [each for each in written.judged.findings if each.measure == "outcome"]

    assert {(each.slice, each.verdict) for each in outcome} == {(ALL_ROWS, "drifted"), (NATAL, "drifted")}
    assert {(each.key, each.up) for each in written.judged.moved} == {
        (Key("outcome", "", ""), True), (Key("outcome", "", f"city{OF}Natal"), True),
    }  # fmt: skip


def test_an_outcome_of_a_city_is_dated_by_its_own_night(nights: Any) -> None:
    """What is told a night late belongs to the night before, as do all before it; errors belong to tonight."""
    day = timedelta(days=1)
    for each in (*nights.past[-7:], nights.night):
        mature(nights.watch(), night_of(each, "UTC"), NOW)
        written = nights.run(each)
    lines = place_lines(nights.watch().service, written.judged)
    of_natal = {each.name: each for each in lines if each.subject == f"city{OF}Natal"}

    assert of_natal["outcome.slice"].of_night == nights.night - day
    assert of_natal["errors.slice"].of_night == nights.night
    known = {each.night for each in written.judged.past.outcomes}
    assert {night for night, value in of_natal["outcome.slice"].history if value is not None} <= known
    assert of_natal["outcome.slice"].history[-1][0] == nights.night - 2 * day
    assert of_natal["outcome.slice"].history[-1][1] is not None


def test_the_night_before_an_incident_opens_is_no_part_of_usual(
    nights: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two nights open it: on the second, the page holds the number against the nights before both."""
    pages, render = [], files.render
    monkeypatch.setattr(files, "render", lambda page, story: pages.append(page) or render(page, story))
    for each in (nights.past[-1], nights.night):
        nights.write_night(each, lambda columns: columns.update(latency_ms=columns["latency_ms"] * 1.35))
        nights.run(each)
    first, second = ({line.name: line for line in page.numbers}["latency_ms"] for page in pages)

    assert [len(page.incidents) for page in pages] == [0, 1]
    assert second.apart == {nights.past[-1]}
    assert second.usual == pytest.approx(first.usual)
