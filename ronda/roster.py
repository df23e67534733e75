"""What all DAGs share: which services are watched, and how their tasks are run. Imports nothing of Airflow."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from services.errors import ServiceFileError
from services.home import Home
from services.model import Service
from services.read import as_text, read_service, service_names
from services.window import night_of

START = datetime(2010, 1, 1, tzinfo=UTC)
"""Before any night: without catchup it only says that no night is too early to be run by hand."""

NOT_MENDED_BY_RETRY: Mapping[str, str] = {
    "services.errors.ServiceFileError": "the service file must be mended first",
    "services.errors.ReferenceMissingError": "a reference must be frozen first",
    "services.errors.UsageError": "the run must be started in another way",
    "services.errors.NightNotOverError": "the night must be over first",
}
"""Errors after which trying again is in vain -> why."""

_DAY = timedelta(days=1)


def services_on_watch(home: Home) -> tuple[dict[str, Service], dict[str, ServiceFileError]]:
    """The services whose files can be read, and what is wrong with the others, by names that are text.

    Raises:
        ServiceFileError: the home has no folder `services`.
    """
    read: dict[str, Service] = {}
    broken: dict[str, ServiceFileError] = {}
    for name in service_names(home):
        try:
            read[name] = read_service(name, home)
        except ServiceFileError as error:
            broken[as_text(name)] = ServiceFileError(as_text(str(error)))
        except Exception as error:  # noqa: BLE001 # no error of one file, foreseen or not, may hide the other services
            # the error's own words are left out: they may quote the file, secrets and all
            file = as_text(str(home.services / f"{name}.yaml"))
            broken[as_text(name)] = ServiceFileError(f"{file} cannot be read ({type(error).__name__}).")
    return read, broken


def dag_id(task: str, name: str) -> str:
    """The id of a service's DAG; a file whose name cannot be a service's gets one all the same, so that it is seen.

    >>> dag_id("nightly_round", "shop"), dag_id("nightly_round", "a b")
    ('nightly_round_shop', 'nightly_round_a-b-c8687a08')
    """
    known = re.sub(r"[^A-Za-z0-9_]", "-", name)[:100]
    if known != name:  # two names must not share an id: Airflow would show one of them
        known += f"-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
    return f"{task}_{known}"


def tags(name: str = "") -> list[str]:
    """What a DAG is found by in Airflow's pages; a tag has at most 100 letters there."""
    return ["ronda", name[:100]] if name else ["ronda"]


def ends_at(service: Service) -> datetime | None:
    """After this nothing is scheduled: the end of the day on which the round of the last night begins."""
    return None if service.until is None else night_of(service.until + _DAY, service.time_zone).end


def manner(owner: str, *, minutes: int, retries: int = 4) -> dict[str, Any]:
    """How tasks are run: who owns them, how long one may take, how often and when it is tried again.

    A log that is late is the usual trouble, so the tries spread over more than an hour.
    """
    return {
        "owner": owner,
        "retries": retries,
        "retry_delay": timedelta(minutes=5),
        "retry_exponential_backoff": True,
        "max_retry_delay": timedelta(minutes=40),
        "execution_timeout": timedelta(minutes=minutes),
        # a pool that does not exist leaves tasks waiting for ever, so another than Airflow's own is asked for
        "pool": os.environ.get("RONDA_POOL") or "default_pool",
    }


def manual(text: str, service: Service) -> str:
    """A DAG's documentation: what it does, and whom it concerns."""
    facts = {
        "Owner": service.owner,
        "Channel": service.slack,
        "Runbook": service.runbook,
        "Watched until": service.until,
        "Service file": f"services/{service.service}.yaml",
    }
    lines = [f"- {name}: {value}" for name, value in facts.items() if value]
    return "\n".join([f"# {service.service}", *lines, "", text.strip()])
