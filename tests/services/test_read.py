"""Reading service files: what is merged, and what a person is told when something is wrong."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from services.errors import ServiceFileError
from services.home import Home
from services.read import read_query, read_service, service_names

Write = Callable[..., None]


def problems(home: Home) -> list[str]:
    """The lines of the error, without the name of the file."""
    with pytest.raises(ServiceFileError) as caught:
        read_service("eta", home)
    message = str(caught.value)
    assert str(home.services / "eta.yaml") in message
    assert "pydantic" not in message
    assert "http" not in message
    first, *lines = message.split("\n  ")
    return lines or [first.removeprefix(f"{home.services / 'eta.yaml'}: ")]


def test_five_lines_suffice(home: Home) -> None:
    """A first service file needs five keys; the shipped defaults fill in the rest."""
    service = read_service("eta", home)
    assert service.floors.number == 0.1
    assert service.enough.history_nights == 28
    assert service.retention.quarantine == timedelta(days=30)


def test_nearer_files_win_and_mappings_merge(home: Home, write: Write) -> None:
    """The service file wins over the home's defaults, those over ronda's own; nested keys merge, lists do not."""
    write(name="_defaults.yaml", instead="floors: {number: 0.3, share: 0.05}\ncritical: [errors]\n")
    write(add="floors: {number: 0.5}\n")
    service = read_service("eta", home)
    assert (service.floors.number, service.floors.category, service.floors.share) == (0.5, 0.1, 0.05)
    assert service.critical == ("errors",)


def test_every_problem_is_told_at_once(home: Home, write: Write) -> None:
    """A file with several problems is mended in one go: one line each, none of pydantic's words."""
    write(
        add="feedback: sql/eta/gone.sql\nslcies: [a]\nfloors: {number: -1}\nstatus_ok: [200]\n"
        "critical: [volum]\nenough: {rows: 1.5}\nschedule: '* * *'\nretention: 4\nmorning: outcome\n"
    )
    assert problems(home) == [
        '`status_ok[0]` is 200. Write text; put it in quotes if it looks like a number, yes or no, as in "200".',
        "`floors.number` is -1. Write a number above 0.",
        "`enough.rows` is 1.5. Write a whole number.",
        (
            "`critical[0]` is 'volum'. Did you mean `volume`? It is one of: volume, errors, nulls, outcome, prediction, "
            "latency, cost, schema, features, guards."
        ),
        "`morning` is 'outcome'. Write a list, such as [origin, carrier].",
        (
            "`schedule`: write five fields (minute, hour, day of the month, month, weekday), such as '30 2 * * *'; "
            "found '* * *'"
        ),
        "`retention` is 4. Write keys with values below it.",
        "unknown key `slcies`; did you mean `slices`?",
        f"`feedback` names 'sql/eta/gone.sql', and there is no such file below {home.root}. Write it, or mend the path.",
    ]


@pytest.mark.parametrize(
    ("add", "told"),
    [
        ("floors:\n", "`floors` is empty. Write keys with values below it, or take the key out."),
        (
            "features: {rules: {wind: {mni: 1}}}\n",
            "unknown key `mni` in `features.rules.wind`; did you mean `min`?",
        ),
        ("features: {nott: [a]}\n", "unknown key `nott` in `features`; did you mean `not`?"),
        ("features: {rules: {min: {min: low}}}\n", "`features.rules.min.min` is 'low'. Write a number."),
        (
            "outcome: {event: a, window: 1d}\nfeedback: sql/eta/feedback.sql\n",
            "`outcome.positive` is missing. Add it",
        ),
        ("outcome: {event: a, positive: a > 1, window: 1d}\n", "name the feedback query in `feedback`"),
        (
            "outcome: {event: a, positive: a > b, window: 1d}\nfeedback: sql/eta/feedback.sql\n",
            "`outcome.positive`: a word can only be compared with == or !=",
        ),
        (
            "outcome: {event: a, positive: a > 1, window: 24}\nfeedback: sql/eta/feedback.sql\n",
            "`outcome.window`: write a length of time as a number and s, m, h, d or w, such as 24h or 14d; found 24",
        ),
        ("floors: {number: .nan}\n", "`floors.number` is nan. Write a number"),
        ("floors: {number: .inf}\n", "`floors.number` is inf. Write a number"),
        ("floors: {share: 1}\n", "`floors.share` is 1. Write a number below 1."),
        (
            "time_zone: America/Recif\n",
            "there is no time zone 'America/Recif'; did you mean 'America/Recife'?",
        ),
        ("time_zone: America\n", "there is no time zone 'America'"),
        ("time_zone: ../../etc/passwd\n", "there is no time zone '../../etc/passwd'"),
        (
            "schedule: 30 24 * * *\n",
            "the hour of the schedule must be one number from 0 to 23, since a night",
        ),
        (
            "schedule: 0 */6 * * *\n",
            "the hour of the schedule must be one number from 0 to 23, since a night",
        ),
        ("schedule: 0,30 2 * * *\n", "the minute of the schedule must be one number from 0 to 59"),
        ("schedule: 30 2 * * 1-5\n", "the weekday of the schedule must be *, since each night is judged"),
        ("schedule: 30 2 1 * *\n", "the day of the month of the schedule must be *"),
        ("schedule: 30 2 * jan *\n", "the month of the schedule must be *"),
        ("until: 9999-12-31\n", "`until`: nights lie between 1970 and 2200; found 9999-12-31"),
        (f"feedback: sql/{'x' * 300}.sql\n", "`feedback` names 'sql/xxx"),
        (f"noun: {'n' * 41}\n", "Write at most 40 characters."),
        ("late_after: 999999w\n", "`late_after`: a length of time is at most 36500d; found '999999w'"),
        ("schedule: '@daily'\n", "write five fields"),
        ("language: fr\n", "`language` is 'fr'. It is one of: en, pt."),
        ("training: /etc/passwd\n", "`training`: write a path below the folder"),
        ("training: sql/../../x.sql\n", "`training`: write a path below the folder"),
        ("slices: [no]\n", "`slices[0]` is no or false. Write text; put it in quotes"),
        ("schedule: 2013-13-45\n", "write five fields"),
        ("yes: 1\n", "the key `yes` in line 6 is not read as text. Put it in quotes."),
        ("owner: b\n", "the key `owner` stands in line 2 and again in line 6. Keep one of them."),
        ("floors: {share: 0.1, share: 0.2}\n", "the key `share` stands in line 6 and again in line 6"),
    ],
)
def test_one_problem(home: Home, write: Write, add: str, told: str) -> None:
    """Each mistake is named by its key path, with what was found and what is right; nothing else is told."""
    write(add=add)
    lines = problems(home)
    assert told in lines[0]
    assert len(lines) == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is empty. Write the keys of a service in it, beginning with `service: eta`."),
        ("# only a comment\n", "is empty"),
        ("- eta\n", "holds a list; write keys with values"),
        ("eta", "holds a single value"),
        (b"service: caf\xe9\n", "is not UTF-8 text (line 1). Save it as UTF-8."),
        ("a: 1\nowner: @team\n", "line 2, column 8 is not valid YAML: found character '@'"),
        ("schedule: * * * * *\n", "in quotes"),
        ("a: b: c\n", "line 1, column 5 is not valid YAML"),
        ("a: &x 1\nb: *x\n", "line 2, column 4 is not valid YAML: found `*`"),
        ("a: 1\x00\n", "it holds a control character"),
        ("a: !!python/object:os.system x\n", "could not determine a constructor"),
        ("---\na: 1\n---\nb: 1\n", "line 3, column 1"),
        ("a: " + "[" * 5000, "nested too deeply"),
        ("? [a, b]\n: 1\n", "line 1, column 3"),
    ],
)
def test_not_a_service_file(home: Home, write: Write, text: str | bytes, told: str) -> None:
    """What is not one YAML mapping in UTF-8 is refused, by line and column where there is one."""
    write(instead=text)
    with pytest.raises(ServiceFileError) as caught:
        read_service("eta", home)
    assert told in str(caught.value)
    assert str(home.services / "eta.yaml") in str(caught.value)


def test_a_byte_order_mark_is_read_over(home: Home, write: Write) -> None:
    """Editors on Windows begin UTF-8 files with a mark; the first key is still `service`."""
    write(instead=b"\xef\xbb\xbf" + (home.services / "eta.yaml").read_bytes())
    assert read_service("eta", home).service == "eta"


@pytest.mark.parametrize(
    ("line", "secret", "told"),
    [
        ("source: postgresql://ronda:hunter2@db/log", "hunter2", "`source` holds a URL with a password."),
        ("source: host=db password=hunter2", "hunter2", "`source` holds a password."),
        ("slack: xoxb-123456-abcdef", "xoxb", "`slack` holds a Slack token."),
        ('slack: "\\x78oxb-123456-abcdef"', "xoxb", "`slack` holds a Slack token."),
        ("# xoxb-123456-abcdef", "xoxb", "line 6 holds a Slack token."),
        ("xoxb-123456-abcdef: 1", "xoxb", "line 6 holds a Slack token."),
        ("xoxb-123456-a: 1\nxoxb-123456-a: 2", "xoxb", "a key or value that looks like a secret is wrong"),
        ("slices: [xoxb-123456-abcdef, 4]", "xoxb", "`slices[0]` holds a Slack token."),
        ("time_zone: xoxb-123456-abcdef", "xoxb", "`time_zone` holds a Slack token."),
        (
            "page_base_url: https://hooks.slack.com/services/T1/B2/c3",
            "B2",
            "`page_base_url` holds a Slack webhook.",
        ),
    ],
)
def test_a_secret_is_refused_and_not_repeated(
    home: Home, write: Write, line: str, secret: str, told: str
) -> None:
    """Whatever looks like a secret is refused wherever it stands, and no message holds it."""
    text = (home.services / "eta.yaml").read_text(encoding="utf-8")
    key = line.split(":", maxsplit=1)[0]
    kept = [old if not old.startswith(key + ":") else f"# {key}" for old in text.splitlines()]
    write(instead="\n".join([*kept, line, ""]))
    message = "\n".join(problems(home))
    assert told in message
    assert secret not in message


def test_a_wrong_default_is_blamed_on_its_file(home: Home, write: Write) -> None:
    """A problem in the home's defaults names that file, not the service file that says nothing of it."""
    write(name="_defaults.yaml", instead="floors: {number: -3}\n")
    own = home.services / "_defaults.yaml"
    assert problems(home) == [f"in {own}: `floors.number` is -3. Write a number above 0."]


def test_the_name_in_the_file_is_the_files_name(home: Home, write: Write) -> None:
    """A copied file whose `service:` was left as it was would write over another service's nights."""
    write(name="etb.yaml")
    with pytest.raises(ServiceFileError, match=r"`service` is 'eta', but the file is named etb.yaml"):
        read_service("etb", home)


def test_names_are_the_files_without_underscore(home: Home, write: Write) -> None:
    """Defaults and hidden files are no services; the order is alphabetical."""
    for name in ("_defaults.yaml", ".hidden.yaml", "another.yaml", "notes.txt"):
        write(name=name)
    assert service_names(home) == ("another", "eta")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("etta", "Did you mean 'eta'?"),
        ("zzzzzz", "There are: eta."),
        ("../services/eta", "there is no service '../services/eta'"),
        ("other", "There is other.yml; rename it to other.yaml."),
        ("Bad-Name", "Name the file with a to z"),
    ],
)
def test_a_service_that_is_not_there(home: Home, write: Write, name: str, told: str) -> None:
    """An unknown name suggests the nearest known one and never becomes a path."""
    write(name="other.yml")
    write(name="Bad-Name.yaml") if name == "Bad-Name" else None
    with pytest.raises(ServiceFileError) as caught:
        read_service(name, home)
    assert told in str(caught.value)


def test_no_folder_of_services(tmp_path: Path) -> None:
    """A wrong RONDA_HOME is said, not taken for a home without services."""
    with pytest.raises(ServiceFileError, match="Set RONDA_HOME"):
        service_names(Home(root=tmp_path, state_url="", lake_url="", hash_key=b""))


def test_queries(home: Home) -> None:
    """A query is read as it stands; one that is not named, empty, gone or no text is said so."""
    service = read_service("eta", home)
    path = home.root / "sql" / "eta" / "requests.sql"
    assert read_query(service, home, "requests") == "SELECT 1\n"
    with pytest.raises(ServiceFileError, match="`feedback` is missing"):
        read_query(service, home, "feedback")
    path.write_bytes(b"SELECT '\xe9'")
    with pytest.raises(ServiceFileError, match="is not UTF-8 text"):
        read_query(service, home, "requests")
    path.write_text(" \n", encoding="utf-8")
    with pytest.raises(ServiceFileError, match="is empty"):
        read_query(service, home, "requests")
    path.unlink()
    with pytest.raises(ServiceFileError, match="cannot be read: No such file"):
        read_query(service, home, "requests")
