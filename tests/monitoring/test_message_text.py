"""Messages: whatever is given arrives as text, what is too long is cut, and every link and mention is there."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from assistant_night import NIGHT, SERVICE, texts
from monitoring import message, thread_words
from monitoring.explain import explain
from monitoring.incident import Answer, IncidentLine
from monitoring.records import NightPage
from monitoring.verdicts.incidents import Key, Moved

DUE = datetime(2026, 5, 13, 5, 30, tzinfo=UTC)
HOSTILE = "<!channel> <https://evil.example|click> *bold* _it_ `code` ~gone~ & @here https://evil.example"


def incident(**given: Any) -> IncidentLine:
    """An incident of the outcome, seen on its first night."""
    lead = Moved(Key("outcome", "", ""), "tonight", 4.0, 0.0, 0.0, 1.0, 0.0)
    line = IncidentLine(
        1, "open", "major", NIGHT, NIGHT, NIGHT, lead, frozenset({lead.key}), seen=(NIGHT,), night=NIGHT
    )
    return replace(line, **given)


def test_every_word_that_is_given_arrives_as_text(changed: NightPage) -> None:
    """A name, a noun and the path of a page too, in every message that says them, its notification included."""
    page = replace(changed, service=HOSTILE, noun="<!here> *b* _i_")
    service = SERVICE.model_copy(update={"service": HOSTILE})
    url = "https://p.example/eta"
    nights = {"2026-05-12": {"change": HOSTILE, "more": 5000, "points": 3.0}}
    known = {"headline": HOSTILE, "noun": HOSTILE, "measure": "outcome", "nights": nights}
    taken = incident(answers=(Answer(1, "taken", NIGHT, HOSTILE),), state="acknowledged")
    payloads = [
        message.alert(page, explain(page), service, HOSTILE),
        thread_words.withdrawn(service, 1, NIGHT, NIGHT, known, HOSTILE),
        *thread_words.resolved(service, 1, NIGHT, known, nights=1),
        *thread_words.resolved(
            service, 1, NIGHT, known, thread_words.End(HOSTILE, HOSTILE, was_it_real=True), nights=1
        ),
        thread_words.answered(service, "muted", HOSTILE, NIGHT, HOSTILE),
        thread_words.went_on(page, taken, explain(page), back=False),
        message.late(service, NIGHT, DUE, ""),
        message.unwatched(service, "broken", HOSTILE),
        message.morning([(HOSTILE, NIGHT, HOSTILE, url)], "en", DUE.date()),
    ]
    for payload in payloads:
        for text in [payload["text"], *texts(payload)]:
            for sign in ("<!", "<https://evil", "*bold*", "*b*", "`code`", "~gone~", " _i", "https://evil"):
                assert sign not in text
    assert "&lt;!here&gt; ∗b∗ \u2060_i\u2060_" in texts(payloads[0])[1]
    assert texts(payloads[-1])[1].endswith(f"  <{url}|page>"), "our own link stays one"


def test_a_late_night_names_who_and_links_the_runbook() -> None:
    """Whoever is to be woken stands beside the runbook, or either alone."""
    mention, runbook = {"mention": "S0614TZR7"}, {"runbook": "https://wiki.example/eta"}
    for named, foot in (
        (mention | runbook, "<!subteam^S0614TZR7>   <https://wiki.example/eta|runbook>"),
        (mention, "<!subteam^S0614TZR7>"),
        (runbook, "<https://wiki.example/eta|runbook>"),
    ):
        service = SERVICE.model_copy(update=named)
        for payload in (
            message.late(service, NIGHT, DUE, ""),
            message.unwatched(service, "gone", "It is gone."),
        ):
            assert texts(payload)[2:] == [foot]


def test_what_is_too_long_is_cut(changed: NightPage, make: Any) -> None:
    """An error may be a page long, and a line grows as it is made text: Slack takes neither, nor half a sign."""
    facts = texts(message.late(SERVICE, NIGHT, DUE, "word " * 1000))[1]
    assert facts.split("\n")[0].endswith("word…")
    assert len(facts) < 1200

    names = [f"{n}{'&' * 280} {'&' * 10}" for n in range(4)]
    far = tuple(make.number_line("null_share", 0.5, [0.01, 0.02] * 14, subject=name) for name in names)
    page = replace(changed, numbers=far)
    sections = texts(message.alert(page, explain(page), SERVICE, "x"))
    assert all(len(section) <= 3000 for section in sections)
    also = sections[-2].split("\n")[-1]
    assert also.startswith("*Also*")
    assert also.endswith("…")
    assert "&" not in also.replace("&amp;", "")


def test_a_late_night_that_came_says_what_it_came_to() -> None:
    """Its day and its state, nothing else."""
    came = message.came(SERVICE, NIGHT, "changed")
    assert came["text"] == "The night of Tue 12 May 2026 has come: something changed."
    assert texts(came) == [came["text"]]


def test_a_message_that_is_withdrawn_links_the_page() -> None:
    """The page says why the night is an ordinary one; an address that ends with a slash has no two."""
    service = SERVICE.model_copy(update={"page_base_url": "https://ronda.example/p/"})
    known = {"headline": "“thumbs up” less often than usual"}
    said, link = texts(thread_words.withdrawn(service, 7, NIGHT, NIGHT, known, "x/2026-05-12.html"))
    assert said == (
        "✅ support_assistant, night of Tue 12 May: as usual after all. Incident 7 (“thumbs up” less often than usual) "
        "no longer holds, a night was judged anew."
    )
    assert link == "<https://ronda.example/p/x/2026-05-12.html|page>"


def test_three_more_numbers_are_named(changed: NightPage, make: Any) -> None:
    """The rest is on the page."""
    far = tuple(make.number_line("null_share", 0.5, [0.01, 0.02] * 14, subject=f"f{n}") for n in range(6))
    page = replace(changed, numbers=far)
    also = texts(message.alert(page, explain(page), SERVICE, "x"))[1].partition("*Also*")[2]
    assert [f"f{n}" for n in range(6) if f"f{n}" in also] == ["f1", "f2", "f3"]
