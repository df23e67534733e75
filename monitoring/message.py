"""What is said in Slack: payloads made of a story, of a late night, of a morning. Sending is `monitoring.alert`'s.

Whatever comes from data is written as text: no sign of it mentions, links, or formats anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from monitoring.records import NightPage
from monitoring.story import Story
from monitoring.telling import about, also, tell
from monitoring.text import brief_day, day, say, short
from services.model import Service

Payload = dict[str, Any]
"""`text`, what a notification shows, and `blocks`, what the channel shows."""

_ALSO = 3
_LINES = 40  # of a morning's message; the rest is counted
_MARKUP = str.maketrans({"*": "∗", "~": "∼", "`": "ˋ", "&": "&amp;", "<": "&lt;", ">": "&gt;"})


def plain(text: str) -> str:
    """Text as Slack shows it and never obeys: no mention, link or formatting comes out of it.

    >>> plain("<!channel> *now* https://x.example _so_")
    '&lt;!channel&gt; ∗now∗ https:⁄⁄x.example \u2060_so\u2060_'
    """
    safe = text.translate(_MARKUP).replace("://", ":⁄⁄")
    return "".join("\u2060_" if _opens(safe, at) else sign for at, sign in enumerate(safe))


def _opens(text: str, at: int) -> bool:
    """Whether an underscore stands where Slack would read it as italics: at the edge of a word."""
    if text[at] != "_":
        return False
    return not (0 < at < len(text) - 1 and text[at - 1].isalnum() and text[at + 1].isalnum())


def alert(
    page: NightPage, story: Story, service: Service, page_path: str, told_on: date | None = None
) -> Payload:
    """The message of a night that has something to tell, in the order of its page.

    Args:
        page_path: the page's place below the pages' own address.
        told_on: the day it is told, if not soon after the night: then the night is named with its year.
    """
    language = page.language
    told = tell(page, story, told_on)
    night = about(page, story)
    title = say(language, "message.title", mark=told.mark, service=page.service, headline=told.headline)
    when = say(language, "message.of_night", night=brief_day(language, night, told_on or page.night))
    much = f"*{plain(told.change)}* {plain(told.much)}" if told.change else ""
    # how it could be known stands on the page
    somewhere = "" if story.where.kind == "unknown" else told.where
    facts = [("where", somewhere), ("since", told.since), ("wait", told.wait), ("do", told.do)]
    facts.append(("also", "; ".join(also(line, page) for line in story.others[:_ALSO])))
    lines = [much] if much else []
    lines += [f"*{say(language, f'told.{name}')}*  {plain(text)}" for name, text in facts if text]
    number, reactions = "", ""
    if story.incident is not None:
        number = plain(say(language, "message.incident", n=story.incident.number))
        reactions = say(language, "message.reactions")
    foot = "   ".join(part for part in (_whom(service), number, links(service, page_path, language)) if part)
    foot = "\n".join(part for part in (foot, reactions) if part)
    return payload(f"{title}, {when}", [f"*{plain(title)}*  {plain(when)}", "\n".join(lines), foot])


def revised(page: NightPage) -> Payload:
    """The answer in an alert's thread when its night was judged anew."""
    text = say(page.language, "message.revised", n=page.revision, changed=short(page.changed, 300))
    return payload(text, [plain(text)])


def late(service: Service, night: date, expected_at: datetime, reason: str) -> Payload:
    """The message of a night that should be there and is not.

    Args:
        expected_at: when its run was due.
        reason: what the last attempt said; empty if no run was seen.
    """
    language = service.language
    due = expected_at.astimezone(ZoneInfo(service.time_zone))
    expected = say(
        language,
        "late.expected",
        day=brief_day(language, due.date(), night),
        clock=f"{due:%H:%M}",
        zone=service.time_zone,
    )
    known = _known(language, reason or say(language, "late.unseen"))
    check = f"ronda check {service.service} --date {night.isoformat()}"
    command = f"ronda night {service.service} --date {night.isoformat()}"
    return _no_verdict(
        service,
        say(language, "late.headline", night=brief_day(language, night, due.date())),
        f"{expected} {known}",
        say(language, "late.wait"),
        say(language, "late.do", check=check, command=command),
    )


def unwatched(service: Service, what: Literal["broken", "gone"], reason: str) -> Payload:
    """The message of a service that nobody watches, since its file cannot be read or is gone.

    Args:
        service: what is still known of it.
        reason: what is wrong with the file, in a sentence.
    """
    language = service.language
    command = f"ronda night {service.service} --from DATE --to DATE"
    return _no_verdict(
        service,
        say(language, f"unwatched.{what}"),
        _known(language, reason),
        say(language, "unwatched.wait"),
        say(language, f"unwatched.do.{what}", command=command),
    )


def _known(language: str, reason: str) -> str:
    one_line = " ".join(reason.split())
    return say(language, "late.reason", reason=short(one_line, 600))


def _no_verdict(service: Service, headline: str, known: str, wait: str, step: str) -> Payload:
    language = service.language
    title = say(language, "message.title", mark="🔴", service=service.service, headline=headline)
    lines = [
        plain(known),
        f"*{say(language, 'told.wait')}*  {plain(wait)}",
        f"*{say(language, 'told.do')}*  {plain(f'{short(service.owner)}: {step}')}",
    ]
    runbook = _link(service.runbook, say(language, "message.runbook"))
    return payload(title, [f"*{plain(title)}*", "\n".join(lines), f"{_whom(service)}   {runbook}".strip()])


def came(service: Service, night: date, standing: str) -> Payload:
    """The answer in a late night's thread once it came."""
    state = say(service.language, f"state.{standing}")
    text = say(service.language, "late.came", night=day(service.language, night), state=state)
    return payload(text, [plain(text)])


def back(service: Service) -> Payload:
    """The answer in the thread of a file that was gone, once it is there again."""
    text = say(service.language, "unwatched.back")
    return payload(text, [plain(text)])


def morning(lines: Sequence[tuple[str, date, str, str]], language: str, told_on: date) -> Payload:
    """One message for all that could wait: (service, night, what, page address or empty), one line each."""
    title = say(language, "morning.title")
    told = [
        _with_link(
            say(
                language,
                "morning.line",
                service=service,
                night=brief_day(language, night, told_on),
                line=what,
            ),
            url,
            language,
        )
        for service, night, what, url in lines[:_LINES]
    ]
    if len(lines) > _LINES:
        told.append(plain(say(language, "morning.more", n=len(lines) - _LINES)))
    return payload(title, [f"*{plain(title)}*", "\n".join(told)])


def page_url(service: Service, page_path: str) -> str:
    """Where a page is served; empty if the service file does not say where pages are."""
    return f"{service.page_base_url.rstrip('/')}/{page_path}" if service.page_base_url else ""


def _with_link(text: str, url: str, language: str) -> str:
    link = _link(url, say(language, "message.page"))
    return f"{plain(text)}  {link}" if link else plain(text)


def links(service: Service, page_path: str, language: str) -> str:
    """Where the page is, and the runbook; a page that is not served is named by its path."""
    url = page_url(service, page_path)
    page = _link(url, say(language, "message.page")) or plain(
        say(language, "message.no_page", path=page_path)
    )
    return "   ".join(
        part for part in (page, _link(service.runbook, say(language, "message.runbook"))) if part
    )


def _link(url: str, label: str) -> str:
    return f"<{url.replace('&', '&amp;')}|{label}>" if url else ""


def _whom(service: Service) -> str:
    """Who is notified; without an id of Slack's nobody is, and the first step names the owner."""
    if not service.mention:
        return ""
    return f"<!subteam^{service.mention}>" if service.mention.startswith("S") else f"<@{service.mention}>"


_SECTION = 2900  # Slack takes 3,000


def _cut(section: str) -> Iterator[str]:
    """A section in pieces that Slack takes, parted between lines; a line that is too long by itself is cut."""
    piece = ""
    for line in section.split("\n"):
        whole = line if len(line) <= _SECTION else line[:_SECTION].rpartition(" ")[0] + "…"
        if piece and len(piece) + len(whole) + 1 > _SECTION:
            yield piece
            piece = ""
        piece = f"{piece}\n{whole}" if piece else whole
    yield piece


def payload(text: str, sections: Iterable[str]) -> Payload:
    """A message: what a notification shows, and sections of Slack's markup, whose text from data went through `plain`."""
    # verbatim: Slack must not look for addresses, channels or names in what is written
    blocks = [
        {"type": "section", "text": {"type": "mrkdwn", "text": piece, "verbatim": True}}
        for section in sections
        if section
        for piece in _cut(section)
    ]
    return {"text": plain(text), "blocks": blocks}
