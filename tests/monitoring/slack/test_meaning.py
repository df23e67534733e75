"""What answers, and their absence, mean."""

from __future__ import annotations

import socket
import ssl
from http.client import IncompleteRead, RemoteDisconnected
from urllib.error import URLError

import pytest

from monitoring.slack_body import text_alone
from monitoring.slack_words import failure, refusal


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (URLError(ConnectionRefusedError(111, "refused")), "again"),
        (URLError(socket.gaierror(-2, "unknown")), "again"),
        (URLError(OSError(113, "no route")), "again"),
        (URLError(ssl.SSLCertVerificationError("self-signed")), "again"),
        (URLError(TimeoutError("timed out")), "unknown"),
        (URLError(ConnectionResetError(104, "reset")), "unknown"),
        (URLError(BrokenPipeError(32, "pipe")), "unknown"),
        (TimeoutError(), "unknown"),
        (ConnectionResetError(), "unknown"),
        (RemoteDisconnected(), "unknown"),
        (IncompleteRead(b""), "unknown"),
        (RuntimeError("xoxb-quoted"), "unknown"),
    ],
    ids=repr,
)
def test_what_a_broken_connection_means(error: Exception, kind: str) -> None:
    """Only what fails before the first byte is safe to send again. The error's own words are never used."""
    found = failure(error)

    assert found.kind == kind
    assert "xoxb" not in found.error


@pytest.mark.parametrize(
    ("status", "data", "kind"),
    [
        (200, {"error": "channel_not_found"}, "refused"),
        (403, {"error": "invalid_auth"}, "stopped"),
        (404, {"error": "Received a response in a non-JSON format: …"}, "stopped"),
        (407, None, "stopped"),
        (408, None, "unknown"),
        (502, {"error": "channel_not_found"}, "unknown"),
        (429, b"bytes", "again"),
        (200, {"error": "ratelimited"}, "again"),
        (200, {"error": 7}, "unknown"),
    ],
)
def test_what_a_refusal_means(status: int, data: object, kind: str) -> None:
    """By Slack's word where it gives one, else by the status."""
    assert refusal("#c", status, data, {}).kind == kind


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7), ("0", 1), ("2.5", 2.5), ("999999", 3600), ("soon", 5), ("-3", 5), ("nan", 5), ("", 5)],
)
def test_how_long_to_wait(header: str, seconds: float) -> None:
    """Never nothing, never for days, whatever the header says and however it is spelled."""
    assert refusal("#c", 429, None, {"retry-after": header}).retry_after == seconds


@pytest.mark.parametrize(("text", "kept"), [("a" * 40_001, "a" * 30_000 + "…"), ("", "")])
def test_a_text_without_words_is_cut_anywhere(text: str, kept: str) -> None:
    """An empty one stays empty."""
    assert text_alone({"text": text})["text"] == kept
