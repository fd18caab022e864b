"""A mailbox read over IMAP with TLS: every mail since a place in it, unread marks left as they are."""

import imaplib
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from notifications.channels.envelope import without_addresses
from notifications.errors import SendLater

FOLDER = re.compile(r'[^"\\\x00-\x1f\x7f-\U0010ffff]{1,200}')  # what may stand between quotes


class MailboxDown(SendLater):
    """The mailbox cannot be read now: no server, wrong login, an answer that is none. Another time."""


@dataclass(frozen=True, slots=True)
class Place:
    """How far a folder has been read. When `validity` differs, the server counts anew and everything is read again."""

    validity: int = 0
    uid: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """One mail. `whole` False: it is larger than what we take, and `raw` holds its headers alone."""

    place: Place
    raw: bytes
    whole: bool = True


@dataclass(frozen=True, slots=True)
class ImapMailbox:
    """A folder on a server. `timeout`: seconds for each step of the conversation; `largest`: bytes of one mail."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    folder: str = "INBOX"
    timeout: float = 20.0
    cafile: Path | None = None
    largest: int = 10_000_000

    @property
    def address(self) -> str:
        """Host and folder: under which name somebody remembers how far it has been read."""
        return f"{self.host}/{self.folder}"

    def since(self, place: Place) -> Iterator[Found]:
        """The mails that came after `place`, the oldest first. `MailboxDown` when the server fails, also half-way."""
        try:
            with self._connected() as server:
                validity = self._validity(server)
                after = place.uid if place.validity == validity else 0
                for uid in self._uids(server, after):
                    found = self._fetch(server, Place(validity, uid))
                    if found is not None:
                        yield found
        except (OSError, imaplib.IMAP4.error, ValueError, LookupError, TypeError, AttributeError) as error:
            # imaplib raises its own errors, and trips over its own feet where a server answers nonsense.
            raise MailboxDown(f"mailbox {self.host}:{self.port}: {_what(error)}") from error

    @contextmanager
    def _connected(self) -> Iterator[imaplib.IMAP4_SSL]:
        context = ssl.create_default_context(cafile=self.cafile)
        server = imaplib.IMAP4_SSL(self.host, self.port, ssl_context=context, timeout=self.timeout)
        try:
            server.login(self.user, self.password)
            if FOLDER.fullmatch(self.folder) is None:
                raise ValueError("the folder has a name that cannot be")
            # For reading only: nobody else's client shall think that somebody has read them.
            _said(server.select(f'"{self.folder}"', readonly=True))
            yield server
        finally:
            with suppress(OSError, imaplib.IMAP4.error):
                server.logout()
            with suppress(OSError):
                server.shutdown()  # logout does not get that far on a broken line

    def _validity(self, server: imaplib.IMAP4_SSL) -> int:
        _kind, told = server.response("UIDVALIDITY")
        number = told[0] if told else None
        if not isinstance(number, bytes) or not number.isdigit():
            raise ValueError("no UIDVALIDITY")
        return int(number)

    def _uids(self, server: imaplib.IMAP4_SSL, after: int) -> list[int]:
        parts = _said(server.uid("SEARCH", f"UID {after + 1}:*"))
        words = b" ".join(part for part in parts if isinstance(part, bytes)).split()
        # "*" is the last mail, also when its number is below the first one asked for.
        return sorted(uid for uid in map(int, words) if uid > after)

    def _fetch(self, server: imaplib.IMAP4_SSL, place: Place) -> Found | None:
        """One mail; None when somebody has taken it away since. One that the server does not give out is told all the
        same: it must not keep those behind it waiting."""
        _status, told = server.uid("FETCH", str(place.uid), "(RFC822.SIZE)")
        size = re.search(rb"RFC822\.SIZE (\d+)", _joined(told))
        if size is None:
            return None
        whole = int(size[1]) <= self.largest
        part = "BODY.PEEK[]" if whole else "BODY.PEEK[HEADER]"
        _status, told = server.uid("FETCH", str(place.uid), f"({part})")
        for answer in told:
            if isinstance(answer, tuple):
                return Found(place, bytes(answer[1]), whole)
        return Found(place, f"(mail {place.uid} of {place.validity}: not given out)".encode(), whole=False)


def _said(answer: tuple[str, list[Any]]) -> list[Any]:
    status, parts = answer
    if status != "OK":
        raise ValueError(f"the server said {status}")
    return parts


def _joined(parts: list[Any]) -> bytes:
    return b" ".join(part if isinstance(part, bytes) else part[0] if isinstance(part, tuple) else b"" for part in parts)


def _what(error: Exception) -> str:
    return f"{type(error).__name__}: {without_addresses(str(error))}"
