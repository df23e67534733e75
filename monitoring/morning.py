"""What the morning is told of a night that sent no message."""

from __future__ import annotations

from monitoring.records import NightPage
from monitoring.standing import SPEAKING, place
from monitoring.story import Story
from monitoring.telling import listed
from monitoring.text import say, term


def unusual(page: NightPage) -> str:
    """The numbers that left their range and are no reason for a message: answer times, tokens, cost."""
    far = [line.name for line in page.numbers if place(line).far and line.name not in SPEAKING]
    names = [term(page.language, "number", name) for name in dict.fromkeys(far)]
    return listed(names, page.language) if names else ""


def morning_line(page: NightPage, story: Story, moved: int) -> str:
    """What the morning is told of a night on which nothing but inputs moved; empty if there is nothing to say."""
    if story.state == "early":
        return ""  # what is usual is not known yet
    if story.state == "no_verdict":
        return say(page.language, "morning.no_verdict")
    odd = unusual(page)
    if odd:
        return say(page.language, "morning.unusual", names=odd, moved=say(page.language, "moved", n=moved))
    return say(page.language, "morning.moved", n=moved) if moved else ""
