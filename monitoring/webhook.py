"""The door to whom a page wakes: PagerDuty's Events API v2, or whatever takes the same events.

An event carries a deduplication key, so that sending it twice wakes nobody twice: what may have arrived is simply
sent again. The integration key is added at sending and is in no table, file, record or error. Of an answer the status
and two headers are read and nothing more: its body is of any length, and may quote the key.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import ip_address
from typing import Any, Literal
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import HTTPHandler, HTTPSHandler, OpenerDirector, ProxyHandler, Request

from monitoring.slack_words import Answer, retry_after, unsent_by

Event = Literal["trigger", "acknowledge", "resolve"]
Severity = Literal["critical", "major", "minor"]

SUMMARY_LENGTH, DEDUP_LENGTH = 1024, 255
LARGEST = 512 * 1024  # bytes of one event, as PagerDuty limits it
_SEVERITIES: Mapping[Severity, str] = {"critical": "critical", "major": "error", "minor": "warning"}
_VISIBLE = re.compile(r"[\x21-\x7e]+")
_NAME = "The webhook"
_SETTING = "RONDA_WEBHOOK_URL"
_ADVICE = {
    400: "it does not take the event; set RONDA_WEBHOOK_KEY to the integration key of an Events API v2 integration",
    401: "set RONDA_WEBHOOK_KEY to the integration key of an Events API v2 integration",
    403: "set RONDA_WEBHOOK_KEY to the integration key of an Events API v2 integration",
    404: f"correct {_SETTING}",
    405: f"correct {_SETTING}",
    407: "let the proxy pass it",
    413: "report this as a fault in ronda: the event is too long",
}


@dataclass(frozen=True)
class Pager:
    """Where pages go, and for whom they are. `timeout` is in seconds, for each call."""

    url: str = field(repr=False)  # some receivers have a secret in it
    key: str = field(repr=False)
    timeout: float = 10.0


def event(
    action: Event,
    dedup_key: str,
    summary: str,
    severity: Severity,
    source: str,
    at: datetime,
    details: Mapping[str, object],
    link: str = "",
    *,
    component: str = "",
) -> dict[str, Any]:
    """What a page says, without the key it is sent with.

    Args:
        dedup_key: names the alarm; the same key opens it, acknowledges it and resolves it. A long one is told apart
            by its hash.
        summary: the line on a phone's screen; white space is made one blank, and what is too long is cut.
        source: what is in trouble, such as the service.
        at: when it was seen, with its time zone.
        details: names and values shown below the line; JSON.
        link: a web address that says more; a place that is none is shown among the details.
        component: the part that is in trouble, such as a feature.
    """
    is_address = link.startswith(("https://", "http://"))
    shown = dict(details) | ({"page": link} if link and not is_address else {})
    payload = {
        "summary": _line(summary, SUMMARY_LENGTH) or _line(dedup_key, SUMMARY_LENGTH) or "ronda",
        "source": _line(source, SUMMARY_LENGTH) or "ronda",
        "severity": _SEVERITIES[severity],
        "timestamp": at.isoformat(),
        "custom_details": shown,
    }
    return {
        "event_action": action,
        "dedup_key": _dedup(dedup_key),
        "payload": payload | ({"component": _line(component, SUMMARY_LENGTH)} if component else {}),
        "links": [{"href": link, "text": "What ronda found"}] if is_address else [],
    }


def trigger(pager: Pager, body: Mapping[str, Any]) -> Answer:
    """Send one event, whichever action it has, with the pager's key. Nothing is raised for what the other side does.

    Returns:
        `sent`; `again` if it was surely not taken and may be soon; `unknown` if it may have been taken: to send it
        again is harmless; `refused` if this event cannot be sent like this; `stopped` if none can.
    """
    if not pager.key:
        return Answer("stopped", "RONDA_WEBHOOK_KEY is not set: no page can be sent.")
    if not _may_be_called(pager.url):
        return Answer(
            "stopped",
            f"{_SETTING} is no address that pages may be sent to: begin it with https:// and a host's name, and give"
            " no user in it.",
        )
    try:
        data, error = _encoded(pager, body)
    except (TypeError, ValueError):  # its words may quote the event
        return Answer("refused", "The event is no JSON: report this as a fault in ronda.")
    if len(data) > LARGEST:
        return Answer(
            "refused", f"The event has {len(data):,} bytes and may have {LARGEST:,}: give it fewer words."
        )
    answer = _sent(pager, data)
    return Answer("sent", error) if answer.kind == "sent" else answer


def _encoded(pager: Pager, body: Mapping[str, Any]) -> tuple[bytes, str]:
    """The bytes of an event, without its details if they are too many: rather a short page than none."""
    whole = {**body, "routing_key": pager.key}
    data = _json(whole)
    payload = body.get("payload")
    if len(data) <= LARGEST or not isinstance(payload, Mapping):
        return data, ""
    short = {name: value for name, value in payload.items() if name != "custom_details"}
    return _json(whole | {"payload": short}), (
        f"The event had {len(data):,} bytes and may have {LARGEST:,}: it was sent without its details. Shorten them."
    )


def _json(value: object) -> bytes:
    return json.dumps(value, allow_nan=False, ensure_ascii=False).encode(errors="replace")


def _sent(pager: Pager, data: bytes) -> Answer:
    headers = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "ronda"}
    try:
        request = Request(pager.url, data, headers, method="POST")  # noqa: S310 - https, or this machine
        with _opener(pager.url).open(request, timeout=pager.timeout) as response:
            return _meaning(response.status, dict(response.headers.items()))
    except Exception as error:  # noqa: BLE001 - whatever it is, the event may have arrived
        return _failure(error)


def _opener(url: str) -> OpenerDirector:
    """What calls an address, and follows it nowhere; a call to this machine takes no proxy."""
    opener = OpenerDirector()
    for handler in (
        ProxyHandler(None if url.lower().startswith("https:") else {}),
        HTTPHandler(),
        HTTPSHandler(),
    ):
        opener.add_handler(handler)
    return opener


def _meaning(status: int, headers: Mapping[str, str]) -> Answer:
    kind = next((value for name, value in headers.items() if name.lower() == "content-type"), "")
    if 200 <= status < 300 and "html" not in kind.lower():
        return Answer("sent")
    said = f"{_NAME} answered with status {status}"
    if status < 300:
        return Answer("again", f"{said} and a web page, which no receiver of events does: check {_SETTING} and the proxy.")  # fmt: skip
    if status < 400:
        return Answer("refused", f"{said}, which leads elsewhere and is not followed: set {_SETTING} to where it leads.")  # fmt: skip
    if status in {425, 429}:
        pause = retry_after(headers)
        return Answer("again", f"{said}: it asks to wait {pause:.0f} seconds.", retry_after=pause)
    if status == 408 or status >= 500:
        return Answer("unknown", f"{said}.")
    return Answer("refused", f"{said}: {_ADVICE.get(status, f'check {_SETTING} and RONDA_WEBHOOK_KEY')}.")


def _failure(error: Exception) -> Answer:
    """The meaning of a call that ended without an answer. The error's own words are not used: they may quote a secret."""
    reason = error.reason if isinstance(error, URLError) else error
    unsent = unsent_by(reason, _NAME, _SETTING)
    if unsent:
        return Answer("again", unsent)
    if isinstance(reason, OSError) and str(reason).startswith(
        "Tunnel connection failed"
    ):  # http.client's words
        return Answer(
            "again", "The proxy lets nothing through to the webhook: check HTTPS_PROXY, or ask who runs it."
        )
    if isinstance(reason, TimeoutError):
        return Answer("unknown", f"{_NAME} did not answer in time.")
    return Answer("unknown", f"The connection to the webhook broke off ({type(reason).__name__}).")


def _may_be_called(url: str) -> bool:
    """Whether the key may be sent there: encrypted, or to this machine by its number."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
        if not (_VISIBLE.fullmatch(url) and host) or "@" in parts.netloc:
            return False
        return parts.scheme == "https" or (parts.scheme == "http" and ip_address(host).is_loopback)
    except ValueError:
        return False


def _line(text: str, length: int) -> str:
    r"""One line of at most so many characters.

    >>> _line("late orders\n came up", 12), _line("short", 12)
    ('late orders…', 'short')
    """
    line = " ".join(text.encode(errors="replace").decode().split())
    line = "".join(sign for sign in line if sign.isprintable())
    return line if len(line) <= length else line[: length - 1] + "…"


def _dedup(key: str) -> str:
    if len(key) <= DEDUP_LENGTH:
        return key
    return key[: DEDUP_LENGTH - 13] + "-" + hashlib.sha256(key.encode(errors="replace")).hexdigest()[:12]
