"""A new dataset becomes a new model, which replaces the one that serves only where it is better.

| task | what it does |
|---|---|
| `retrain` | fits a model on the dataset, holds it against what served, on nights neither has seen, and says so in its log |
| `promoted` | says once to whoever waits for it that there is a new model; *skipped* when the old one stays |

Wakes when `dataset_release` has made a dataset. A model that is not promoted is no failure: the log says why, with the
numbers of both. Run again on the same dataset, the same model and verdict come out, and nothing is written.

**To run it again**, run the night again in `nightly_round`. By hand:
`airflow dags test <this DAG> -c '{"night": "2013-06-24"}'`.
"""

from __future__ import annotations

import warnings
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


def model_retrain(service: Service) -> DAG:
    """The DAG of a service that says how it is trained."""
    name = service.service
    release_asset = Asset(name=f"ronda_release_{name}", uri=f"ronda://{name}/release")
    asset = Asset(name=f"ronda_model_{name}", uri=f"ronda://{name}/model")
    with DAG(
        dag_id("model_retrain", name),
        schedule=PartitionedAssetTimetable(assets=release_asset),
        start_date=START,
        catchup=False,
        max_active_runs=1,
        tags=tags(name),
        description=f"Trains {name} on its newest dataset.",
        doc_md=manual(__doc__, service),
        default_args=manner(service.owner, minutes=360, retries=2) | {"retry_policy": RETRY_POLICY},
    ) as made:

        @task(multiple_outputs=False)
        def retrain() -> dict[str, Any]:
            from rollout import shown
            from rollout.retrain import retrain
            from ronda import nights, rounds
            from ronda.cli import clock
            from ronda.partition import release_window
            from ronda.released import code_commit

            # scikit-learn's file format asks every module for every name, and Airflow's modules warn each time
            warnings.filterwarnings("ignore", message=r"The `airflow\.")
            context = get_current_context()
            watch, night = rounds.begin(name, context, clock, connection_url)
            # a run that a dataset woke is for that one, even if its nights were released again since
            version = rounds.woken_by(context["triggering_asset_events"].get(release_asset, ()))
            release = rounds.release_of(watch, release_window(watch.service, night.date), version)
            done = retrain(watch, release.version, clock(), code_commit=code_commit())
            print(shown.text(done))
            nights.finish(watch)
            found = shown.plain(done)
            told = ("model_version", "promoted", "reason", "path")
            return {"night": night.name, "release": release.version} | {key: found[key] for key in told}

        @task(inlets=[asset], outlets=[asset], multiple_outputs=False)
        def promoted(model: dict[str, Any]) -> Iterator[Any]:
            if not model["promoted"]:
                raise AirflowSkipException(f"{name}: the model that serves stays, see the log of `retrain`.")
            version, before = model["model_version"], get_current_context()["inlet_events"][asset]
            if any((event.extra or {}).get("model_version") == version for event in before):
                raise AirflowSkipException(f"{name}: model {version} was announced before.")
            yield Metadata(asset, extra={key: model[key] for key in ("model_version", "release", "path")})

        promoted(retrain())
    return made


for each in services_on_watch(home_from())[0].values():
    if each.retrain is not None:
        globals()[dag_id("model_retrain", each.service)] = model_retrain(each)
