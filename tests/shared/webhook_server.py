"""A server on this machine that takes events as PagerDuty's Events API v2 does, and fails as it is told.

Tests get a running one from the fixture `webhook_server` and point a `Pager`, or `RONDA_WEBHOOK_URL`, at its `url`.
`server.script(("rate", 7), ("status", 500))` makes the next calls fail, whatever they ask:

    ("status", 500)             this status; nothing is taken
    ("stored_then_status", 500) the event is taken, the answer has this status
    ("rate", 7)                 429 with Retry-After: 7
    ("hang", 1.0)               nothing is taken, and after a second the connection is closed without an answer
    ("stored_then_drop",)       the event is taken, and the connection closed without an answer
    ("redirect", 302, "http://…")  to another address
    ("garbage",)                bytes that are no HTTP
    ("page",)                   200 and a web page, as a proxy that wants a password answers
    ("quote", 400)              this status, and a body that quotes all that was sent
    ("long", 202, 10_000_000)   the event is taken, and the answer has so many bytes
    ("ok",)                     an ordinary call between others
"""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from monitoring.webhook import event

PATH = "/v2/enqueue"
AT = datetime(2013, 6, 14, 2, 5, tzinfo=timezone(timedelta(hours=-3)))


@dataclass
class Receiver:
    """What came in. `bodies` are the events that were taken, `calls` all that was sent, with headers and path."""

    url: str = ""
    key: str = "R0UT1NGKEYFORTESTS0123456789ABCD"
    bodies: list[dict[str, Any]] = field(default_factory=list)
    calls: list[dict[str, Any]] = field(default_factory=list)
    scripted: deque[tuple[Any, ...]] = field(default_factory=deque)
    written: list[int] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)

    def script(self, *steps: tuple[Any, ...]) -> None:
        """Say how the next calls go; after them all is taken again."""
        self.scripted.extend(steps)

    @property
    def actions(self) -> list[tuple[str, str]]:
        """Action and deduplication key of each event that was taken."""
        return [(each["event_action"], each["dedup_key"]) for each in self.bodies]


class _Handler(BaseHTTPRequestHandler):
    server: Any

    def do_POST(self) -> None:
        receiver: Receiver = self.server.receiver
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        receiver.calls.append({"path": self.path, "headers": dict(self.headers), "data": data})
        kind, *more = receiver.scripted.popleft() if receiver.scripted else ("ok",)
        if kind in {"ok", "long"} or kind.startswith("stored_then_"):
            refused = self._take(data)
            if refused:
                self._answer(400, refused)
                return
        with suppress(
            BrokenPipeError, ConnectionResetError
        ):  # a caller that is gone is what some tests are about
            self._go(kind.removeprefix("stored_then_"), more, data)

    def do_GET(self) -> None:  # what a redirect makes of a POST
        self.do_POST()

    def _take(self, data: bytes) -> str:
        """Why an event is refused; else it is kept."""
        receiver: Receiver = self.server.receiver
        body = json.loads(data)
        needed = {"routing_key", "event_action", "dedup_key"} - set(body)
        if needed or body["routing_key"] != receiver.key or self.command != "POST" or self.path != PATH:
            return json.dumps(
                {"status": "invalid event", "errors": sorted(needed) or ["Invalid routing key"]}
            )
        receiver.bodies.append(body)
        return ""

    def _go(self, kind: str, more: list[Any], data: bytes) -> None:
        if kind == "ok":
            self._answer(202, '{"status": "success", "message": "Event processed"}')
        elif kind == "status":
            self._answer(more[0], '{"message": "no"}')
        elif kind == "rate":
            self._answer(429, "", {"Retry-After": str(more[0])})
        elif kind == "hang":
            self.server.receiver.closing.wait(more[0])
        elif kind == "redirect":
            self._answer(more[0], "", {"Location": more[1]})
        elif kind == "garbage":
            self.wfile.write(b"\x00\xffno protocol of this world\r\n\r\n")
        elif kind == "page":
            self._answer(200, "<html>Please log in</html>", {"Content-Type": "text/html; charset=utf-8"})
        elif kind == "quote":
            self._answer(more[0], f"this is what you sent: {data!r}", {"X-Sent": data.decode("latin-1")})
        elif kind == "long":
            self._long(*more)

    def _long(self, status: int, size: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(size))
        self.end_headers()
        self.server.receiver.written.append(0)
        while self.server.receiver.written[-1] < size:
            self.server.receiver.written[-1] += self.wfile.write(b"x" * min(65536, size))

    def _answer(self, status: int, answer: str, headers: dict[str, str] | None = None) -> None:
        data = answer.encode()
        self.send_response(status)
        given = {"Content-Type": "application/json", "Content-Length": str(len(data)), **(headers or {})}
        for name, value in given.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def an_event(**given: Any) -> dict[str, Any]:
    """A page about late flights, or about what is given."""
    plain: dict[str, Any] = {
        "action": "trigger",
        "dedup_key": "ronda/flight_delay/7",
        "summary": "late flights went up",
        "severity": "critical",
        "source": "flight_delay",
        "at": AT,
        "details": {"since": "2013-06-14", "requests": 31_000},
    }
    return event(**(plain | given))


@contextmanager
def running() -> Iterator[Receiver]:
    """A server that listens until the end of the block."""
    http = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    http.daemon_threads = True
    receiver = Receiver(url=f"http://127.0.0.1:{http.server_port}{PATH}")
    http.receiver = receiver  # type: ignore[attr-defined]  # how the handler reaches it
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.closing.set()
        http.shutdown()
        http.server_close()
        thread.join()
