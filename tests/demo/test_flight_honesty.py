"""Nothing in a request is known only later, and the same input gives the same bytes."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from demo import flight_model, flight_tables
from demo.flight_delay import build_tables, write_tables
from demo.flight_tables import WEATHER, Sources

OUTCOME = ["dep_time", "dep_delay", "arr_time", "arr_delay", "air_time"]


def bytes_below(folder: Path) -> dict[str, str]:
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.glob("*/night=*/*"))
    }


def with_another_year_after_march(sources: Sources) -> Sources:
    """The same schedule, but from April on each flight goes as the next one in the file did."""
    flights = sources.flights.copy()
    later = flights["month"] > 3
    flights.loc[later, OUTCOME] = flights.loc[later, OUTCOME].shift(-1, fill_value=1).to_numpy()
    return replace(sources, flights=flights)


def test_a_second_run_writes_the_same_bytes_whatever_happened_later(
    folder: Path, sources: Sources, tmp_path: Path
) -> None:
    """Requests and training rows are equal byte for byte when the flights of April to December went otherwise."""
    write_tables(build_tables(with_another_year_after_march(sources)), tmp_path)

    first, second = bytes_below(folder), bytes_below(tmp_path)
    changed = {name for name in second if first.get(name) != second[name]}
    assert len(second) > 1_000
    assert {name.split("/")[0] for name in changed} == {"feedback"}
    assert min(changed) > "feedback/night=2013-03-31"


def test_weather_is_the_report_of_the_hour_before(sources: Sources) -> None:
    """A flight at 05:15 knows the report of 4 o'clock; the one of its own hour may be younger than it."""
    flight = replace(sources, flights=sources.flights.head(1))
    hours = flight.weather["time_hour"]

    def features_without(hour: str) -> list[float]:
        weather = flight.weather.copy()
        weather.loc[hours == hour, list(WEATHER)] = -1.0
        return flight_tables.flights_frame(replace(flight, weather=weather))[list(WEATHER)].iloc[0].tolist()

    assert set(features_without("2013-01-01T09:00:00Z")) == {-1.0}
    assert -1.0 not in features_without("2013-01-01T10:00:00Z")


def test_no_day_is_scored_by_a_model_that_saw_it(sources: Sources) -> None:
    """The five folds are whole days, and each day of the quarter is held out exactly once."""
    frame = flight_tables.flights_frame(sources)
    in_quarter = frame["night"].between(flight_model.TRAINED_FROM, flight_model.TRAINED_TO)

    folds = flight_model._day_folds(frame["night"], in_quarter)

    days = [set(frame.loc[fold, "night"]) for fold in folds]
    assert [len(fold) for fold in days] == [18, 18, 18, 18, 18]
    assert len(set().union(*days)) == 90
    assert pd.concat(folds, axis=1).sum(axis=1).eq(in_quarter.astype(int)).all()


def test_the_month_and_the_aeroplane_are_no_inputs() -> None:
    """The model has seen three months of twelve and most aeroplanes a few times: it uses neither."""
    assert set(flight_tables.FEATURES) - set(flight_model.INPUTS) == {"month", "tailnum"}


@pytest.mark.parametrize(
    ("column", "value", "found"),
    [
        ("time_hour", "2013-01-01T11:00:00Z", "local and UTC times disagree"),
        ("dest", "XXX", "destinations without a time zone"),
    ],
)
def test_other_data_are_refused(sources: Sources, column: str, value: str, found: str) -> None:
    """Another version of the package, whose times or airports do not add up, is refused and not guessed at."""
    flights = sources.flights.head(5).copy()
    flights.loc[2, column] = value

    with pytest.raises(flight_tables.UsageError, match=found):
        flight_tables.flights_frame(replace(sources, flights=flights))


def test_a_flight_twice_is_refused(sources: Sources) -> None:
    """A request id stands for one flight."""
    flights = pd.concat([sources.flights.head(2), sources.flights.head(1)], ignore_index=True)

    with pytest.raises(flight_tables.UsageError, match="same flight twice"):
        flight_tables.flights_frame(replace(sources, flights=flights))
