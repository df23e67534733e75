"""Run by the tests in a process of its own: reads the DAG files as Airflow does and writes what is in them as JSON."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


def main(folder: str, target: str) -> None:
    """Read the DAGs of a folder; write facts about each, and the errors."""
    from airflow.dag_processing.dagbag import DagBag
    from airflow.serialization.serialized_objects import DagSerialization

    bag = DagBag(folder)
    facts = {}
    for dag in bag.dags.values():
        DagSerialization.deserialize_dag(DagSerialization.serialize_dag(dag))
        facts[dag.dag_id] = {
            "catchup": dag.catchup,
            "doc": dag.doc_md,
            "end": dag.end_date and dag.end_date.isoformat(),
            "file": Path(dag.fileloc).name,
            "max_active_runs": dag.max_active_runs,
            "outlets": {task.task_id: [[each.name, each.uri] for each in task.outlets] for task in dag.tasks},
            "owner": dag.owner,
            "params": dict(dag.params.dump()),
            "runs": _runs(dag),
            "schedule": _schedule(dag.timetable),
            "start": dag.start_date and dag.start_date.isoformat(),
            "tags": sorted(dag.tags),
            "tasks": {
                task.task_id: {
                    "after": sorted(task.upstream_task_ids),
                    "owner": task.owner,
                    "policy": _policy(task),
                    "pool": task.pool,
                    "retries": task.retries,
                    "minutes": task.execution_timeout and task.execution_timeout.total_seconds() / 60,
                    "backoff": task.retry_exponential_backoff,
                    "rule": task.trigger_rule.value,
                }
                for task in dag.tasks
            },
        }
    Path(target).write_text(json.dumps({"dags": facts, "errors": bag.import_errors}), encoding="utf-8")


def _schedule(timetable: Any) -> Any:
    kind = type(timetable).__name__
    if kind == "PartitionedAssetTimetable":
        return [kind, timetable.asset_condition.name]
    return [kind, timetable.expression, str(timetable.timezone)]


def _policy(task: Any) -> dict[str, str]:
    policy = task.retry_policy
    return {} if policy is None else {rule.exception_path: rule.action.value for rule in policy.rules}


def _runs(dag: Any) -> list[list[str]]:
    """The runs of 2013 that a partitioned cron schedule would make: when, and for which key."""
    if type(dag.timetable).__name__ != "CronPartitionTimetable":
        return []
    from airflow.serialization.encoders import coerce_to_core_timetable
    from airflow.timetables.base import TimeRestriction

    timetable = coerce_to_core_timetable(dag.timetable)
    new_year = datetime(2013, 1, 2, tzinfo=UTC)
    limits = TimeRestriction(earliest=new_year, latest=None, catchup=True)
    runs, last = [], None
    while last is None or last.run_after < datetime(2014, 1, 1, 12, tzinfo=UTC):
        last = timetable.next_dagrun_info_v2(last_dagrun_info=last, restriction=limits)
        runs.append([last.run_after.isoformat(), last.partition_key])
    return runs


if __name__ == "__main__":
    main(*sys.argv[1:])
