"""A story in words: the same sentences, in the same order, for the page and for the message."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from monitoring import amounts
from monitoring.amounts import change
from monitoring.deployment_words import began, people, version
from monitoring.incident import slice_of
from monitoring.places import in_words, part_in_words
from monitoring.records import ALL_ROWS, OF, NightPage, NumberLine, Slice
from monitoring.standing import LOUD, lost, set_aside
from monitoring.story import Story
from monitoring.text import (
    SMALL,
    brief_day,
    catalogue,
    is_small,
    number,
    roughly,
    say,
    share,
    short,
    term,
)

_NAMED = 3  # columns in a headline
_COUNTED = {"outcome", "errors", "latency_ms", "first_token_ms", "cost", "tokens_in", "tokens_out"}
_TIMES = 1.5  # from this ratio on "twice as often" says more than "more often"


@dataclass(frozen=True)
class Told:
    """What a person reads first; every part is one or two short sentences, and empty if there is nothing to say.

    Attributes:
        mark: a coloured sign for how bad it is.
        headline: what users see, without capital and full stop.
        change: usual → tonight, the one figure to keep in mind.
        much: what is usual, and for how many; `where`, `since` (and after which deployment), `wait` (can it?), `do`
            (who does what first).
    """

    mark: str
    headline: str
    change: str = ""
    much: str = ""
    where: str = ""
    since: str = ""
    wait: str = ""
    do: str = ""


def tell(page: NightPage, story: Story, told_on: date | None = None) -> Told:
    """The sentences of a night that has something to tell.

    Args:
        told_on: the day it is told, if not soon after the night; dates of another year then bear it.
    """
    language = page.language
    mark = "🔴" if set(story.urgent) - {"schema"} else "⚪" if story.state == "data" else "🟠"
    if story.lead is None:
        return _without_a_number(page, story, mark, told_on or page.night)
    return Told(
        mark=mark,
        headline=headline(page, story.lead),
        change=change(story.lead, language),
        much=_much(page, story, story.lead),
        where=in_words(story.where, language),
        since=_since(page, story, told_on or page.night),
        wait=_wait(story, language),
        do=_do(page, story, story.lead.name + direction(story.lead)),
    )


def _without_a_number(page: NightPage, story: Story, mark: str, beside: date) -> Told:
    """The sentences of what no number of the night tells: its data, or an incident whose number has no past."""
    wait = _wait(story, page.language)
    if story.state == "data" or story.incident is None:
        return Told(mark, _data(page), wait=wait, do=_do(page, story, "lost" if lost(page) else "data"))
    lead, key = story.incident.lead, story.incident.lead.key
    name = say(page.language, "story.column", name=short(key.feature)) if key.feature else ""
    what = f"{term(page.language, 'measure', key.measure)} {name}".strip()
    way = f"story.{key.measure}.{'up' if lead.up else 'down'}"
    said = (
        way if key.measure in {"null_share", "errors", "guard"} and way in catalogue() else "story.incident"
    )
    headline = _within(
        say(page.language, said, what=what, name=short(key.feature)), slice_of(key), page.language
    )
    return Told(mark, headline, since=_since(page, story, beside), wait=wait, do=_do(page, story, "incident"))


def _within(said: str, part: Slice, language: str) -> str:
    """What was said, and the part of the traffic it holds for; all rows need no word."""
    if part == ALL_ROWS:
        return said
    place = part_in_words(part, language)
    if part.value.startswith(OF):
        place = f"{short(part.dimension)} = {say(language, 'cell.' + part.value.removeprefix(OF))}"
    return say(language, "story.within", said=said, place=place)


def told_with(page: NightPage, story: Story) -> str:
    """The headline and its figure in one line, for lists; empty on a night with nothing to tell."""
    if story.state not in LOUD:
        return ""
    told = tell(page, story)
    return f"{told.headline} ({told.change})" if told.change else told.headline


def headline(page: NightPage, lead: NumberLine) -> str:
    """What users see of a number that left its range, in a few plain words, and in which part of the traffic."""
    return _within(_headline(page, lead), lead.part, page.language)


def _headline(page: NightPage, lead: NumberLine) -> str:
    language, way = page.language, direction(lead)
    assert lead.value is not None and lead.usual is not None  # noqa: PT018 - a number without them is never told
    usual = lead.usual[0]
    if lead.name == "volume":
        # how few they are, or were, is not told
        value, usual = (max(amount, SMALL) if amount else 0.0 for amount in (lead.value, usual))
        if not usual:
            return say(language, "story.volume.new", noun=noun(page))
        percent = share(language, abs(value / usual - 1), digits=0)
        return say(language, f"story.volume{way}", percent=percent, noun=noun(page))
    usual = amounts.usual_value(lead)
    times = lead.value / usual if usual > 0 else 0.0
    bound = amounts.usual_is_bound(lead) or amounts.tonight_is_bound(lead)
    counted = lead.name in _COUNTED and _TIMES <= times < 100 and not bound
    key = f"story.{lead.name}{'.says' if lead.name == 'outcome' and page.says else ''}{way}"
    if lead.name == "guard" and page.guards.get((lead.subject, way)):
        return page.guards[lead.subject, way]
    return say(
        language,
        key + (".times" if counted else ""),
        says=page.says,
        name=lead.subject,
        times=number(language, times, 2),
    )


def about(page: NightPage, story: Story) -> date:
    """The night that what is told belongs to: an outcome is of an earlier one than the page."""
    if story.lead is not None:
        return story.lead.of_night
    nights = {line.of_night for line in lost(page)} if story.state == "data" else set()
    return nights.pop() if len(nights) == 1 else page.night


def direction(line: NumberLine) -> str:
    """`.up` or `.down`, seen from what is usual."""
    assert line.value is not None and line.usual is not None  # noqa: PT018 - as above
    return ".up" if line.value > line.usual[0] else ".down"


def also(line: NumberLine, page: NightPage) -> str:
    """Another number that left its range, in one short line."""
    return f"{headline(page, line)} ({change(line, page.language)})"


def _data(page: NightPage) -> str:
    missing = lost(page)
    if missing:
        names = list(dict.fromkeys(_measured(line, page.language) for line in missing))
        return say(page.language, "story.lost", names=listed(names[:_NAMED], page.language))
    kept = page.counts.get("kept", 0)
    part = share(page.language, set_aside(page), page.rows_read - kept, page.rows_read, digits=0)
    return say(page.language, "story.data", share=part)


def _much(page: NightPage, story: Story, lead: NumberLine) -> str:
    language = page.language
    parts = []
    if lead.format == "share" and lead.denominator:
        parts.append(say(language, "story.of", things=things(page, roughly(language, lead.denominator))))
    if lead.name == "volume":
        parts.append(f"{noun(page)}.")
    parts.append(_beside_past(lead, language))
    if story.more and lead.name != "volume" and not is_small(abs(story.more)):
        key = f"story.{'more' if story.more > 0 else 'fewer'}.{lead.name}"
        parts.append(say(language, key, amount=roughly(language, abs(story.more)), noun=noun(page)))
    if story.expected is not None:
        assert lead.value is not None and lead.usual is not None  # noqa: PT018 - a number without them is never told
        unseen = abs(lead.value - story.expected) > abs(lead.usual[0] - story.expected)
        key = "story.expected.unseen" if unseen else "story.expected.seen"
        parts.append(say(language, key, value=share(language, story.expected)))
    return " ".join(parts)


def _beside_past(lead: NumberLine, language: str) -> str:
    """The number beside the usual nights before: further out than any of them, or among the furthest."""
    past = lead.ordinary
    assert lead.value is not None and past  # noqa: PT018 - a number without a past is never told
    if lead.value > max(past):
        return _never(lead, "story.highest", max(past), len(past), language)
    if lead.value < min(past):
        return _never(lead, "story.lowest", min(past), len(past), language)
    up = direction(lead) == ".up"
    as_far = sum(value >= lead.value if up else value <= lead.value for value in past)
    return say(language, "story.among" + _apart(lead), n=as_far, nights=len(past))


def _apart(lead: NumberLine) -> str:
    """Ends the sentences of a number that has nights set apart."""
    return ".apart" if lead.apart else ""


def _never(lead: NumberLine, key: str, furthest: float, nights: int, language: str) -> str:
    value = amounts.once(lead, furthest, language)
    if key == "story.highest" and furthest == 0:
        key += ".zero"
    elif value[0] in "<>":  # a bound, of which nothing can be above or below
        key += ".bound"
    return say(language, key + _apart(lead), n=nights, value=value)


def things(page: NightPage, amount: str) -> str:
    """An amount of what the service answers: requests, or the service file's own word for them."""
    return say(page.language, "story.things", amount=amount, noun=noun(page))


def noun(page: NightPage) -> str:
    """What one request is, in the plural."""
    return short(page.noun) or say(page.language, "story.noun")


def _since(page: NightPage, story: Story, beside: date) -> str:
    language = page.language
    assert story.since is not None
    last = page.night if story.lead is None else story.lead.of_night
    in_a_row = story.nights == (last - story.since).days + 1
    key = "story.since" if in_a_row else "story.since.seen"
    first = say(language, key, n=story.nights, night=brief_day(language, story.since, beside))
    line = story.deployed or story.serving
    what = version(line, language, brief=story.deployed is None) if line is not None else ""
    if line is None or not what:  # nothing was logged, or only empty names
        return f"{first} {say(language, 'story.deployed.unknown')}"
    key = "story.deployed" if story.deployed else "story.deployed.none"
    live = began(line, page)
    since = brief_day(language, live.date(), beside)
    clock = f"{live:%H:%M}"
    said = f"{first} {say(language, key, what=what, since=since, clock=clock)}"
    return said + people(line, language) if story.deployed else said


def _wait(story: Story, language: str) -> str:
    if story.state == "data" and "schema" in story.urgent:
        return say(language, "story.wait.data")
    if story.urgent:
        return say(language, "story.wait.no", names=_names(story.urgent, language))
    if story.calm:
        return say(language, "story.wait.calm", names=_names(story.calm, language))
    return say(language, "story.wait.yes")


def _measured(line: NumberLine, language: str) -> str:
    if line.name == "null_share":
        return say(language, "story.column", name=line.subject)
    return say(language, f"watched.{line.name}")


def _names(watched: tuple[str, ...], language: str) -> str:
    return listed([say(language, f"watched.{name}") for name in watched], language)


def listed(names: list[str], language: str) -> str:
    """Names as a sentence lists them."""
    return (
        say(language, "story.and", some=", ".join(names[:-1]), last=names[-1]) if len(names) > 1 else names[0]
    )


def _do(page: NightPage, story: Story, what: str) -> str:
    language = page.language
    key = f"story.do.{what.removesuffix('.up').removesuffix('.down')}"
    if what == "volume.up":
        key += ".up"
    if story.where.kind == "mix":
        key = "story.do.mix"
    elif story.deployed and what not in {"data", "lost", "volume.up"}:
        key = f"story.do.deployed{'.volume' if what == 'volume.down' else ''}"
    column = story.lead.subject if story.lead is not None else ""
    step = say(
        language,
        key,
        command=f"ronda check {page.service} --date {page.night.isoformat()}",
        column=short(column),
    )
    return f"{short(page.owner)}: {step}"
