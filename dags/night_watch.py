"""Every quarter of an hour: tells nights that are late or empty, then sends all messages that are due.

| task | what it does |
|---|---|
| `late` | puts one message for each night that should have been judged and was not, and for each service file that cannot be read; then reads what people answered to incidents in Slack |
| `send` | sends these, those that an earlier run could not send, and what was to wait until the morning |

It does not depend on the other DAGs: when they do not run, it says so. When Airflow itself does not run, nobody
says so: let something outside ask for `/api/v2/monitor/health`.

**When `late` fails**, `send` still sends what is due, and fails afterwards so that this is seen.
"""

from __future__ import annotations

from airflow.sdk import (
    DAG,
    CronTriggerTimetable,
    ExceptionRetryPolicy,
    RetryAction,
    RetryRule,
    TriggerRule,
    task,
)
from airflow.sdk.exceptions import AirflowFailException

from ronda.roster import NOT_MENDED_BY_RETRY, START, manner, tags

# What a task needs is imported when it runs: this file is read again and again.
# ruff: noqa: PLC0415

RETRY_POLICY = ExceptionRetryPolicy(
    [RetryRule(error, RetryAction.FAIL, reason=why) for error, why in NOT_MENDED_BY_RETRY.items()]
)

with DAG(
    "night_watch",
    schedule=CronTriggerTimetable("*/15 * * * *", timezone="UTC"),
    start_date=START,
    catchup=False,
    max_active_runs=1,
    tags=tags(),
    description="Tells nights that are late, reads answers, and sends all messages that are due.",
    doc_md=__doc__,
    default_args=manner("ronda", minutes=12, retries=1) | {"retry_policy": RETRY_POLICY},
):

    @task(multiple_outputs=False)
    def late() -> dict[str, list[str]]:
        from ronda.watch_nights import watch_all

        return watch_all()

    @task(multiple_outputs=False, trigger_rule=TriggerRule.ALL_DONE)
    def send(told: dict[str, list[str]] | None) -> dict[str, int]:
        from ronda.cli import clock
        from ronda.sending import send_due

        sent = send_due(clock)
        if told is None:
            raise AirflowFailException("What was due is sent, but `late` failed before: see its log.")
        return sent

    send(late())
