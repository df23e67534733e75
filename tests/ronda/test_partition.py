"""What a run is for: its night from the run, and the dataset that is due with it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ronda.partition import night_in, no_release, release_window
from services import read
from services.errors import UsageError
from services.model import Service
from services.strict_yaml import read_yaml


def service(**given: Any) -> Service:
    """A service in New York that has outcomes."""
    shipped = read_yaml(Path(read.__file__).parent / read.DEFAULTS)[0]
    outcome = {"event": "landed", "positive": "delay_min > 15", "window": "1d"}
    least = {
        "service": "eta",
        "owner": "o",
        "slack": "#s",
        "source": "x",
        "requests": "s.sql",
        "feedback": "f.sql",
    }
    return Service.model_validate(
        shipped | least | {"time_zone": "America/New_York", "outcome": outcome} | given
    )


@pytest.mark.parametrize(
    "context",
    [
        {"partition_key": "2013-03-10"},
        {"partition_key": "2013-03-10", "params": {"night": "2013-06-24"}},
        {"partition_key": None, "params": {"night": "2013-03-10"}},
        {"params": {"night": "2013-03-10"}},
    ],
)
def test_the_key_comes_before_the_parameter(context: dict[str, Any]) -> None:
    """A run's night is its partition key, else its parameter; it is the night of the service's own clock."""
    night = night_in(context, service())
    assert night.name == "2013-03-10"
    assert (night.start, night.end) == (
        datetime(2013, 3, 10, 5, tzinfo=UTC),
        datetime(2013, 3, 11, 4, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    "context", [{}, {"partition_key": None, "params": {"night": None}}, {"partition_key": "", "params": {}}]
)
def test_a_run_without_a_night_is_told_how_to_give_one(context: dict[str, Any]) -> None:
    """All three ways are named, with the DAG's own id."""
    with pytest.raises(UsageError) as caught:
        night_in(context | {"dag": SimpleNamespace(dag_id="dataset_release_eta")}, service())
    assert str(caught.value) == (
        "eta: this run has no night. Start it with one. In Airflow's pages: Trigger, Advanced Options, and the date as "
        'the Partition Key; by REST: {"logical_date": null, "partition_key": "2013-06-24"}; by hand: '
        'airflow dags test dataset_release_eta -c \'{"night": "2013-06-24"}\''
    )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("2013-02-30", "'2013-02-30', which is no date. Write it as 2013-06-24"),
        ("20130624", "'20130624', which is no date"),
        ("2013-W26-1", "which is no date"),
        ("2013-06-24T02:30:00", "which is no date"),
        ("yesterday", "'yesterday', which is no date"),
        (20130624, "'20130624', which is no date"),
        ("0001-01-01", "nights lie between 1970 and 2200"),
        ("9999-12-31", "nights lie between 1970 and 2200"),
    ],
)
def test_a_wrong_night_is_named(given: Any, said: str) -> None:
    """What was given stands in the error, and what would be right."""
    with pytest.raises(UsageError, match=said):
        night_in({"params": {"night": given}}, service())


def test_the_window_of_a_dataset() -> None:
    """The newest night is the one whose outcomes matured with this night; 42 nights are 42 nights."""
    window = release_window(service(release={"nights": 42, "every": 1}), date(2013, 6, 14))
    assert (window.first, window.last) == (date(2013, 5, 3), date(2013, 6, 13))
    slow = {"event": "back", "positive": "value == yes", "window": "36h"}
    window = release_window(service(release={"nights": 1, "every": 1}, outcome=slow), date(2013, 6, 14))
    assert (window.first, window.last) == (date(2013, 6, 12), date(2013, 6, 12))


def test_every_seventh_night_makes_a_dataset() -> None:
    """The same nights whenever it is asked; the others name the next one."""
    weekly = service(release={"nights": 28, "every": 7})
    days = [day for day in range(1, 31) if not no_release(weekly, date(2013, 6, day))]
    assert days == [2, 9, 16, 23, 30]
    assert no_release(weekly, date(2013, 6, 14)) == (
        "eta, 2013-06-14: no dataset with this night. One is made every 7 nights, the next with the night of 2013-06-16."
    )
    assert not no_release(service(release={"nights": 28, "every": 1}), date(2013, 6, 14))
