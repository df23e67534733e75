"""What an answer of Slack means for a message, and what a person can do about it."""

from __future__ import annotations

import errno
import re
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import InvalidURL
from typing import Any, Literal
from urllib.error import HTTPError, URLError

Kind = Literal["sent", "again", "unknown", "refused", "stopped"]
"""`again`: Slack did not take it, and may soon. `unknown`: it may have arrived. `refused`: this message cannot be
sent like this. `stopped`: no message can."""

TOO_MUCH = {
    "msg_too_long",
    "msg_blocks_too_long",
    "invalid_blocks",
    "invalid_blocks_format",
    "block_mismatch",
}
"""Refusals of how a message is laid out; its text alone may be taken."""

_STOPPED = {
    "invalid_auth",
    "not_authed",
    "token_revoked",
    "token_expired",
    "account_inactive",
    "team_access_not_granted",
    "not_allowed_token_type",
    "org_login_required",
    "enterprise_is_restricted",
    "ekm_access_denied",
    "access_denied",
}
_UNKNOWN = {"internal_error", "fatal_error", "request_timeout", "service_unavailable"}
_AGAIN = {"ratelimited", "rate_limited", "team_added_to_org"}
_ANEW = "make a new token for the app and set RONDA_SLACK_TOKEN to it"
_ADVICE = {
    "invalid_auth": _ANEW,
    "not_authed": _ANEW,
    "token_revoked": _ANEW,
    "token_expired": _ANEW,
    "account_inactive": "install the app in the workspace again, then " + _ANEW,
    "team_access_not_granted": "ask an admin to let the app into this workspace",
    "not_allowed_token_type": "set RONDA_SLACK_TOKEN to the app's bot token, the one that begins with xoxb",
    "access_denied": "ask a workspace admin to let the app use this method",
    "not_in_channel": "invite the bot to {channel}: /invite @ronda",
    "channel_not_found": "correct `slack` in the service file, or if {channel} is private invite the bot there: "
    "/invite @ronda",
    "is_archived": "unarchive {channel}, or name another channel as `slack` in the service file",
    "restricted_action": "ask a workspace admin to let the app post in {channel}",
    "missing_scope": "give the app the scope {needed} under OAuth & Permissions, then install it again",
    "message_not_found": "nothing to do if somebody deleted the message it belongs to",
    "thread_not_found": "nothing to do if somebody deleted the message it belongs to",
    "cant_update_message": "use the token of the app that posted the message",
    "edit_window_closed": "let the workspace allow editing for longer",
    "no_text": "report this as a fault in ronda: the message is empty",
    "msg_too_long": "shorten it",
    "msg_blocks_too_long": "shorten it",
    "invalid_blocks": "report this as a fault in ronda",
    "file_upload_size_restricted": "ask a workspace admin to allow larger files",
}
_NOT_SENT = (  # these come before the first byte of a request
    errno.ECONNREFUSED,
    errno.ENETUNREACH,
    errno.EHOSTUNREACH,
    errno.ENETDOWN,
    errno.EHOSTDOWN,
    errno.EADDRNOTAVAIL,
)
_CODE = re.compile(r"[a-z][a-z0-9_]{0,79}")  # anything else in its place may quote what we sent


@dataclass(frozen=True)
class Reply:
    """What one call came to. `code` is Slack's word for a refusal, `retry_after` is 0 where Slack names no time."""

    kind: Kind
    code: str = ""
    error: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    retry_after: float = 0.0


@dataclass(frozen=True)
class Answer:
    """What became of a call: `channel_id` and `ts` if it was sent, else in `error` what is wrong and what to do.

    A message that was sent as its text alone has an error too. `retry_after` is 0 where Slack names no time.
    """

    kind: Kind
    error: str = ""
    channel_id: str = ""
    ts: str = ""
    retry_after: float = 0.0


@dataclass(frozen=True)
class Found:
    """Whether a message is in its channel.

    Attributes:
        kind: `unreadable` if the app may not look, `again` if it could not just now, `stopped` if the token
            is good for nothing.
    """

    kind: Literal["found", "absent", "unreadable", "again", "stopped"]
    error: str = ""
    channel_id: str = ""
    ts: str = ""
    retry_after: float = 0.0


def refusal(channel: str, status: int, data: object, headers: Mapping[str, str]) -> Reply:
    """The meaning of an answer that is not `ok`.

    >>> refusal("#eta-oncall", 200, {"ok": False, "error": "not_in_channel"}, {}).error
    'Slack says not_in_channel: invite the bot to #eta-oncall: /invite @ronda.'
    >>> refusal("#eta-oncall", 429, None, {"Retry-After": "7"}).retry_after
    7.0
    """
    answer = data if isinstance(data, Mapping) else {}
    found = str(answer.get("error", ""))
    code = found if _CODE.fullmatch(found) else ""
    if status == 429 or code in _AGAIN:
        pause = retry_after(headers)
        return Reply(
            "again", code, f"Slack asks to wait {pause:.0f} seconds before the next call.", {}, pause
        )
    if status >= 500 or (status in {200, 408} and not code):
        what = f"status {status}" if status != 200 else "something that is no JSON"
        return Reply("unknown", code, f"Slack answered with {what}.")
    if not code:
        return Reply(
            "stopped",
            "",
            f"Slack's address answered with status {status}: check RONDA_SLACK_URL and the proxy.",
        )
    return Reply(_kind(code), code, _said(code, channel, str(answer.get("needed", ""))))


def failure(error: Exception) -> Reply:
    """The meaning of a call that ended without an answer. The error's own words are not used: they may quote a secret.

    >>> failure(URLError(ConnectionRefusedError(errno.ECONNREFUSED, "refused"))).kind, failure(TimeoutError()).kind
    ('again', 'unknown')
    """
    if isinstance(
        error, HTTPError
    ):  # the SDK turns all of Slack's into answers, but those of the upload address
        return Reply("again", "", f"The address for uploads answered with status {error.code}.")
    reason = error.reason if isinstance(error, URLError) else error
    unsent = unsent_by(reason, "Slack", "RONDA_SLACK_URL")
    if unsent:
        return Reply("again", "", unsent)
    if isinstance(reason, TimeoutError):
        return Reply("unknown", "", "Slack did not answer in time.")
    return Reply("unknown", "", f"The connection to Slack broke off ({type(reason).__name__}).")


def unsent_by(reason: object, whose: str, setting: str) -> str:
    """What is wrong, if it came before the first byte of the request; else nothing.

    Args:
        whose: who was called, for the sentence.
        setting: the variable that holds the address.
    """
    if isinstance(reason, str | InvalidURL):  # urllib's own words for an address that names no host
        return f"Nothing can be sent to this address: check {setting}."
    if isinstance(reason, socket.gaierror):
        return f"{whose}'s address is not known here: check the network and {setting}."
    if isinstance(reason, ssl.SSLCertVerificationError):
        return f"{whose}'s certificate cannot be verified: check SSL_CERT_FILE and the proxy."
    if isinstance(reason, OSError) and reason.errno in _NOT_SENT:
        return f"{whose} cannot be reached: check the network and {setting}."
    return ""


def retry_after(headers: Mapping[str, str]) -> float:
    """How many seconds an answer asks to wait: 1 to 3600, and 5 if it does not say."""
    given = next((value for name, value in headers.items() if name.lower() == "retry-after"), "5")
    return min(max(float(given), 1.0), 3600.0) if re.fullmatch(r"\d{1,9}(\.\d+)?", str(given)) else 5.0


def _kind(code: str) -> Kind:
    if code in _STOPPED:
        return "stopped"
    return "unknown" if code in _UNKNOWN else "refused"


def _said(code: str, channel: str, needed: str) -> str:
    scope = needed if re.fullmatch(r"[a-z:._,-]{1,100}", needed) else "it lacks"
    advice = _ADVICE.get(code, "look it up among the errors of the method in Slack's documentation")
    return f"Slack says {code}: {advice.format(channel=channel, needed=scope)}."
