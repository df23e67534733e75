"""A server on this machine that behaves like Slack's Web API: what it keeps, what it refuses, how it fails.

Tests get a running one from the fixture `slack_server`, point `RONDA_SLACK_URL` at its `url` and give its `token`.
`server.script("chat.postMessage", ("rate", 1), ("stored_then_drop",))` makes the next calls of a method fail:

    ("status", 500)               nothing is kept, the answer has this status
    ("stored_then_status", 500)   the call is carried out, the answer has this status
    ("rate", 7)                   429 with Retry-After: 7
    ("hang", 1.0)                 nothing is kept, and after a second the connection is closed without an answer
    ("stored_then_hang", 1.0)     the call is carried out, then the same
    ("stored_then_drop",)         the call is carried out, and the connection closed without an answer
    ("error", "token_revoked")    ok: false
    ("garbage",)                  an answer that is no JSON
    ("ok",)                       an ordinary call between others
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

from slack_workspace import UPLOAD, Json, Workspace


class _Handler(BaseHTTPRequestHandler):
    server: Any

    def do_POST(self) -> None:
        slack: Workspace = self.server.slack
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        where, _, name = self.path.lstrip("/").partition("/")
        if where == UPLOAD:
            step = slack.take(UPLOAD, {"id": name, "bytes": len(body)}, self.headers.get("Authorization", ""))
            self._answer(step[1] if step[0] == "status" else slack.keep_upload(name, body), "OK")
            return
        given = _arguments(body, self.headers.get("Content-Type", ""))
        authorization = self.headers.get("Authorization", "")
        kind, *more = slack.take(name, given, authorization)
        if kind == "rate":
            self._answer(429, {"ok": False, "error": "ratelimited"}, {"Retry-After": str(more[0])})
        elif kind == "error":
            self._answer(200, {"ok": False, "error": more[0]})
        elif kind == "garbage":
            self._answer(200, "<html>not what you called for</html>")
        elif kind in {"status", "hang"}:
            self._fail(kind, more)
        else:
            answer = slack.carry_out(name, given, authorization)
            if kind == "ok":
                self._answer(200, answer)
            else:
                self._fail(kind.removeprefix("stored_then_"), more)

    def _fail(self, kind: str, more: list[Any]) -> None:
        if kind == "status":
            self._answer(more[0], "<html>upstream said no</html>")
        elif kind == "hang":
            self.server.slack.closing.wait(more[0])
        # nothing more is written: the connection closes

    def _answer(self, status: int, answer: Json | str, headers: dict[str, str] | None = None) -> None:
        data = (answer if isinstance(answer, str) else json.dumps(answer)).encode()
        try:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(data)), **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the caller is gone: that is what some tests are about

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def _arguments(body: bytes, content_type: str) -> Json:
    if content_type.startswith("application/json"):
        given: Json = json.loads(body or b"{}")
        return given
    return dict(parse_qsl(body.decode(), keep_blank_values=True))


@contextmanager
def running() -> Iterator[Workspace]:
    """A server that listens until the end of the block."""
    http = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    http.daemon_threads = True
    slack = Workspace(url=f"http://127.0.0.1:{http.server_port}/api/")
    http.slack = slack  # type: ignore[attr-defined]  # how the handler reaches it
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield slack
    finally:
        slack.closing.set()
        http.shutdown()
        http.server_close()
        thread.join()
