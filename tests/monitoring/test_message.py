"""What is said in Slack: the page's own sentences, in its order, and nothing from data that Slack obeys."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant_night import SERVICE, texts
from monitoring import message, thread_words
from monitoring.explain import explain
from monitoring.records import DeploymentLine, NightPage
from monitoring.telling import tell
from monitoring.text import say

DAY = date(2026, 5, 13)


def test_an_alert_reads_like_its_page(changed: NightPage) -> None:
    """Headline, how much, where, since, whether it can wait, the first step: in this order, in the page's words."""
    page = replace(changed, says="people press thumbs up", critical=("volume",))
    story = explain(page)
    told = tell(page, story)
    title, facts, foot = texts(message.alert(page, story, SERVICE, "support_assistant/2026-05-12.html"))
    assert title == "*🟠 support_assistant: people press thumbs up less often than usual*  on Mon 11 May"
    lines = facts.split("\n")
    assert lines[0].startswith("*70.5\u00a0% → 54.0\u00a0%* of about 4,000 requests")
    assert [line.partition("  ")[0] for line in lines[1:]] == [
        "*Since*", "*Can it wait?*", "*First step*", "*Also*",
    ]  # fmt: skip
    assert [told.since, told.wait, told.do] == [lines[n].partition("  ")[2] for n in (1, 2, 3)]
    assert foot == "page: support_assistant/2026-05-12.html"


def test_links_and_mentions(changed: NightPage) -> None:
    """The page's address, the runbook's, and whoever is to be woken."""
    service = SERVICE.model_copy(
        update={
            "page_base_url": "https://ronda.example/p/?a=1&b=2",
            "runbook": "https://wiki.example/eta",
            "mention": "S0614TZR7",
        }
    )
    foot = texts(message.alert(changed, explain(changed), service, "x/2026-05-12.html"))[-1]
    assert foot == (
        "<!subteam^S0614TZR7>   <https://ronda.example/p/?a=1&amp;b=2/x/2026-05-12.html|page>   "
        "<https://wiki.example/eta|runbook>"
    )
    person = service.model_copy(update={"mention": "U024BE7LH"})
    assert texts(message.alert(changed, explain(changed), person, "x"))[-1].startswith("<@U024BE7LH>")


HOSTILE = "<!channel> <https://evil.example|click> *bold* _it_ `code` ~gone~ & @here https://evil.example"


def test_user_text_arrives_as_text(changed: NightPage) -> None:
    """A slice, a service's owner and an error's words mention nobody, link nowhere and format nothing."""
    page = replace(changed, owner=HOSTILE, says=HOSTILE)
    service = SERVICE.model_copy(update={"owner": HOSTILE})
    payloads = [
        message.alert(page, explain(page), service, "x.html"),
        message.late(service, date(2026, 5, 12), datetime(2026, 5, 13, 5, 30, tzinfo=UTC), HOSTILE),
        message.morning([(HOSTILE, date(2026, 5, 12), HOSTILE, "")], "en", DAY),
        message.revised(replace(page, changed=HOSTILE)),
    ]
    for payload in payloads:
        for text in [payload["text"], *texts(payload)]:
            for sign in ("<!", "<https", "*bold*", "`code`", "~gone~", "https://evil"):
                assert sign not in text
            assert "&lt;!channel&gt;" in text or "evil" not in text
        assert all(block["text"]["verbatim"] for block in payload["blocks"])


@given(st.text(alphabet="ab _*~`<>&:/@!|\n", max_size=60))
def test_plain_leaves_no_sign_that_slack_obeys(text: str) -> None:
    """No angle bracket, no bare ampersand, no star, tilde, backtick or address; underscores only inside words."""
    safe = message.plain(text)
    assert not set("<>*~`") & set(safe)
    assert "://" not in safe
    rest = safe.replace("&lt;", "").replace("&gt;", "").replace("&amp;", "")
    assert "&" not in rest
    edges = [at for at, sign in enumerate(safe) if sign == "_" and safe[at - 1 : at] != "\u2060"]
    assert all(safe[at - 1].isalnum() and safe[at + 1].isalnum() for at in edges)


def test_whether_the_model_saw_it_coming(changed: NightPage, make: Any) -> None:
    """Its mean prediction for that night was nearer to what is usual, or to what happened."""
    outcome = make.number_line("outcome", 0.9, [0.2, 0.21] * 7, numerator=900, denominator=1000)
    for expected, words in ((0.3, "did not see it coming: it had expected 30.0"), (0.7, "saw it coming")):
        page = replace(changed, numbers=(outcome, make.number_line("prediction", expected, [0.2, 0.21] * 7)))
        assert f"The model {words}" in texts(message.alert(page, explain(page), SERVICE, "x"))[1]


def test_a_late_night() -> None:
    """Which night, when it was due, what is known, that it cannot wait, and the commands."""
    due = datetime(2026, 5, 13, 5, 30, tzinfo=UTC)
    title, facts = texts(message.late(SERVICE, date(2026, 5, 12), due, ""))[:2]
    assert title == "*🔴 support_assistant: no verdict for the night of Tue 12 May*"
    assert facts.split("\n") == [
        "It was due on Wed 13 May at 02:30 (America/Sao_Paulo). What is known: no run was seen",
        "*Can it wait?*  No: nobody is watching the service until it runs.",
        "*First step*  @assist-team: see whether the scheduler runs and the log is complete (ronda check support_assistant --date 2026-05-12), then run it: ronda night support_assistant --date 2026-05-12",
    ]


def test_a_morning_gathers_lines() -> None:
    """One line for each service and night, with its page; beyond forty the rest is counted."""
    line = (
        "eta",
        date(2026, 5, 12),
        "10 inputs moved, and nothing that users notice",
        "https://p.example/eta",
    )
    title, lines = texts(message.morning([line], "en", DAY))
    assert title == "*☀️ Good morning: nothing that cannot wait*"
    assert lines == (
        "eta, night of Tue 12 May: 10 inputs moved, and nothing that users notice  <https://p.example/eta|page>"
    )
    sections = texts(message.morning([line] * 45, "en", DAY))[1:]
    many = [each for section in sections for each in section.split("\n")]
    assert (len(many), many[-1]) == (41, "and 5 more nights")
    assert len(sections) > 1
    assert all(len(section) <= 3000 for section in sections), (
        "Slack refuses longer ones, and then says none of it"
    )


@pytest.mark.parametrize("name", ["errors", "outcome", "volume"])
def test_a_small_count_cannot_be_read_back(changed: NightPage, make: Any, name: str) -> None:
    """Tonight's 1 to 9, or a past night's, read the same whichever they are."""

    def said(tonight: int, past: int) -> message.Payload:
        whole = 1200
        counts = [*[400, 410] * 7, past]
        scale = 1 if name == "volume" else whole
        line = make.number_line(
            name, tonight / scale, [n / scale for n in counts], numerator=tonight, denominator=whole,
            format="count" if name == "volume" else "share",
        )  # fmt: skip
        parts = () if name == "volume" else tuple((n, whole) for n in counts)
        line = replace(line, usual=(400 / scale, 5 / scale), parts=parts)
        page = replace(changed, numbers=(line,))
        return message.alert(page, explain(page), SERVICE, "x")

    assert said(3, 400) == said(8, 400)
    assert said(0, 3) == said(0, 8)


def test_in_portuguese(changed: NightPage) -> None:
    """The same message from the same catalogue."""
    page = replace(changed, language="pt", says="pessoas gostam")
    facts = texts(message.alert(page, explain(page), SERVICE, "x"))[1]
    assert [line.partition("  ")[0] for line in facts.split("\n")[1:4]] == [
        "*Desde*",
        "*Pode esperar?*",
        "*Primeiro passo*",
    ]


@pytest.mark.parametrize("name", ["volume", "errors", "null_share", "prediction", "outcome"])
@pytest.mark.parametrize("value", [0.01, 0.9])
@pytest.mark.parametrize("language", ["en", "pt"])
def test_every_number_has_its_words(
    changed: NightPage, make: Any, name: str, value: float, language: str
) -> None:
    """Up and down, in both languages; no sentence is missing on the one night that needs it."""
    line = make.number_line(
        name, value, [0.2, 0.21] * 7, subject="x", numerator=round(value * 1000), denominator=1000
    )
    page = replace(changed, numbers=(line,), language=language, deployments=())
    story = explain(page)
    if story.lead is None:
        assert (name, value) in {("null_share", 0.01), ("errors", 0.01)}
        return
    told = tell(page, story)
    assert all((told.headline, told.change, told.much, told.where, told.since, told.wait, told.do))


def test_a_night_of_another_year(changed: NightPage) -> None:
    """What is told long after the night names its year; what is told the next morning does not."""
    story = explain(changed)
    soon = message.alert(changed, story, SERVICE, "x", DAY)["text"]
    assert soon.endswith(", on Mon 11 May")
    late = message.alert(changed, story, SERVICE, "x", date(2027, 1, 3))
    assert late["text"].endswith(", on Mon 11 May 2026")
    for told_on, night in ((DAY, "Tue 12 May:"), (date(2027, 1, 3), "Tue 12 May 2026:")):
        gone = thread_words.withdrawn(SERVICE, 1, date(2026, 5, 12), told_on, {}, "x")
        assert f"night of {night} as usual after all" in gone["text"]


def test_what_is_not_known_is_not_said(changed: NightPage, make: Any) -> None:
    """Requests where there were none have no percent, and a deployment without any name is none."""
    line = make.number_line("volume", 500.0, [0.0] * 14, format="count", numerator=500)
    blank = DeploymentLine("", "", "", "", "", "", "", "2026-05-01T00:00+00:00", 500)
    page = replace(changed, numbers=(line,), deployments=(blank,), known=())
    told = tell(page, explain(page))
    assert told.headline == "requests came, and usually there are none"
    assert "?" not in told.since
    assert say("en", "story.deployed.unknown") in told.since


def test_a_service_that_nobody_watches() -> None:
    """What is wrong with its file stands in one line, whatever lines the error has."""
    said = message.unwatched(
        SERVICE, "broken", "/x/eta.yaml has 2 problems:\n  unknown key `slcies`\n  *bold* <!channel>"
    )
    title, facts = texts(said)[:2]
    assert title == "*🔴 support_assistant: nobody judges its nights, its service file cannot be read*"
    assert facts.split("\n") == [
        "What is known: /x/eta.yaml has 2 problems: unknown key ˋslciesˋ ∗bold∗ &lt;!channel&gt;",
        "*Can it wait?*  No: nobody watches the service until its file is in order.",
        (
            "*First step*  @assist-team: mend the file, then run the nights that are missing: "
            "ronda night support_assistant --from DATE --to DATE"
        ),
    ]
    gone = texts(message.unwatched(SERVICE, "gone", "x.yaml is not there any more."))
    assert "its service file is gone" in gone[0]
    assert "put the file back" in gone[1]
