"""`make airflow`: the demo's service in a real Airflow on this machine, ready for one night to be run by hand."""

from __future__ import annotations

import os
import shlex
import signal
import sys
import time
from datetime import date, timedelta
from pathlib import Path

from rich.console import Console

from demo.__main__ import SERVICE, prepare, set_defaults
from demo.airflow_server import LOGIN, USER, Server, environment, refuse_taken, running
from demo.one_airflow import alone
from ronda import nights
from services.errors import RondaError, UsageError
from services.home import home_from
from store.ledger import nights_of
from store.state import reading
from store.watch import Watch

ROOT = Path(__file__).resolve().parent.parent
HISTORY = date(2013, 5, 4), date(2013, 7, 1)
NIGHT = date(2013, 7, 2)
"""The night to run by hand: it tells the outcomes of 1 July, and its dataset makes a better model."""


def main() -> int:
    """Prepare the demo, start Airflow, say what to do, and wait for Ctrl-C or SIGTERM; returns the exit code."""
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.default_int_handler)
    screen = Console(highlight=False, soft_wrap=True)
    try:
        _run(screen)
    except KeyboardInterrupt:
        screen.print("\nStopped.")
    except RondaError as error:
        Console(stderr=True, highlight=False, soft_wrap=True).print(
            f"ronda: {error}", style="bold red", markup=False
        )
        return error.exit_code
    return 0


def _run(screen: Console) -> None:
    port = _port(os.environ.get("AIRFLOW_PORT", "8080"))
    set_defaults()
    started_with = settings(port)
    with alone(Path(started_with["AIRFLOW_HOME"])) as lock:
        refuse_taken(port, "AIRFLOW_PORT")
        watch = prepare(screen, *HISTORY, again=False)
        screen.print("\n[bold]4. Airflow[/]")
        began = time.perf_counter()
        with running(started_with, lock) as server:
            wait_for_dag(server, f"nightly_round_{SERVICE}")
            screen.print(f"   [dim]{time.perf_counter() - began:.0f} s[/]")
            screen.print(what_to_do(server, watch), markup=False)
            while server.is_alive():
                time.sleep(1)
            raise RondaError(f"Airflow ended by itself. See {server.log}.")


def settings(port: int) -> dict[str, str]:
    """What the demo's Airflow is started with. The demo's own defaults must be set."""
    folder = home_from().root / "var" / "airflow"
    return environment(folder, port, ROOT / "dags")


def wait_for_dag(server: Server, dag: str, seconds: float = 120) -> None:
    """Wait until Airflow has read the DAG files.

    Raises:
        RondaError: the DAG does not appear.
    """
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if dag in {each["dag_id"] for each in server.ask("dags?limit=100")["dags"]}:
            return
        time.sleep(0.5)
    raise RondaError(f"Airflow has not found the DAG {dag} within {seconds:.0f} seconds. See {server.log}.")


def what_to_do(server: Server, watch: Watch) -> str:
    """Where Airflow is, who may enter, and how the night is run."""
    dag, night = f"nightly_round_{SERVICE}", next_night(watch)
    told = "go to Slack" if watch.home.slack_token else f"are files in {watch.home.outbox}"
    return f"""
Airflow   {server.url}
User      {USER}
Password  {server.password}

Run the night of {night:%a %d %b %Y} in the browser:
  1. open {server.url}/dags/{dag}
  2. press Trigger, open Advanced Options, write {night} as the Partition Key, press Trigger
or from another terminal:
{commands(server, night)}

dataset_release_{SERVICE} and model_retrain_{SERVICE} follow by themselves; the log of the last one says whether
the new model is better than what served. The same night once more changes nothing and tells nobody.
Pages: {nights.place(watch, "pages/index.html")}
Messages {told}. Ctrl-C stops everything.
"""


def commands(server: Server, night: date) -> str:
    """What starts the night from a shell, asking again where the server is busy.

    What is secret goes from file to file, as others see what is called.
    """
    return f"""\
  cd {shlex.quote(str(server.log.parent))}
  curl -s {server.url}/auth/token -H 'Content-Type: application/json' -d @{LOGIN} |
    sed 's/.*"access_token":"\\([^"]*\\).*/Authorization: Bearer \\1/' > token.txt
  curl --retry 5 {server.url}/api/v2/dags/nightly_round_{SERVICE}/dagRuns -H @token.txt \\
    -H 'Content-Type: application/json' -d '{{"logical_date": null, "partition_key": "{night}"}}'"""


def next_night(watch: Watch) -> date:
    """A night that is worth running: `NIGHT`, or the one after the last that is judged already."""
    with reading(watch.state) as connection:
        judged = [row.night for row in nights_of(connection, SERVICE)]
    return NIGHT if NIGHT not in judged else max(judged) + timedelta(days=1)


def _port(written: str) -> int:
    if not written.isdecimal() or not 0 < int(written) < 65536:
        raise UsageError(f"AIRFLOW_PORT is {written[:20]!r}, which is no port. Write a number such as 8081.")
    return int(written)


if __name__ == "__main__":
    sys.exit(main())
