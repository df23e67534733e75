"""`ronda incident`: a service's incidents, one of them, and what a person says of it."""

from __future__ import annotations

import getpass
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from ronda.options import AsJson, ServiceName
from services.errors import UsageError

if TYPE_CHECKING:
    from monitoring.answers import TakenBack
    from monitoring.incident import What
    from store.incidents import AnswerRow

# What a command needs is imported when it runs, as in `ronda.cli`.
# ruff: noqa: PLC0415

_NAME_LENGTH, _REASON_LENGTH = 64, 300

Number = Annotated[int | None, typer.Argument(metavar="NUMBER", help="The incident; all, if it is left out.")]
Ack = Annotated[bool, typer.Option("--ack", help="Somebody looks after it.")]
Real = Annotated[bool, typer.Option("--real", help="It was real.")]
Noise = Annotated[
    bool, typer.Option("--noise", help="It was nothing: it ends, and takes more to be told again.")
]
Expected = Annotated[
    datetime | None,
    typer.Option(
        "--expected", metavar="UNTIL", formats=["%Y-%m-%d"], help="It is expected until this night."
    ),
]
Mute = Annotated[
    datetime | None,
    typer.Option("--mute", metavar="UNTIL", formats=["%Y-%m-%d"], help="Say nothing of it until this night."),
]
Reason = Annotated[str, typer.Option("--reason", help="Why it is muted; it is kept, and told in its thread.")]
Resolve = Annotated[bool, typer.Option("--resolve", help="It is over.")]
Undo = Annotated[
    bool,
    typer.Option(
        "--undo",
        help="Take back what was said of it last by command: what it muted, ended or raised stands again.",
    ),
]
By = Annotated[str, typer.Option("--by", help="Who says so; the login name, if it is left out.")]


def incident(
    service: ServiceName,
    number: Number = None,
    ack: Ack = False,
    real: Real = False,
    noise: Noise = False,
    expected: Expected = None,
    mute: Mute = None,
    reason: Reason = "",
    resolve: Resolve = False,
    undo: Undo = False,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """List a service's incidents, show one, or say what it is: give one of --ack, --real, --noise and so on.

    What was said by mistake is taken back with --undo.
    """
    given: dict[What, bool] = {
        "taken": ack,
        "real": real,
        "noise": noise,
        "expected": expected is not None,
        "muted": mute is not None,
        "resolved": resolve,
    }
    what = _one(given, undo=undo)
    _must_fit(number, what, reason, by, undo=undo)
    until = expected or mute
    if undo and number is not None:
        _undo(service, number, by, as_json=as_json)
    elif number is None:
        _list(service, as_json=as_json)
    elif what is None:
        _show(service, number, as_json=as_json)
    else:
        _say(service, number, what, until.date() if until else None, reason.strip(), by, as_json=as_json)


def _one(given: dict[What, bool], *, undo: bool) -> What | None:
    chosen: list[What] = [what for what, is_given in given.items() if is_given]
    if len(chosen) + undo > 1:
        raise UsageError(
            "Say one thing at a time: one of --ack, --real, --noise, --expected, --mute, --resolve and --undo."
        )
    return next(iter(chosen), None)


def _must_fit(number: int | None, what: What | None, reason: str, by: str, *, undo: bool) -> None:
    is_said = what is not None or undo
    if is_said and number is None:
        raise UsageError(
            "Say which incident: ronda incident SERVICE NUMBER. Without a number they are listed."
        )
    if by and not is_said:
        raise UsageError("--by names who says something: give --ack, --real, --noise, … with it.")
    if reason and what != "muted":
        raise UsageError("--reason belongs to --mute UNTIL.")
    if what == "muted" and not reason.strip():
        raise UsageError(
            "Say why it is muted: --reason 'migration of the log'. It is kept, and told in its thread."
        )
    if len(reason) > _REASON_LENGTH:
        raise UsageError(f"--reason has {len(reason)} characters; say it in {_REASON_LENGTH}.")


def _list(service: str, *, as_json: bool) -> None:
    from ronda import incident_text

    shown = incident_text.read(service)
    if as_json:
        incident_text.print_json(incident_text.plain(shown))
    else:
        typer.echo(incident_text.listed(shown))


def _show(service: str, number: int, *, as_json: bool) -> None:
    from ronda import incident_text

    shown = incident_text.read(service)
    one = incident_text.one(shown, number)
    if as_json:
        incident_text.print_json(incident_text.plain_one(shown, one))
    else:
        typer.echo(incident_text.told(shown, one))


def _say(
    service: str, number: int, what: What, until: date | None, reason: str, by: str, *, as_json: bool
) -> None:
    from monitoring import copies
    from monitoring.answers import answer
    from ronda import cli, sending
    from services.home import home_from
    from services.read import read_service
    from store.lake import open_lake
    from store.state import open_state, writing

    home = home_from()
    its = read_service(service, home)
    row = _row(service, number, what, until, reason, _who(by), cli.clock())
    state = open_state(home.state_url)
    with writing(state) as connection:
        answered = answer(connection, its, row)
        for gone in answered.gone:
            copies.remove(home, gone)
    sent = sending.send(state, open_lake(home.lake_url), home, cli.clock)
    if not as_json:
        if not answered.is_new:
            typer.echo(f"{row.by} said so before; nothing was changed.")
        for line in sending.lines(sent):
            typer.echo(line)
    _show(service, number, as_json=as_json)


def _undo(service: str, number: int, by: str, *, as_json: bool) -> None:
    from monitoring import answers, copies
    from ronda import cli, sending
    from services.home import home_from
    from services.read import read_service
    from store.lake import open_lake
    from store.state import open_state, writing

    home = home_from()
    its = read_service(service, home)
    state, who = open_state(home.state_url), _who(by)
    with writing(state) as connection:
        back = answers.undo(connection, its, number, who, cli.clock(), wake=bool(home.webhook_key))
        for gone in back.gone:
            copies.remove(home, gone)
    sent = sending.send(state, open_lake(home.lake_url), home, cli.clock)
    if not as_json:
        typer.echo(_undone(back))
        for line in sending.lines(sent):
            typer.echo(line)
    _show(service, number, as_json=as_json)


def _undone(back: TakenBack) -> str:
    from monitoring.text import short

    what = f"“{back.said.what}”, said by {short(back.said.by)} at {back.said.at:%Y-%m-%d %H:%M} UTC,"
    if back.is_new:
        return f"{what} is taken back."
    return f"{what} was taken back before, and nothing was said by command since; nothing was changed."


def _row(
    service: str, number: int, what: What, until: date | None, reason: str, by: str, at: datetime
) -> AnswerRow:
    from store.canonical import sha256_of
    from store.incidents import AnswerRow

    # the same again on one day is said once; another day it may have come back meanwhile
    said = sha256_of([what, by, until.isoformat() if until else "", reason])[:16]
    key = f"command/{what}/{at.date()}/{said}"
    return AnswerRow(service, number, what, by, "command", key, at, reason, until)


def _who(by: str) -> str:
    name = by.strip()
    if not name:
        try:
            name = getpass.getuser()
        except (OSError, KeyError, ImportError):  # no variable names the user, and no list of users is here
            raise UsageError("Nothing says who you are here: give --by NAME.") from None
    if len(name) > _NAME_LENGTH:
        raise UsageError(f"--by has {len(name)} characters; a name has at most {_NAME_LENGTH}.")
    return name
