"""After a night whose outcomes are known, a dataset for the next training is made of the last nights.

Wakes when `nightly_round` has judged a night, and makes the dataset of the last `release.nights` nights (of the
service file), whose newest is the one whose outcomes matured with that night. With `release.every: 7` it does so
every seventh night; on the others it is *skipped*, and its log says which night makes the next one.

The dataset is immutable and has a version made of its content: run again on the same outcomes it is the same.

**To make it again**, run the night again in `nightly_round`, with the night as the partition key. By hand:
`airflow dags test <this DAG> -c '{"night": "2013-06-24"}'`, or `ronda release` for any other nights.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from airflow.sdk import (
    DAG,
    Asset,
    Connection,
    ExceptionRetryPolicy,
    Metadata,
    PartitionedAssetTimetable,
    RetryAction,
    RetryRule,
    get_current_context,
    task,
)
from airflow.sdk.exceptions import AirflowSkipException

from ronda.roster import NOT_MENDED_BY_RETRY, START, dag_id, manner, manual, services_on_watch, tags
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


def dataset_release(service: Service) -> DAG:
    """The DAG of a service that has outcomes."""
    name = service.service
    night_asset = Asset(name=f"ronda_night_{name}", uri=f"ronda://{name}/night")
    asset = Asset(name=f"ronda_release_{name}", uri=f"ronda://{name}/release")
    with DAG(
        dag_id("dataset_release", name),
        schedule=PartitionedAssetTimetable(assets=night_asset),
        start_date=START,
        catchup=False,
        max_active_runs=1,
        tags=tags(name),
        description=f"Makes datasets of the outcomes of {name}.",
        doc_md=manual(__doc__, service),
        default_args=manner(service.owner, minutes=120) | {"retry_policy": RETRY_POLICY},
    ) as made:

        @task(outlets=[asset], multiple_outputs=False)
        def release() -> Iterator[Any]:
            from ronda import nights, released, rounds
            from ronda.cli import clock
            from ronda.partition import no_release, release_window

            watch, night = rounds.begin(name, get_current_context(), clock, connection_url)
            if reason := no_release(watch.service, night.date):
                raise AirflowSkipException(reason)
            done = released.make(watch, release_window(watch.service, night.date), clock())
            print(released.text(watch, done))
            nights.finish(watch)
            found = released.plain(done)
            yield Metadata(asset, extra={key: found[key] for key in ("version", "rows_kept", "path")})
            return found

        release()
    return made


for each in services_on_watch(home_from())[0].values():
    if each.outcome is not None:
        globals()[dag_id("dataset_release", each.service)] = dataset_release(each)
