"""Run by the tests in a process of its own: one run of one DAG without a scheduler; prints what became of it as JSON."""

from __future__ import annotations

import json
import sys


def main(folder: str, dag_id: str, night: str) -> None:
    """Run a DAG for a night ("" for none) and print `RUN {"state": …, "tasks": {…}}`."""
    from airflow.dag_processing.dagbag import DagBag

    run = DagBag(folder).dags[dag_id].test(run_conf={"night": night} if night else {})
    tasks = {each.task_id: [each.state, each.try_number] for each in run.get_task_instances()}
    print("RUN", json.dumps({"state": run.state, "tasks": tasks}))


if __name__ == "__main__":
    main(*sys.argv[1:])
