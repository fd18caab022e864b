"""What somebody might type who wishes us ill, and how to see whether a page took it for more than text."""

import re
from html.parser import HTMLParser
from urllib.parse import urlencode

from httpx import Response
from sqlalchemy import text

from ponte_workflow.store.engine import Store
from ponte_workflow.store.schema.base import metadata

PRODUCT = str(31337 * 7331)  # nobody's rent; it appears where {{31337*7331}} was worked out
# Name: what is sent, as bytes, because not all of it is UTF-8.
VALUES: dict[str, bytes] = {
    "script": b"<script>alert(1)</script>",
    "image": b'"><img src=x onerror=alert(1)>',
    "attribute": b"' onfocus=alert(1) autofocus x='",
    "braces": b"{{7*7}} {{31337*7331}}",
    "percent": b"{% raw %} %(x)s {0.__class__} {name}",
    "quote": b"' OR 1=1 --",
    "likeness": b"%_%",
    "road out": b"../../../../etc/passwd",
    "right to left": "\u202eevil\u202d\x1b[2J\U0010ffff".encode(),
    "header": b"x\r\nSet-Cookie: evil=1",
    "nul": b"a\x00b",
    "surrogate": b"\xed\xa0\x80\xff\xfe",
    "digits": b"9" * 5000,
    "big number": b"9" * 20,
    "negative": b"-1",
    "last day": b"9999-12-31",
    "first day": b"0001-01-01",
    "long": b"x" * 1_000_000,
    "formula": b'=HYPERLINK("https://evil.example","x")',
}
# Where a password is hashed, which is slow on purpose, a few have to do.
SLOW = ("/sign-in", "/account/second-factor/codes", "/account/second-factor/remove")
FOR_SLOW = ("script", "nul", "surrogate", "long")
# What the two databases may take differently; the rest is Python's, and need not be tried twice.
FOR_DATABASES = ("quote", "right to left", "nul", "surrogate", "digits", "big number", "last day", "long")


def values_for(store: Store, path: str = "") -> dict[str, bytes]:
    """Everything on SQLite, which is fast; on PostgreSQL what may be another matter there."""
    names = FOR_SLOW if path in SLOW else FOR_DATABASES if store.is_postgresql else tuple(VALUES)
    return {name: VALUES[name] for name in names}


def foul(answer: Response) -> list[str]:
    """What is in an answer that no template of ours has written; nothing if it is no page."""
    if not answer.headers.get("content-type", "").startswith("text/html"):
        return []
    return Look(answer.text, sandboxed="sandbox" in answer.headers["content-security-policy"]).foul


def encoded(form: dict[str, str | bytes]) -> bytes:
    """A form as a browser sends it, with whatever bytes."""
    return urlencode(form).encode()


def shown(value: bytes) -> str:
    """How a page that shows the value would show it, blanks put together."""
    return " ".join(value.decode("utf-8", "replace").replace("\0", "").split())


class Look(HTMLParser):
    """What is in a page: its text, and whatever is in it that no template of ours has written."""

    def __init__(self, html: str, *, sandboxed: bool = False) -> None:
        """sandboxed: a mail shown by itself in a box, which brings its own styles."""
        super().__init__(convert_charrefs=True)
        self._styles = sandboxed
        self.foul: list[str] = []
        self._texts: list[str] = []
        self._inside = ""
        self.feed(html)
        self.close()
        if PRODUCT in html:
            self.foul.append("something was worked out")

    @property
    def words(self) -> str:
        """The text, and what stands in fields, with blanks put together."""
        return " ".join(" ".join(self._texts).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at an element: only our own script files, pictures of our own, no handlers, no styles."""
        given = {name: value or "" for name, value in attrs}
        self._inside = tag
        if tag == "script" and not given.get("src", "").startswith("/static/"):
            self.foul.append("a script")
        if tag == "img" and re.match("/[^/]|data:image/", given.get("src", "")) is None:
            self.foul.append("an image")
        if tag in ("iframe", "object", "embed", "base") or (tag == "style" and not self._styles):
            self.foul.append(f"an element {tag}")
        self.foul += [f"an attribute {name}" for name in given if name.startswith("on")]
        self.foul += ["an attribute style"] * ("style" in given and not self._styles)
        for name in ("href", "action", "formaction", "src", "hx-get", "hx-post"):
            address = given.get(name)
            if address is not None and not address.startswith(("/", "#", "?", "data:image/", "tel:", "mailto:")):
                self.foul.append(f"an address {address[:40]}")
            if address is not None and address.startswith("//"):
                self.foul.append(f"an address elsewhere {address[:40]}")
        self._texts.append(given.get("value", ""))

    def handle_data(self, data: str) -> None:
        """Gather text; what stands in a script element is none."""
        if self._inside == "script" and data.strip():
            self.foul.append("script text")
        self._texts.append(data)

    def handle_endtag(self, tag: str) -> None:
        """Out of the element."""
        self._inside = ""


def counts(store: Store) -> dict[str, int]:
    """How many rows each table has."""
    names = sorted(metadata.tables)
    union = " UNION ALL ".join(f"SELECT '{name}', COUNT(*) FROM {name}" for name in names)
    with store.engine.connect() as connection:
        return {row[0]: row[1] for row in connection.execute(text(union))}


def differences(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    """How many rows each table has more, where that changed."""
    return {name: after[name] - before[name] for name in after if after[name] != before[name]}
