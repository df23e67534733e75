"""Guards, what is planned, budget and webhook in a service file: what is read, and what is refused in which words."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from services.errors import ServiceFileError
from services.home import Home
from services.model import Guard, Planned, as_plain
from services.problems import known_keys
from services.read import read_guard, read_service

Write = Callable[..., None]
PAID = "guards: {paid: {query: sql/eta/paid.sql}}\n"
DOCS = Path(__file__).resolve().parents[2] / "docs" / "service-file.md"


@pytest.fixture
def paid(home: Home) -> Path:
    path = home.root / "sql" / "eta" / "paid.sql"
    path.write_text("SELECT 3\n", encoding="utf-8")
    return path


def problems(home: Home) -> list[str]:
    with pytest.raises(ServiceFileError) as caught:
        read_service("eta", home)
    first, *lines = str(caught.value).split("\n  ")
    return lines or [first.removeprefix(f"{home.services / 'eta.yaml'}: ")]


def test_what_is_so_when_nothing_is_said(home: Home, write: Write, paid: Path) -> None:
    """Nothing is guarded and nothing planned; a guard of one key is worse when lower."""
    bare = read_service("eta", home)
    write(add=PAID)
    guard = read_service("eta", home).guards["paid"]

    assert (bare.guards, bare.planned, bare.budget, bare.webhook) == ({}, (), 3, True)
    assert "guards" in bare.critical
    assert (guard.worse, guard.floor, guard.says) == ("down", None, "")


def test_planned_days_are_read(home: Home, write: Write) -> None:
    """One day, several days, and a holiday, as the documentation's example writes them."""
    example = DOCS.read_text(encoding="utf-8").split("## What is planned\n\n```yaml\n")[1].split("```")[0]
    write(add=example)
    sale, holiday = read_service("eta", home).planned

    assert (sale.first, sale.last, sale.affects) == (
        date(2026, 11, 27), date(2026, 11, 30), ("volume", "outcome"),
    )  # fmt: skip
    assert (holiday.first, holiday.last, holiday.what, holiday.affects, holiday.holiday) == (
        date(2026, 6, 24), date(2026, 6, 24), "São João", (), True,
    )  # fmt: skip


def test_what_is_planned_for_all_is_replaced_by_a_services_own(home: Home, write: Write) -> None:
    """Lists do not merge: a service with a list of its own says all that holds for it."""
    write(name="_defaults.yaml", instead="planned: [{from: 2026-11-27, what: sale}]\nbudget: 9\n")
    everyone = read_service("eta", home)
    write(add="planned: [{from: 2026-12-01, what: move}]\nwebhook: false\n")
    own = read_service("eta", home)

    assert [each.what for each in everyone.planned] == ["sale"]
    assert [each.what for each in own.planned] == ["move"]
    assert (own.budget, own.webhook) == (9, False)


@pytest.mark.parametrize(
    ("add", "told"),
    [
        ("guards: {Paid-Carts: {query: sql/eta/paid.sql}}\n", "`guards`: use a to z, 0 to 9 and _"),
        ("guards: {'a\\n': {query: sql/eta/paid.sql}}\n", "found 'a\\\\n'"),
        ("guards: {'': {query: sql/eta/paid.sql}}\n", "`guards`: use a to z, 0 to 9 and _"),
        (f"guards: {{{'a' * 64}: {{query: sql/eta/paid.sql}}}}\n", "63 characters at most"),
        ("guards: {'a; DROP TABLE x': {query: sql/eta/paid.sql}}\n", "`guards`: use a to z"),
        ("guards: {'../../x': {query: sql/eta/paid.sql}}\n", "`guards`: use a to z"),
        (
            "guards: {paid: {}}\n",
            "`guards.paid.query` is missing. Add it, for example query: sql/shop/checkout.sql",
        ),
        ("guards: {paid: sql/eta/paid.sql}\n", "`guards.paid` is 'sql/eta/paid.sql'. Write keys with values"),
        ("guards: [paid]\n", "`guards` is a list. Write keys with values below it."),
        ("guards: {paid: {query: sql/eta/gone.sql}}\n", "`guards.paid.query` names 'sql/eta/gone.sql', and"),
        ("guards: {paid: {query: /etc/passwd}}\n", "`guards.paid.query`: write a path below the folder"),
        ("guards: {paid: {query: ../x.sql}}\n", "`guards.paid.query`: write a path below the folder"),
        ("guards: {paid: {query: 4}}\n", "`guards.paid.query` is 4. Write the path of a file as text."),
        ("guards: {paid: {query: sql/eta/paid.sql, worse: downn}}\n", "Did you mean `down`?"),
        (
            "guards: {paid: {query: sql/eta/paid.sql, floor: 0}}\n",
            "`guards.paid.floor` is 0. Write a number above",
        ),
        ("guards: {paid: {query: sql/eta/paid.sql, floor: .nan}}\n", "Write a number"),
        (f"guards: {{paid: {{query: sql/eta/paid.sql, says: {'s' * 121}}}}}\n", "at most 120 characters"),
        (
            "guards: {paid: {query: sql/eta/paid.sql, flor: 1}}\n",
            "unknown key `flor` in `guards.paid`; did you mean",
        ),
        ("planned: {from: 2026-11-27, what: sale}\n", "`planned` is a mapping. Write a list"),
        ("planned: [2026-11-27]\n", "`planned[0]` is '2026-11-27'. Write keys with values below it."),
        ("planned: [{what: sale}]\n", "`planned[0].from` is missing. Add it, for example from: 2026-11-27"),
        ("planned: [{from: 2026-11-27}]\n", "`planned[0].what` is missing. Add it"),
        (
            "planned: [{from: 2026-02-30, what: sale}]\n",
            "`planned[0].from` is '2026-02-30'. Write a day, such",
        ),
        ("planned: [{from: 20261127, what: sale}]\n", "`planned[0].from`: write a day as year-month-day"),
        ("planned: [{from: 0, what: sale}]\n", "`planned[0].from`: write a day as year-month-day"),
        ("planned: [{from: 2026-11-27T09:00, what: sale}]\n", "write a day as year-month-day"),
        ("planned: [{from: 0001-01-01, what: sale}]\n", "nights lie between 1970 and 2200"),
        ("planned: [{from: 2026-11-27, to: , what: sale}]\n", "`planned[0].to` is empty. Write a day"),
        (
            "planned: [{from: 2026-11-27, to: 2026-11-26, what: sale}]\n",
            "`planned[0].to`: it lies before `from`, which is 2026-11-27; found 2026-11-26",
        ),
        (
            "planned: [{from: 2026-01-01, to: 2026-04-03, what: sale}]\n",
            "`planned[0].to`: what is planned takes at most 92 nights, and this is 93; a longer silence is a mute",
        ),
        (
            "planned: [{from: 2026-11-27, what: ''}]\n",
            "`planned[0].what`: write words on one line, without control",
        ),
        ("planned: [{from: 2026-11-27, what: ' '}]\n", "`planned[0].what`: write words on one line"),
        (
            'planned: [{from: 2026-11-27, what: "a\\nb"}]\n',
            "`planned[0].what`: write words on one line, without",
        ),
        ('planned: [{from: 2026-11-27, what: "a\\x1b[2J"}]\n', "`planned[0].what`: write words on one line"),
        ('planned: [{from: 2026-11-27, what: "a\\u202eb"}]\n', "`planned[0].what`: write words on one line"),
        (f"planned: [{{from: 2026-11-27, what: {'w' * 121}}}]\n", "Write at most 120 characters."),
        ("planned: [{from: 2026-11-27, what: sale, affects: volume}]\n", "`planned[0].affects` is 'volume'."),
        ("planned: [{from: 2026-11-27, what: sale, affects: [volum]}]\n", "Did you mean `volume`?"),
        (
            "planned: [{from: 2026-11-27, what: sale, affects: [volume], holiday: true}]\n",
            "`planned[0].holiday`: a holiday is compared with Sundays and silences nothing: take `affects` out",
        ),
        (
            "planned: [{from: 2026-11-27, what: sale, untill: 2026-11-28}]\n",
            "unknown key `untill` in `planned",
        ),
        ("budget: 101\n", "`budget` is 101. Write a number of at most 100."),
        ("budget: -1\n", "`budget` is -1. Write a number of at least 0."),
        ("budget: yes\n", "`budget` is yes or true. Write a whole number."),
        ("budget: 1.5\n", "`budget` is 1.5. Write a whole number."),
        ("budget: '3'\n", "`budget` is '3'. Write a whole number."),
        ("budget: .inf\n", "`budget` is inf. Write a whole number."),
        ("webhook: https://events.example/x\n", "Write true or false."),
    ],
)
def test_one_problem(home: Home, write: Write, paid: Path, add: str, told: str) -> None:
    """Each mistake is one line that names its key path and says what is right."""
    write(add=add)
    lines = problems(home)

    assert told in lines[0]
    assert len(lines) == 1, lines


def test_a_secret_in_a_guards_name_is_not_repeated(home: Home, write: Write, paid: Path) -> None:
    """The name is quoted in its own complaint, and it may be anything."""
    write(add="guards: {xoxb-123456-abcdef: {query: sql/eta/gone.sql}}\n")

    assert "xoxb" not in "\n".join(problems(home))


def test_a_wrong_name_for_all_is_blamed_on_the_defaults(home: Home, write: Write, paid: Path) -> None:
    """A wrong key is looked for where it stands, as a wrong value is."""
    write(name="_defaults.yaml", instead="guards: {Paid: {query: sql/eta/paid.sql}}\n")

    assert problems(home)[0].startswith(f"in {home.services / '_defaults.yaml'}: `guards`: use a to z")


def test_the_longest_plan(home: Home, write: Write) -> None:
    """92 nights are a quarter of a year, and may be planned."""
    write(add="planned: [{from: 2026-01-01, to: 2026-04-02, what: sale}, {from: 2026-01-01, what: 👩‍💻}]\n")

    assert [(each.last - each.first).days for each in read_service("eta", home).planned] == [91, 0]


def test_a_guards_query_is_read(home: Home, write: Write, paid: Path) -> None:
    """As the other queries: its text as it stands; one that is empty, gone or unknown is said so."""
    write(add=PAID)
    service = read_service("eta", home)
    assert read_guard(service, home, "paid") == "SELECT 3\n"
    with pytest.raises(ServiceFileError, match=r"has no guard 'pay' under `guards`\. There are: paid"):
        read_guard(service, home, "pay")
    paid.write_text(" ")
    with pytest.raises(ServiceFileError, match=r"`guards.paid.query` names sql/eta/paid.sql, which is empty"):
        read_guard(service, home, "paid")
    paid.unlink()
    with pytest.raises(
        ServiceFileError, match=r"`guards.paid.query` names sql/eta/paid.sql, which cannot be"
    ):
        read_guard(service, home, "paid")


def test_plans_make_no_night_another_one(home: Home, write: Write, paid: Path) -> None:
    """What is told and when is no part of what a night counted; a guard is."""
    before = as_plain(read_service("eta", home))
    write(add="planned: [{from: 2026-11-27, what: sale}]\nbudget: 0\nwebhook: false\n")
    planned = as_plain(read_service("eta", home))
    write(add=PAID)
    guarded = as_plain(read_service("eta", home))

    assert planned == before
    assert not {"planned", "budget", "webhook"} & set(before)
    assert guarded["guards"]["paid"]["query"] == "sql/eta/paid.sql"


def test_every_key_is_documented() -> None:
    """The keys of a guard and of a plan stand in the reference, as they are written."""
    text = DOCS.read_text(encoding="utf-8")
    guard, planned = known_keys(("guards", "paid")), known_keys(("planned", 0))

    assert (len(guard), len(planned)) == (len(Guard.model_fields), len(Planned.model_fields))
    assert [key for key in guard if f"`guards.<name>.{key}`" not in text] == []
    assert [key for key in planned if f"`planned.{key}`" not in text] == []
