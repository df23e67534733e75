"""What a run in Airflow is for: its night, and the dataset that is due with it. Imports nothing of Airflow."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from services.errors import UsageError
from services.model import Service
from services.window import FIRST_YEAR, LAST_YEAR, Night, Window, cohort_of, night_of, window_between


def night_in(context: Mapping[str, Any], service: Service) -> Night:
    """The night that a run is for: its partition key, or else its parameter `night`.

    Args:
        context: of the task, as Airflow gives it.

    Raises:
        UsageError: there is neither, or it is no date.
    """
    name, dag = service.service, _dag_id(context, service)
    given = context.get("partition_key") or (context.get("params") or {}).get("night")
    if not given:
        raise UsageError(
            f"{name}: this run has no night. Start it with one. In Airflow's pages: Trigger, Advanced Options, and "
            'the date as the Partition Key; by REST: {"logical_date": null, "partition_key": "2013-06-24"}; by hand: '
            f'airflow dags test {dag} -c \'{{"night": "2013-06-24"}}\''
        )
    day = _date(str(given))
    if day is None:
        raise UsageError(
            f"{name}: the night of this run is given as {str(given)[:60]!r}, which is no date. Write it as 2013-06-24."
        )
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise UsageError(
            f"{name}: the night of this run is {day}, and nights lie between {FIRST_YEAR} and {LAST_YEAR}."
        )
    return night_of(day, service.time_zone)


def _date(written: str) -> date | None:
    if not re.fullmatch(
        r"\d{4}-\d\d-\d\d", written, re.ASCII
    ):  # fromisoformat takes 20130624 and 2013-W26-1 too
        return None
    try:
        return date.fromisoformat(written)
    except ValueError:
        return None


def _dag_id(context: Mapping[str, Any], service: Service) -> str:
    return getattr(context.get("dag"), "dag_id", None) or f"nightly_round_{service.service}"


def release_window(service: Service, night: date) -> Window:
    """The nights of the dataset that is made with a night: the newest is the one whose outcomes matured with it."""
    assert service.outcome is not None  # a service without one has no dataset
    newest = cohort_of(night, service.outcome.window)
    oldest = newest - timedelta(days=service.release.nights - 1)
    return window_between(oldest, newest, service.time_zone)


def no_release(service: Service, night: date) -> str:
    """Why no dataset is made with a night, as a sentence; empty if one is.

    Every `release.every`-th night makes one, counted so that the same nights do whenever it is asked.
    """
    ahead = -night.toordinal() % service.release.every
    if not ahead:
        return ""
    return (
        f"{service.service}, {night}: no dataset with this night. One is made every {service.release.every} nights, "
        f"the next with the night of {night + timedelta(days=ahead)}."
    )
