"""What a browser loads for one page, followed from tag to tag, and how much of it goes over the wire."""

import re
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

from starlette.testclient import TestClient

_URL = re.compile(r"url\(\s*[\"']?([^\"')]+)")


@dataclass(frozen=True, slots=True)
class Loaded:
    """One answer. `wire`: bytes of its head and of its body, compressed as it was sent."""

    path: str
    type: str
    wire: int
    headers: dict[str, str]


class _Tags(HTMLParser):
    """The addresses that a browser asks for without being told to."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, None] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Links, scripts, images, signs of a sprite."""
        given = dict(attrs)
        wanted = given.get("src") if tag in ("script", "img", "iframe", "source", "audio", "video") else None
        if tag in ("link", "use", "image"):
            wanted = given.get("href")
        if wanted and not wanted.startswith(("data:", "#")):
            self.found[wanted.partition("#")[0]] = None


def first_visit(client: TestClient, path: str) -> list[Loaded]:
    """The page at `path` and everything that it loads, with nothing in the browser's cache, gzip accepted."""
    done: dict[str, Loaded] = {}
    waiting = [path]
    while waiting:
        asked = waiting.pop(0)
        if asked in done:
            continue
        answer = client.get(asked, headers={"accept-encoding": "gzip"})
        assert answer.status_code == 200, f"{asked}: {answer.status_code}"
        kind = answer.headers["content-type"].partition(";")[0]
        head = sum(len(name) + len(value) + 4 for name, value in answer.headers.items())
        done[asked] = Loaded(asked, kind, head + int(answer.headers["content-length"]), dict(answer.headers))
        waiting += _further(kind, answer)
    return list(done.values())


def _further(kind: str, answer: Any) -> list[str]:
    if kind == "text/html":
        tags = _Tags()
        tags.feed(answer.text)
        return list(tags.found)
    if kind == "text/css":
        return [url for url in _URL.findall(answer.text) if not url.startswith(("data:", "#"))]
    return []
