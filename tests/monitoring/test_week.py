"""What a week came to: one message on Monday morning for each channel and owner, whatever is run again."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from assistant_night import SERVICE, messages
from monitoring.week import weeks
from services.model import Service
from store import outbox
from store.incidents import AnswerRow, IncidentRow, answer, keep_incident
from store.ledger import NightRow, record_night
from store.outbox import MessageRow
from store.references import ReferenceRow, add_reference
from store.state import State, reading, writing

MONDAY = date(2026, 5, 4)  # of week 19
EIGHT = datetime(2026, 5, 11, 11, tzinfo=UTC)  # 08:00 in São Paulo, on the Monday after
TITLE = "*🗓️ The week, Mon 4 May to Sun 10 May: {}*"
COST = "It lasted 3 nights, about 120 requests failed beyond the usual."


def day(of_may: int) -> date:
    """A day of May."""
    return date(2026, 5, of_may)


def judged(
    state: State, service: Service, nights: int = 7, *, standing: str = "quiet", since: date = MONDAY
) -> None:
    """Record nights in a row."""
    with writing(state) as connection:
        for night in (since + timedelta(days=n) for n in range(nights)):
            at = datetime(night.year, night.month, night.day, 6, tzinfo=UTC)
            made = ReferenceRow(service.service, "v1", "aaa", "training", at, at, 10, 10, "", "{}", at)
            known = add_reference(connection, made).id
            row = NightRow(service.service, night, f"n{night}", at, at, known, 5, 5, at, standing=standing)
            record_night(connection, row, {"kept": 5})


def incident(state: State, /, number: int, opened: date, headline: str = "half failed", **given: Any) -> None:
    """Record an incident as it stands; it was told by a message of its own unless `given` says otherwise."""
    nights = {str(opened): {"change": "", "more": 120, "points": None}}
    known = {"headline": headline, "noun": "requests", "measure": "errors", "nights": nights}
    plain = IncidentRow(
        SERVICE.service, number, opened, opened, opened, None, "open", "major", 3, 0, "post", "errors", "", "",
        "tonight", 5.0, True, '[["errors","",""]]', json.dumps(known), EIGHT,
    )  # fmt: skip
    with writing(state) as connection:
        keep_incident(connection, replace(plain, **given))


def say(state: State, number: int, what: Any) -> None:
    """Record what somebody said of an incident."""
    with writing(state) as connection:
        answer(connection, AnswerRow(SERVICE.service, number, what, "ana", "command", what, EIGHT))


def put(state: State, now: datetime = EIGHT, *services: Service) -> list[MessageRow]:
    """Everything about weeks that is in the outbox after they were put once more."""
    weeks(state, services or (SERVICE,), now)
    return [row for row in messages(state, "") if row.kind == "week"]


def said(row: MessageRow) -> list[str]:
    """The lines of a message."""
    return "\n".join(each["text"]["text"] for each in json.loads(row.payload)["blocks"]).split("\n")


def test_a_week_says_what_is_open_what_ended_and_at_what_cost(state: State) -> None:
    """The worst first; a message that waited for the morning counts as an incident and not against the budget."""
    judged(state, SERVICE)
    incident(state, 1, day(4), "answers are longer", told="digest")
    incident(state, 2, day(5), resolved=day(9), state="resolved")
    incident(state, 3, day(8), "nobody gets an answer", severity="critical")
    (row,) = put(state)
    assert said(row) == [
        TITLE.format("2 incidents still open"),
        "🔴 *support_assistant*  7 nights judged, 3 new incidents. Messages: 1 of the week's 3, and 1 critical.",
        "*Still open*  incident 3: nobody gets an answer; incident 1: answers are longer",
        f"*Over*  incident 2: half failed. {COST}",
        "*Were they real?*  Nobody has said of incidents 1, 2, 3.",
    ]
    assert (row.key.rpartition("-")[0], row.action) == ("week/2026-W19/assist-assist-team", "post")
    assert (row.service, row.channel, row.due_at, row.unknown) == ("", "#assist", EIGHT, "hold")


def test_a_week_counts_as_it_was_at_its_end(state: State) -> None:
    """What began or ended on the Monday is told a week later; what was withdrawn is no incident, though it was sent."""
    judged(state, SERVICE, 5, standing="no_verdict")
    incident(state, 1, day(1), resolved=day(11), state="resolved")
    incident(state, 2, day(1), resolved=day(3), state="resolved")
    incident(state, 3, day(11))
    incident(state, 4, day(10), state="withdrawn")
    say(state, 1, "real")
    say(state, 2, "expected")
    _, first, *rest = said(put(state)[0])
    assert first == (
        "🟠 *support_assistant*  5 of 7 nights judged (5 without a verdict), no new incident, 1 withdrawn. "
        "Messages: 1 of the week's 3."
    )
    assert rest == [
        "*Still open*  incident 1: half failed",
        "*Answers*  Of 1 answered this quarter 1 was real.",
    ]


def test_the_quarter_is_that_of_the_week(state: State) -> None:
    """From the week on whose Thursday is in it; what was said last holds, and four unanswered are not all named."""
    judged(state, SERVICE)
    for number, opened in enumerate(
        (date(2026, 3, 29), date(2026, 3, 30), *map(day, (1, 2, 3, 4, 5, 6))), start=1
    ):
        incident(state, number, opened, resolved=day(7), state="resolved")
    for number, what in ((1, "noise"), (2, "noise"), (2, "real"), (3, "noise"), (4, "taken")):
        say(state, number, what)
    assert said(put(state)[0])[-1] == (
        "*Were they real?*  Nobody has said of incidents 4, 5, 6 and 2 more. Of 2 answered this quarter 1 were real."
    )


def test_what_is_open_says_whether_anybody_looks(state: State) -> None:
    """Taken, quiet, or neither; three are named, and inputs that moved alone have no headline to be named by."""
    judged(state, SERVICE)
    alone = {"severity": "minor", "detail": "", "told": "", "measure": "distribution", "feature": "city"}
    incident(state, 1, day(4), state="acknowledged")
    incident(state, 2, day(4), state="muted")
    say(state, 1, "taken")
    say(state, 2, "expected")
    incident(state, 3, day(4), keys='[["distribution","city",""]]', **alone)
    assert said(put(state)[0])[2] == (
        "*Still open*  incident 1: half failed (somebody is on it); incident 2: half failed (quiet for now); "
        "incident 3: “city” moved, and nothing that users notice"
    )
    incident(state, 4, day(4))
    again = SERVICE.model_copy(update={"owner": "@others"})
    with writing(state) as connection:
        outbox.take_back(connection, messages(state, "")[0].key)
    assert said(put(state, EIGHT, again)[0])[2].endswith("incident 4: half failed; and 1 more")


def test_a_calm_week_is_one_line_and_one_without_nights_none(state: State) -> None:
    """An incident that was over before it, or began after it, is nothing of it."""
    assert put(state) == []
    judged(state, SERVICE, since=MONDAY - timedelta(days=7))
    judged(state, SERVICE, 1, since=day(11))
    assert put(state) == []
    judged(state, SERVICE)
    incident(state, 1, day(1), resolved=day(3), state="resolved")
    incident(state, 2, day(11))
    (row,) = put(state)
    assert said(row) == [TITLE.format("nothing is open"), "*support_assistant*  7 nights, nothing to tell"]


def test_a_week_is_told_on_its_monday_morning_and_never_later_than_the_next(state: State) -> None:
    """Not at 07:59 where the service is, at 08:00; a week later only the week after it is told."""
    judged(state, SERVICE)
    assert put(state, EIGHT - timedelta(minutes=1)) == []
    assert put(state, EIGHT + timedelta(days=7)) == []
    assert put(state, EIGHT + timedelta(days=6, hours=12)) != []  # Sunday evening, after a long silence


def test_a_week_is_put_once(state: State) -> None:
    """However often it is asked for, and whatever of it was judged again or came after."""
    judged(state, SERVICE, 6)
    (row,) = put(state)
    judged(state, SERVICE)
    incident(state, 1, day(6))
    assert put(state, EIGHT + timedelta(days=2)) == [row]
    joined = SERVICE.model_copy(update={"service": "eta"})
    judged(state, joined)
    assert weeks(state, [SERVICE, joined], EIGHT).keys == ()


def test_services_of_one_owner_stand_in_one_message(state: State) -> None:
    """The one with something to tell first, whatever their names; another owner, or language, has another message."""
    eta, shop, ads = (SERVICE.model_copy(update={"service": name}) for name in ("eta", "shop", "ads"))
    others = [shop.model_copy(update={"mention": "S0614TZR7"}), ads.model_copy(update={"language": "pt"})]
    for each in (SERVICE, eta, *others):
        judged(state, each)
    incident(state, 1, day(4))
    incident(state, 1, day(4), service="eta", resolved=day(7), state="resolved")
    rows = put(state, EIGHT, eta, *others, SERVICE)
    lines = [[line.split("*")[1] for line in said(row)] for row in rows]
    assert sorted(each[1:] for each in lines) == [
        ["ads"],
        ["shop"],
        ["support_assistant", "Still open", "Was it real?", "eta", "Over", "Was it real?"],
    ]
    assert len({row.key for row in rows}) == 3


def test_a_message_waits_for_the_morning_of_all_its_services(state: State) -> None:
    """One who wakes in Tokyo hears of all of them once it is morning in São Paulo as well."""
    tokyo = SERVICE.model_copy(update={"service": "eta", "time_zone": "Asia/Tokyo"})
    judged(state, SERVICE)
    judged(state, tokyo)
    assert put(state, EIGHT - timedelta(hours=10), SERVICE, tokyo) == []
    (row,) = put(state, EIGHT, SERVICE, tokyo)
    assert row.due_at == EIGHT


def test_a_week_follows_its_service_to_another_channel_unless_it_may_have_arrived(state: State) -> None:
    """Else a channel that is mended would never hear of it, and one that is changed would hear of it twice."""
    judged(state, SERVICE)
    moved = SERVICE.model_copy(update={"slack": "#mended"})
    (old,) = put(state)
    assert weeks(state, [moved], EIGHT).gone == (old,)
    (row,) = put(state, EIGHT, moved)
    assert row.channel == "#mended"
    with writing(state) as connection:
        outbox.settle(connection, outbox.claim(connection, row, EIGHT), "sent", now=EIGHT, ts="1.1")
    with reading(state) as connection:
        sent = outbox.message_of(connection, row.key)
    assert put(state, EIGHT, SERVICE) == [sent]


def test_a_headline_commands_nothing(state: State) -> None:
    """No mention, link, formatting or new line comes out of what data say; what is long is cut."""
    judged(state, SERVICE)
    incident(state, 1, day(4), "<!channel> *now* https://x.example\n_so_ \u202e" + "a" * 999)
    _, _, line, _ = said(put(state)[0])
    assert line.startswith(
        "*Still open*  incident 1: &lt;!channel&gt; ∗now∗ https:⁄⁄x.example\ufffd\u2060_so\u2060_ \ufffdaaa"
    )
    assert line.endswith("a…")
    assert len(line) < 250


def test_a_week_in_portuguese(state: State) -> None:
    """In the service's language, numbers and cost too."""
    service = SERVICE.model_copy(update={"language": "pt"})
    judged(state, service, 6)
    incident(state, 1, day(4), "metade falhou", severity="critical")
    incident(state, 2, day(5), "respostas longas", resolved=day(9), state="resolved")
    say(state, 2, "real")
    assert said(put(state, EIGHT, service)[0]) == [
        "*🗓️ A semana, seg 4 mai a dom 10 mai: 1 incidente ainda aberto*",
        "🔴 *support_assistant*  6 de 7 noites julgadas, 2 incidentes novos. Mensagens: 1 das 3 da semana, e 1 crítica.",
        "*Ainda aberto*  incidente 1: metade falhou",
        "*Acabou*  incidente 2: respostas longas. Durou 3 noites, cerca de 120 requests falharam além do normal.",
        "*Era real?*  Ninguém disse do incidente 1. De 1 respondido neste trimestre, 1 era real.",
    ]
