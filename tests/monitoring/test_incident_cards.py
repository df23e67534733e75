"""Incidents on a night's page: which are shown, which are folded, and what each says of itself."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from monitoring.explain import explain
from monitoring.incident import Answer, IncidentLine
from monitoring.incident_cards import about
from monitoring.records import OF, NightPage
from monitoring.report import render
from page_incidents import NIGHT, incident, key, muted, taken

RECIFE = f"city{OF}Recife"
FRIDAY = date(2026, 5, 15)


def page_of(page: NightPage, *lines: IncidentLine, **given: Any) -> str:
    """The night's page with these incidents."""
    page = replace(page, incidents=lines, revision=1, changed="", **given)
    return render(page, explain(page))


def words_of(page: str) -> str:
    """The page's words as a reader has them, on one line."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


def section_of(page: str) -> str:
    """What stands between the first lines and the numbers."""
    found = re.search(
        r"(?:<section>\s*<h2>Incid|<details class=\"kept).*?(?=<section>\s*<h2>(?:The n|Os n))",
        page,
        re.DOTALL,
    )
    return found.group() if found else ""


def unfolded(page: str) -> str:
    """The words that nobody has to open anything for, and the lines that are to be opened."""
    text = page
    while "<details" in text:
        last = text.rindex("<details")
        end = text.index("</details>", last)
        summary = re.search(r"<summary>(.*?)</summary>", text[last:end], re.DOTALL)
        assert summary is not None
        text = text[:last] + f" [{summary[1].strip()}] " + text[end + len("</details>") :]
    return words_of(text)


@pytest.fixture
def failing(changed: NightPage, make: Any) -> NightPage:
    """A night on which errors rose in one city, and no outcome moved."""
    past = [0.020, 0.021, 0.019, 0.020] * 7
    errors = make.number_line("errors", 0.041, past, numerator=743, denominator=18_120, far=True)
    place = make.number_line("errors.slice", 0.12, past, subject=RECIFE, numerator=840, denominator=7_000)
    return replace(changed, numbers=(errors, changed.numbers[2]), places=(place,))


def test_an_incident_says_what_where_since_how_bad_and_who(failing: NightPage) -> None:
    """With the figure of its slice, what moved along (five names, those that users feel first), and no statistic."""
    along = [key("distribution", f"f{n}") for n in range(6)]
    line = taken(
        7, key("errors", "", RECIFE), key("null_share", "f0"), key("latency_ms"), *along, seen=2, severity="critical"
    )  # fmt: skip
    assert unfolded(section_of(page_of(failing, line))) == (
        "Incidents 6 times as many errors as usual 2.0 % → 12.0 % incident 7 · open, taken by ana · cannot wait "
        "Where city = Recife Since Mon 11 May, seen on 2 nights "
        "Moved along answer time, missing values of “f0”, “f1”, “f2”, “f3” and 2 more [Say what it is]"
    )
    assert unfolded(section_of(page_of(failing, line, language="pt"))) == (
        "Incidentes 6 vezes mais erros que o normal 2,0 % → 12,0 % incidente 7 · aberto, assumido por ana · não pode esperar "
        "Onde city = Recife Desde seg 11 mai, visto em 2 noites "
        "Mudou junto tempo de resposta, valores ausentes de “f0”, “f1”, “f2”, “f3” e mais 2 [Diga o que é]"
    )


def test_the_command_stands_in_the_fold(failing: NightPage) -> None:
    """With the number that the command line knows it by, and every answer there is."""
    section = section_of(page_of(failing, incident(12, key("errors"))))
    fold = words_of(section[section.index("<details") :])
    assert "ronda incident support_assistant 12 shows all of it" in fold
    assert re.findall(r"--\w+", fold)[:7] == ["--ack", "--real", "--noise", "--resolve", "--expected", "--mute", "--reason"]  # fmt: skip
    assert "ronda incident" not in unfolded(section)


def test_what_speaks_stands_open_and_the_rest_is_folded(failing: NightPage) -> None:
    """The worst first; inputs alone, muted ones, and those not seen tonight are a line each."""
    lines = (
        incident(1, key("errors")), incident(2, key("latency_ms"), severity="critical"),
        incident(3, key("distribution", "city"), severity="minor"), muted(4, key("cost"), FRIDAY),
        incident(5, key("volume"), back=2), taken(6, key("volume"), back=1),
    )  # fmt: skip
    page = page_of(failing, *lines)
    rest = (
        "1 incident is muted until Fri 15 May",
        "1 open incident was not seen tonight",
        "1 incident that people know of was not seen tonight",
    )
    assert re.findall(r"incident (\d+) ", words_of(section_of(page)).replace("ronda incident", "")) == [
        "2", "1", "3", "5", "6", "4",
    ]  # fmt: skip
    assert re.findall(r"\[(.*?)\]", unfolded(section_of(page))) == [
        "Say what it is", "Say what it is", "1 incident of inputs that moved alone",
        " · ".join(rest),
    ]  # fmt: skip
    assert page.index("<h1") < page.index("<h2>Incidents") < page.index("<h2>The numbers")


def test_a_quiet_night_forgets_nobody(quiet: NightPage) -> None:
    """One line that can be opened, outside the fold that holds everything else."""
    page = page_of(
        quiet, muted(4, key("latency_ms"), FRIDAY, seen=3), muted(6, key("cost"), NIGHT + timedelta(7))
    )
    assert unfolded(page.rpartition("</head>")[2]) == (
        "ronda support_assistant night of Tue 12 May 2026 Owner @assist-team · English "
        "All well. 18,120 requests, 4 features moved, nothing to do. "
        "[2 incidents are muted, the first until Fri 15 May] [Everything that was looked at] "
        "Written by ronda. Days begin at midnight, America/Sao_Paulo."
    )
    assert "Answer time moved incident 4 · muted until Fri 15 May · can wait until working hours" in words_of(
        page
    )


def test_a_quiet_night_without_incidents_says_nothing_of_them(quiet: NightPage) -> None:
    """Whether there are none or they are not known."""
    assert page_of(quiet) == render(replace(quiet, incidents=None), explain(quiet))
    assert section_of(page_of(quiet)) == ""


def test_one_that_was_not_seen_tonight_has_no_figure_of_tonight(quiet: NightPage) -> None:
    """Errors are as usual again: what it is about, and when it was seen last."""
    for up in (True, False):
        words = words_of(section_of(page_of(quiet, incident(3, key("errors"), back=2, seen=2, up=up))))
        assert "Errors incident 3 · open, nobody looks after it, last seen Sun 10 May" in words
        assert "→" not in words


def test_the_whole_does_not_speak_for_a_slice(failing: NightPage) -> None:
    """Answer times are known over all rows only: an incident in one city has no figure of all."""
    page = replace(failing, places=())
    words = words_of(section_of(page_of(page, incident(3, key("errors", "", RECIFE)))))
    assert "Errors moved incident 3" in words
    assert "Where city = Recife" in words
    assert "→" not in words


def test_an_outcome_is_dated_by_its_own_night(changed: NightPage) -> None:
    """It is told a night later: the incident began on the night that people did what they did."""
    late = replace(changed, numbers=(replace(changed.numbers[0], far=True),))
    words = words_of(
        section_of(page_of(late, incident(3, key("outcome"), up=False), says="people press thumbs up"))
    )
    assert "People press thumbs up less often than usual 70.5 % → 54.0 %" in words
    assert "Since Mon 11 May, seen on 1 night" in words


def test_data_that_cannot_be_judged_are_told_as_ever(quiet: NightPage) -> None:
    """An incident of the data has the words of the first line."""
    bad = replace(quiet, counts={"kept": 9_083, "outside_night": 9_083})
    words = words_of(section_of(page_of(bad, incident(3, key("schema", "rows")))))
    assert "50 % of the night's rows could not be judged incident 3" in words


def test_somebody_called_it_real(failing: NightPage) -> None:
    """Nobody is named who did not take it, nor before it came back."""
    real = incident(3, key("errors"), state="acknowledged", answers=(Answer(3, "real", NIGHT, "ana"),))
    assert "open, somebody called it real" in words_of(section_of(page_of(failing, real)))
    again = incident(3, key("errors"), answers=(Answer(3, "taken", NIGHT, "ana"),))
    assert "ana" not in words_of(section_of(page_of(failing, again)))


def test_planned_changes_are_named_once(quiet: NightPage) -> None:
    """What was planned, and all that it explains, in plain words and in the open."""
    planned = {
        key("volume", "", RECIFE): "Black Friday", key("volume"): "Black Friday", key("distribution", "city"): "Black Friday",
        key("errors"): "a <b>test</b>",
    }  # fmt: skip
    page = page_of(quiet, planned=planned)
    assert "Planned: Black Friday explains the number of requests and inputs." in unfolded(page)
    assert "Planned: a <b>test</b> explains errors." in unfolded(page)
    shuffled = page_of(quiet, planned=dict(reversed(planned.items())))
    assert page == shuffled
    assert "Planejado: Black Friday explica o número de requisições e entradas." in words_of(
        page_of(quiet, planned=planned, language="pt")
    )


def test_guards_stand_in_the_table_by_their_name(failing: NightPage, make: Any) -> None:
    """After the outcome, marked as their verdict says, however far they are from usual."""
    past = [9_000.0, 9_100.0] * 14
    guards = [
        make.number_line("guard", 8_000.0, past, subject=name, format="number", far=far)
        for name, far in (("orders_per_hour", True), ("baskets", False))
    ]
    page = page_of(replace(failing, numbers=(*failing.numbers, *guards)))
    rows = [
        words_of(row)
        for row in re.findall(r"<li(?: class=\"far\")?>\s*<span class=\"name\">.*?</li>", page, re.DOTALL)
    ]
    assert rows[:2] == [
        "baskets · Guarded number 9,050 → 8,000 lowest of 28 nights, by little",
        "orders_per_hour · Guarded number 9,050 → 8,000 ▼ lower than on any of the last 28 nights",
    ]


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (key("outcome"), "“thumbs up”"), (key("guard", "orders"), "“orders”"), (key("distribution", "prediction"), "predictions"),
        (key("distribution", "city"), "“city”"), (key("null_share", "city"), "missing values of “city”"),
        (key("volume"), "requests"), (key("schema", "rows"), "the data"), (key("unseen_share", "city"), "“city”"),
    ],
    ids=str,
)  # fmt: skip
def test_what_it_is_about_has_no_internal_word(found: Any, said: str) -> None:
    """Features by their names, numbers by what people call them."""
    assert about("en", found, "thumbs up") == said


def test_the_order_incidents_come_in_does_not_matter(failing: NightPage) -> None:
    """The same bytes."""
    lines = [incident(n, key("errors"), key("cost"), key("volume")) for n in (3, 1, 2)]
    assert page_of(failing, *lines) == page_of(failing, *lines[::-1])
