"""The command line: `ronda init`, `check`, `reference`, `night`, `incident` and `release`."""

from __future__ import annotations

import gc
import json
import sys
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from ronda.incident import incident
from ronda.options import AsJson, Backtest, Day, First, Last, ServiceName
from services.errors import RondaError, UsageError
from services.window import FIRST_YEAR, LAST_YEAR

if TYPE_CHECKING:
    from store.watch import Watch

# What a command needs is imported when it runs: `ronda --help` must not wait for DuckDB, NumPy and PyArrow.
# ruff: noqa: PLC0415

app = typer.Typer(
    help="The night watch of your AI services: what changed, since when, for whom.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # its tracebacks print local variables, and so passwords and users' text
)


def clock() -> datetime:
    """The time, read here at the edge and nowhere else; steps are given it."""
    return datetime.now(UTC)


@app.command()
def init(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="The new service's name: small letters, digits and _.")
    ],
    source: Annotated[
        str, typer.Option("--from", help="Folder of Parquet, .duckdb file, PostgreSQL URL or '${VARIABLE}'.")
    ],
    table: Annotated[
        str | None, typer.Option("--table", help="The table with the requests, if there are several.")
    ] = None,
    feedback_table: Annotated[
        str | None, typer.Option("--feedback-table", help="The table with the feedback events.")
    ] = None,
    time_column: Annotated[
        str | None, typer.Option("--time-column", help="The column that says when a request came.")
    ] = None,
    id_column: Annotated[
        str | None, typer.Option("--id-column", help="The column with a request's id.")
    ] = None,
    owner: Annotated[str, typer.Option("--owner", help="Who is told.")] = "@your-team",
    slack: Annotated[str, typer.Option("--slack", help="The channel.")] = "#your-channel",
    time_zone: Annotated[str, typer.Option("--time-zone", help="Whose midnight a night begins at.")] = "UTC",
    no_reference: Annotated[
        bool, typer.Option("--no-reference", help="Only write the files; freeze and replay nothing.")
    ] = False,
) -> None:
    """Write a first service file and its queries from a look at a log; freeze and replay its last four weeks."""
    from ronda.first_reference import first_reference
    from ronda.init import init as start
    from ronda.init_text import as_text, next_as_text
    from services.home import home_from

    home = home_from()
    started = start(
        name,
        source,
        home,
        table=table,
        time_column=time_column,
        id_column=id_column,
        feedback_table=feedback_table,
        owner=owner,
        slack=slack,
        time_zone=time_zone,
    )
    typer.echo(as_text(started), nl=False)  # before the long part: whoever ends it knows what is there
    first = first_reference(started, home, clock, wanted=not no_reference)
    typer.echo(first.said + next_as_text(started, has_reference=first.made), nl=False)


@app.command()
def check(service: ServiceName, day: Day = None, as_json: AsJson = False, backtest: Backtest = False) -> None:
    """Hold a service file against its live source: columns, types, rows, joins, personal data."""
    from ronda.check import check_live
    from ronda.check_table import as_plain, as_tables

    if backtest:
        from ronda.backtested import show

        show(_watch(service), clock(), day, as_json=as_json)
        return
    found = check_live(_watch(service), clock(), day.date() if day else None)
    if as_json:
        _print_json(as_plain(found))
    else:
        Console(highlight=False).print(as_tables(found))
    if found.failed:
        raise typer.Exit(UsageError.exit_code)


@app.command()
def night(
    service: ServiceName,
    day: Day = None,
    first: First = None,
    last: Last = None,
    as_json: AsJson = False,
    evidently: Annotated[
        bool,
        typer.Option(
            "--evidently", help="Also render Evidently's own report of each night from its stored snapshot."
        ),
    ] = False,
    no_messages: Annotated[
        bool, typer.Option("--no-messages", help="Tell nobody: for nights that are long over.")
    ] = False,
    send_only: Annotated[
        bool, typer.Option("--send-only", help="Judge nothing; tell of late nights, and send what waits.")
    ] = False,
) -> None:
    """Judge one night, or several in a row, write their pages, and send what they have to say."""
    if send_only:  # first: a broken file of one service must not keep what waits for all
        _send_only(as_json, [day, first, last], others=no_messages or evidently)
        return
    from ronda import nights, progress, rounds, sending
    from services.home import home_from
    from services.read import read_service
    from services.window import nights_between

    home = home_from()
    its = read_service(service, home)
    wanted = list(nights_between(*_range(day, first, last), its.time_zone))
    watch = rounds.watched(its, home, wanted, clock)
    with progress.shown(service, len(wanted), quiet=as_json) as told:
        done = nights.go_round(watch, wanted, clock, told, tell=not no_messages)
    if evidently:
        nights.render_snapshots(watch, done)
    sent = None if no_messages else sending.send(watch.state, watch.lake, watch.home, clock)
    index = nights.finish(watch)  # last, since it names the messages that did not arrive
    if as_json:
        _print_json([nights.plain(each) for each in done])
    else:
        for line in sending.lines(sent) if sent is not None else ():
            typer.echo(line)
        typer.echo(f"Pages of all nights: {nights.place(watch, index)}")
    _end([each.error for each in done if each.error is not None])


@app.command()
def reference(
    service: ServiceName,
    model_version: Annotated[
        str, typer.Option("--model-version", help="The version the reference belongs to.")
    ],
    first: First = None,
    last: Last = None,
    own_traffic: Annotated[
        bool,
        typer.Option(
            "--own-traffic", help="These nights are accepted traffic, not what the model was trained on."
        ),
    ] = False,
    reason: Annotated[
        str, typer.Option("--reason", help="Why an existing reference is replaced; it is kept.")
    ] = "",
    new_grids: Annotated[
        bool,
        typer.Option(
            "--new-grids", help="Choose cells anew; scores are then not comparable with earlier nights."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Freeze what nights are compared with: the data a model version was trained on."""
    from monitoring.freeze import freeze
    from ronda import backtest_lines, chosen
    from ronda.first_reference import is_unused
    from services.window import window_between

    watch = _watch(service)
    window = window_between(*_range(None, first, last), watch.service.time_zone)
    new_grids = new_grids or is_unused(watch)
    made = freeze(
        watch, model_version, window, clock(), own_traffic=own_traffic, reason=reason, new_grids=new_grids
    )
    if as_json:
        _print_json(chosen.plain(made) | {"backtest": backtest_lines.plain_in_passing(watch, clock())})
    else:
        typer.echo(chosen.text(made, watch.service.time_zone))
        typer.echo(backtest_lines.in_passing(watch, clock()))


app.command()(incident)


@app.command()
def release(service: ServiceName, first: First = None, last: Last = None, as_json: AsJson = False) -> None:
    """Make a dataset for the next training from the matured outcomes of some nights."""
    from ronda import released
    from services.window import window_between

    watch = _watch(service)
    window = window_between(*_range(None, first, last), watch.service.time_zone)
    made = released.make(watch, window, clock())
    if as_json:
        _print_json(released.plain(made))
    else:
        typer.echo(released.text(watch, made))


def _send_only(as_json: bool, days: list[datetime | None], *, others: bool) -> None:
    """What `night_watch` does in Airflow, for those who have cron; of all services, whichever is named."""
    from ronda.watch_nights import watch_all

    if others or any(day is not None for day in days):
        raise UsageError("--send-only judges no night: give it alone, or with --json.")
    try:
        watch_all()
    finally:  # what waits is sent all the same, and then the error is told
        _send(as_json)


def _send(as_json: bool) -> None:
    from ronda import nights, sending
    from services.home import home_from
    from store.lake import open_lake
    from store.state import open_state

    home = home_from()
    state, lake = open_state(home.state_url), open_lake(home.lake_url)
    sent = sending.send(state, lake, home, clock)
    if as_json:
        _print_json(sending.plain(sent))
    else:
        for line in sending.lines(sent) if sent or sent.busy else ("Nothing waits to be sent.",):
            typer.echo(line)
    nights.index_of(home, state, lake)


def main() -> None:
    """Run the command line; an error that a person can mend is one message and an exit code, no traceback."""
    code = _run()
    # What an error's traceback still held (a connection, say) goes now: a database engine whose threads are
    # ended by the interpreter's own end aborts the process now and then.
    gc.collect()
    sys.exit(code)


def _run() -> int:
    try:
        app()
    except RondaError as error:
        _tell(error)
        return error.exit_code
    return 0


def _watch(service: str) -> Watch:
    from services.home import home_from
    from store.watch import open_watch

    return open_watch(service, home_from())


def _range(day: datetime | None, first: datetime | None, last: datetime | None) -> tuple[date, date]:
    if day is not None and (first is not None or last is not None):
        raise UsageError("Give either --date, or --from and --to.")
    first, last = (day, day) if day is not None else (first, last)
    if first is None or last is None:
        raise UsageError("Say which nights: --date 2013-06-24, or --from 2013-06-01 --to 2013-06-30.")
    if last < first:
        raise UsageError(f"--to {last:%Y-%m-%d} lies before --from {first:%Y-%m-%d}. Swap them.")
    if not (first.year >= FIRST_YEAR and last.year <= LAST_YEAR):
        raise UsageError(f"Nights lie between {FIRST_YEAR} and {LAST_YEAR}.")
    return first.date(), last.date()


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def _tell(error: RondaError) -> None:
    Console(stderr=True, highlight=False, soft_wrap=True).print(
        f"ronda: {error}", style="bold red", markup=False
    )


def _end(errors: list[RondaError]) -> None:
    """End with the worst error's code; each of them was told when it happened."""
    if errors:
        raise typer.Exit(max(error.exit_code for error in errors))
