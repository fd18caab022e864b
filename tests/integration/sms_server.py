"""A real SMS gateway over HTTP for the tests, which answers as it is told."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass
class SmsServer:
    """What came in, and how it answers: a status, a body of its own instead of the right one, a pause before it."""

    status: int = 200
    body: bytes | None = None
    pause: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)
    fates: dict[str, str] = field(default_factory=dict)
    taken: list[dict[str, Any]] = field(default_factory=list)
    seen: list[dict[str, str]] = field(default_factory=list)  # headers of each call
    asked: list[str] = field(default_factory=list)
    url: str = ""


@contextmanager
def sms_server(server: SmsServer | None = None) -> Iterator[SmsServer]:
    """The server runs until the block is left."""
    told = server or SmsServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            given = json.loads(self.rfile.read(int(self.headers["content-length"])))
            told.seen.append({name.lower(): value for name, value in self.headers.items()})
            if told.status == 200:
                told.taken.append(given)
            self._answer({"id": f"gw-{len(told.taken)}"})

        def do_GET(self) -> None:
            ids = parse_qs(urlsplit(self.path).query).get("ids", [""])[0].split(",")
            told.asked += ids
            rows = [{"id": one, "status": told.fates[one]} for one in ids if one in told.fates]
            self._answer({"messages": rows})

        def _answer(self, right: dict[str, Any]) -> None:
            time.sleep(told.pause)
            content = json.dumps(right).encode() if told.body is None else told.body
            try:
                self.send_response(told.status)
                for name, value in told.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
            except OSError:
                pass  # whoever asked has hung up

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    told.url = f"http://127.0.0.1:{listening.server_address[1]}"
    try:
        yield told
    finally:
        listening.shutdown()
        listening.server_close()
        thread.join()
