"""One page to the webhook, one plain answer; and the key nowhere but in what is sent."""

from __future__ import annotations

import errno
import logging
import socket
import ssl
import time
from collections.abc import Callable
from typing import Any
from urllib.error import URLError
from urllib.request import OpenerDirector

import pytest

from monitoring.slack_words import Answer
from monitoring.webhook import LARGEST, Pager, trigger
from webhook_server import an_event

KEY = "R0UT1NGKEYFORTESTS0123456789ABCD"


@pytest.fixture
def pager(webhook_server: Any) -> Pager:
    """Whom the server takes pages for."""
    return Pager(webhook_server.url, webhook_server.key, 5.0)


def test_a_page_is_sent(webhook_server: Any, pager: Pager) -> None:
    """As it is, with the key added, whatever it does to the alarm; the given body is not changed."""
    sent = [an_event(action=action, summary="ção <b>") for action in ("trigger", "acknowledge", "resolve")]
    for body in sent:
        assert trigger(pager, body) == Answer("sent")

    assert webhook_server.bodies == [body | {"routing_key": KEY} for body in sent]
    assert "routing_key" not in sent[0]
    headers = webhook_server.calls[0]["headers"]
    assert (headers["Content-Type"], headers["User-Agent"]) == ("application/json", "ronda")
    assert KEY not in str(headers) + webhook_server.calls[0]["path"]


def test_a_key_in_the_body_is_not_used(webhook_server: Any, pager: Pager) -> None:
    """The pager says for whom a page is, and nobody else."""
    trigger(pager, an_event() | {"routing_key": "somebody else's"})

    assert webhook_server.bodies[0]["routing_key"] == KEY


@pytest.mark.parametrize(
    ("step", "kind", "words", "pause"),
    [
        (("rate", 7), "again", "asks to wait 7 seconds", 7.0),
        (("rate", "soon"), "again", "asks to wait 5 seconds", 5.0),
        (("rate", 9999999), "again", "asks to wait 3600 seconds", 3600.0),
        (("status", 500), "unknown", "status 500", 0.0),
        (("stored_then_status", 502), "unknown", "status 502", 0.0),
        (("status", 503), "unknown", "status 503", 0.0),
        (("hang", 3.0), "unknown", "did not answer in time", 0.0),
        (("hang", 0.0), "unknown", "broke off", 0.0),
        (("stored_then_drop",), "unknown", "broke off", 0.0),
        (("garbage",), "unknown", "broke off", 0.0),
        (("page",), "again", "a web page", 0.0),
        (("status", 200), "sent", "", 0.0),
        (("status", 204), "sent", "", 0.0),
        (("status", 400), "refused", "RONDA_WEBHOOK_KEY", 0.0),
        (("status", 403), "refused", "RONDA_WEBHOOK_KEY", 0.0),
        (("status", 404), "refused", "RONDA_WEBHOOK_URL", 0.0),
        (("status", 418), "refused", "status 418", 0.0),
        (("quote", 400), "refused", "status 400", 0.0),
        (("quote", 500), "unknown", "status 500", 0.0),
    ],
    ids=str,
)
def test_whatever_the_other_side_does(
    webhook_server: Any, step: Any, kind: str, words: str, pause: float, caplog: pytest.LogCaptureFixture
) -> None:
    """A plain answer that says what to do, never an exception, and the key in nothing that is told."""
    caplog.set_level(logging.DEBUG)
    webhook_server.script(step)
    pager = Pager(webhook_server.url, KEY, 1.0)
    answer = trigger(pager, an_event())

    assert (answer.kind, answer.retry_after) == (kind, pause)
    assert words in answer.error
    assert KEY in webhook_server.calls[0]["data"].decode()
    assert KEY not in repr(answer) + repr(pager) + caplog.text
    assert trigger(pager, an_event()) == Answer("sent")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(webhook_server: Any, pager: Pager, status: int) -> None:
    """The key goes nowhere but where it was told to go."""
    webhook_server.script(("redirect", status, webhook_server.url.replace("/v2/enqueue", "/elsewhere")))
    answer = trigger(pager, an_event())

    assert answer.kind == "refused"
    assert "leads elsewhere and is not followed" in answer.error
    assert [each["path"] for each in webhook_server.calls] == ["/v2/enqueue"]


@pytest.mark.parametrize(("status", "kind"), [(202, "sent"), (400, "refused"), (500, "unknown")])
def test_an_answer_of_any_length(webhook_server: Any, pager: Pager, status: int, kind: str) -> None:
    """Its first line says all; ten megabytes behind it are not waited for."""
    webhook_server.script(("long", status, 10_000_000))

    assert trigger(pager, an_event()).kind == kind
    deadline = time.monotonic() + 5
    while webhook_server.written == [] and time.monotonic() < deadline:
        time.sleep(0.01)
    assert webhook_server.written[0] < 10_000_000


def test_an_event_that_is_too_long(webhook_server: Any, pager: Pager) -> None:
    """Rather a page without its details than none; one that is long without them is refused and not sent."""
    answer = trigger(pager, an_event(details={"why": "x" * LARGEST}))
    assert answer.kind == "sent"
    assert "sent without its details" in answer.error
    assert webhook_server.bodies[0]["payload"]["summary"] == "late flights went up"
    assert "custom_details" not in webhook_server.bodies[0]["payload"]

    answer = trigger(pager, an_event() | {"links": ["x" * LARGEST]})
    assert (answer.kind, "give it fewer words" in answer.error) == ("refused", True)
    assert len(webhook_server.calls) == 1


@pytest.mark.parametrize("value", [float("nan"), object(), {1, 2}])
def test_an_event_that_is_no_json(webhook_server: Any, pager: Pager, value: object) -> None:
    """It is refused before anything is called."""
    answer = trigger(pager, an_event(details={"why": value}))

    assert (answer.kind, "no JSON" in answer.error) == ("refused", True)
    assert webhook_server.calls == []


def test_hostile_words_arrive_as_they_are(webhook_server: Any, pager: Pager) -> None:
    """They are data to the other side; what is no Unicode is replaced, since it would refuse the page."""
    details = {"why": "<script>alert(1)</script> '; DROP TABLE x; -- \x00", "half": "\ud83d"}

    assert trigger(pager, an_event(details=details)) == Answer("sent")
    assert webhook_server.bodies[0]["payload"]["custom_details"] == details | {"half": "?"}


@pytest.mark.parametrize(
    "url",
    [
        "",
        "events.pagerduty.com/v2/enqueue",
        "http://events.pagerduty.com/v2/enqueue",
        "http://10.0.0.1/v2/enqueue",
        "http://localhost.example/",
        "http://127.0.0.1.example/",
        "http://127.0.0.1@example.com/",
        "https://user:hunter2@example.com/",
        "https://",
        "https:///v2",
        "https://example.com:port/",
        "https://[::1/",
        "https://example.com/\n",
        "https://exa mple.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
    ],
)
def test_addresses_the_key_is_not_sent_to(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither unencrypted to another machine, nor to what is no address; nothing is looked up or called."""

    def fail(*_: Any, **__: Any) -> None:
        raise AssertionError(url)

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    answer = trigger(Pager(url, KEY, 0.5), an_event())

    assert answer.kind == "stopped"
    assert "RONDA_WEBHOOK_URL" in answer.error
    assert "hunter2" not in repr(answer)


def test_without_a_key_nothing_is_called(webhook_server: Any) -> None:
    """An empty one is nobody's."""
    assert trigger(Pager(webhook_server.url, "", 0.5), an_event()).kind == "stopped"
    assert webhook_server.calls == []


def test_this_machine_takes_no_proxy(
    webhook_server: Any, pager: Pager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call by http would hand the key to it."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1/")
    monkeypatch.delenv("no_proxy", raising=False)

    assert trigger(pager, an_event()) == Answer("sent")


def test_a_proxy_that_refuses(webhook_server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """An https address goes through the proxy of the environment, whose password is not told."""
    proxy = webhook_server.url.removesuffix("/v2/enqueue").replace("//", "//user:hunter2@")
    monkeypatch.setenv("https_proxy", proxy)
    monkeypatch.delenv("no_proxy", raising=False)
    answer = trigger(Pager("https://events.example/v2/enqueue", KEY, 2.0), an_event())

    assert (answer.kind, "The proxy lets nothing through" in answer.error) == ("again", True)
    assert "hunter2" not in repr(answer)
    assert webhook_server.calls == []  # it knows no CONNECT, and no event came in


def test_a_server_that_speaks_no_tls(webhook_server: Any) -> None:
    """Nothing is sent in clear instead."""
    answer = trigger(Pager(webhook_server.url.replace("http:", "https:"), KEY, 2.0), an_event())

    assert (answer.kind, "SSLError" in answer.error) == ("unknown", True)
    assert webhook_server.calls == []


def raising(error: Exception) -> Callable[..., Any]:
    """Something that raises."""

    def fail(*_: Any, **__: Any) -> None:
        raise error

    return fail


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (URLError(ConnectionRefusedError(errno.ECONNREFUSED, "no")), "again", "cannot be reached"),
        (URLError(socket.gaierror(-2, "unknown")), "again", "not known here"),
        (URLError(ssl.SSLCertVerificationError("self-signed")), "again", "certificate cannot be verified"),
        (URLError(TimeoutError("timed out")), "unknown", "in time"),
        (ConnectionResetError(errno.ECONNRESET, KEY), "unknown", "ConnectionResetError"),
        (RuntimeError(KEY), "unknown", "RuntimeError"),
    ],
    ids=repr,
)
def test_what_a_broken_connection_means(
    error: Exception, kind: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what fails before the first byte surely did not arrive. The error's own words are never used."""
    monkeypatch.setattr(OpenerDirector, "open", raising(error))
    answer = trigger(Pager("https://events.example/", KEY, 0.5), an_event())

    assert (answer.kind, words in answer.error) == (kind, True)
    assert KEY not in repr(answer)
