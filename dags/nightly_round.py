"""Every night this service's log is read, judged against what its model was trained on, and told.

| task | what it does |
|---|---|
| `mature` | makes the outcomes of the requests that have become old enough |
| `judge` | counts the night, compares it with the reference, writes its page |
| `tell` | sends every message that is due |

**When it fails** the log of the task ends with a sentence that says what was found and what to do. A log that is
late is tried again for more than an hour; a wrong service file, a missing reference or a run without a night is not.

**To run a night again**, or one that was missed: Trigger, Advanced Options, and the night as the Partition Key, such
as `2013-06-24`. By REST: `POST /api/v2/dags/<this DAG>/dagRuns` with
`{"logical_date": null, "partition_key": "2013-06-24"}`. On the same log nothing changes and nobody is told twice; rows
that came late make a new revision, which says what changed. Without a scheduler, and without dataset and training to
follow: `airflow dags test <this DAG> -c '{"night": "2013-06-24"}'`.

**A task `service_file`** instead of these says that the service's file cannot be read: mend it, nothing else is hurt.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from airflow.sdk import (
    DAG,
    Asset,
    Connection,
    CronPartitionTimetable,
    ExceptionRetryPolicy,
    Metadata,
    RetryAction,
    RetryRule,
    get_current_context,
    task,
)

from monitoring.lateness import schedule_of
from ronda.roster import NOT_MENDED_BY_RETRY, START, dag_id, ends_at, manner, manual, services_on_watch, tags
from services.home import home_from
from services.model import Service

# What a task needs is imported when it runs: this file is read again and again.
# ruff: noqa: PLC0415

RETRY_POLICY = ExceptionRetryPolicy(
    [RetryRule(error, RetryAction.FAIL, reason=why) for error, why in NOT_MENDED_BY_RETRY.items()]
)


def connection_url(name: str) -> str:
    """One of Airflow's connections as a URL, for a service whose source is `airflow:NAME`."""
    return Connection.get(name).get_uri()


def nightly_round(service: Service) -> DAG:
    """The DAG of a service."""
    name = service.service
    asset = Asset(name=f"ronda_night_{name}", uri=f"ronda://{name}/night")
    with DAG(
        dag_id("nightly_round", name),
        schedule=CronPartitionTimetable(
            schedule_of(service), timezone=service.time_zone, run_offset=-1, key_format="%Y-%m-%d"
        ),
        start_date=START,
        end_date=ends_at(service),
        catchup=False,
        max_active_runs=1,
        tags=tags(name),
        description=f"Judges each night of {name}.",
        doc_md=manual(__doc__, service),
        default_args=manner(service.owner, minutes=120) | {"retry_policy": RETRY_POLICY},
    ) as made:

        @task(multiple_outputs=False)
        def mature() -> dict[str, Any]:
            from ronda import rounds
            from ronda.cli import clock

            watch, night = rounds.begin(name, get_current_context(), clock, connection_url)
            return rounds.plain_outcomes(night, rounds.mature(watch, night, clock))

        @task(outlets=[asset], multiple_outputs=False)
        def judge() -> Iterator[Any]:
            from ronda import nights, rounds
            from ronda.cli import clock

            watch, night = rounds.begin(name, get_current_context(), clock, connection_url)
            found = rounds.plain_night(rounds.judge(watch, night, clock))
            print(f"Pages of all nights: {nights.place(watch, nights.finish(watch))}")
            yield Metadata(
                asset, extra={key: found[key] for key in ("night", "revision", "standing", "rows")}
            )
            return found

        @task(multiple_outputs=False)
        def tell() -> dict[str, int]:
            from ronda.cli import clock
            from ronda.sending import send_due

            return send_due(clock)

        mature() >> judge() >> tell()
    return made


def broken_file(name: str, error: Exception) -> DAG:
    """The DAG that stands in for a service whose file cannot be read."""
    said = str(error)
    with DAG(
        dag_id("nightly_round", name),
        schedule=CronPartitionTimetable("30 2 * * *", timezone="UTC", run_offset=-1, key_format="%Y-%m-%d"),
        start_date=START,
        catchup=False,
        max_active_runs=1,
        tags=tags(name),
        description=f"services/{name}.yaml cannot be read.",
        doc_md=f"# {name}\n\n```\n{said}\n```\n\n{__doc__}",
        default_args=manner("ronda", minutes=5) | {"retry_policy": RETRY_POLICY},
    ) as made:

        @task
        def service_file() -> None:
            from services.errors import ServiceFileError

            raise ServiceFileError(said)

        service_file()
    return made


read, broken = services_on_watch(home_from())
for each in read.values():
    globals()[dag_id("nightly_round", each.service)] = nightly_round(each)
for its_name, its_error in broken.items():
    globals()[dag_id("nightly_round", its_name)] = broken_file(its_name, its_error)
