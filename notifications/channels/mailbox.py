"""Where mails come back: a mailbox read over IMAP, or a folder of .eml files. What was handled is not read again."""

import imaplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple, Protocol
from urllib.parse import unquote, urlsplit

from notifications.errors import ChannelDown

DONE = "read"  # folder beside the files, for those that were handled
AT_ONCE = 200  # mails in one run


class Incoming(NamedTuple):
    """A mail and the mailbox's own name for it."""

    key: str
    raw: bytes


class Mailbox(Protocol):
    """A place where mails come in."""

    def unread(self, largest: int) -> Iterator[Incoming]:
        """Mails not handled yet, cut off after `largest` bytes; `ChannelDown` when it cannot be read.

        A mail counts as handled once the next one is asked for.
        """


@dataclass(frozen=True, slots=True)
class FolderMailbox:
    """Files that end in .eml; handled ones move into a folder beside them."""

    folder: Path

    def unread(self, largest: int) -> Iterator[Incoming]:
        """File by file, in the order of their names."""
        try:
            paths = sorted(path for path in self.folder.glob("*.eml") if path.is_file())[:AT_ONCE]
            (self.folder / DONE).mkdir(exist_ok=True, mode=0o700)
            for path in paths:
                with path.open("rb") as handle:
                    raw = handle.read(largest + 1)
                yield Incoming(path.name, raw)
                path.replace(self.folder / DONE / path.name)
        except OSError as error:
            raise ChannelDown(f"the folder of returned mails cannot be read: {error.strerror}") from error


@dataclass(frozen=True, slots=True)
class ImapMailbox:
    """A folder on an IMAP server; handled mails are marked as seen."""

    host: str
    port: int
    user: str
    folder: str = "INBOX"
    security: Literal["tls", "starttls", "none"] = "tls"
    password: str = field(default="", repr=False)
    timeout: float = 20.0  # seconds
    cafile: Path | None = None

    def unread(self, largest: int) -> Iterator[Incoming]:
        """Mail by mail, the oldest first."""
        try:
            with self._connected() as server:
                for key in self._keys(server):
                    answer = server.uid("FETCH", key, f"(BODY.PEEK[]<0.{largest + 1}>)")
                    raw = next((part[1] for part in answer[1] or () if isinstance(part, tuple)), None)
                    if raw is None:
                        continue  # taken away by somebody else meanwhile
                    yield Incoming(key, bytes(raw))
                    server.uid("STORE", key, "+FLAGS", r"(\Seen)")
        except (OSError, imaplib.IMAP4.error) as error:
            raise ChannelDown(f"mailbox {self.host}:{self.port}: {type(error).__name__}") from error

    def _keys(self, server: imaplib.IMAP4) -> list[str]:
        status, _data = server.select(f'"{self.folder}"')
        if status != "OK":
            raise imaplib.IMAP4.error("no such folder")
        _status, found = server.uid("SEARCH", "UNSEEN")
        words = found[0].split() if found and isinstance(found[0], bytes) else []
        return [word.decode("ascii") for word in words[:AT_ONCE]]

    @contextmanager
    def _connected(self) -> Iterator[imaplib.IMAP4]:
        context = None if self.security == "none" else ssl.create_default_context(cafile=self.cafile)
        server: imaplib.IMAP4
        if self.security == "tls":
            server = imaplib.IMAP4_SSL(self.host, self.port, ssl_context=context, timeout=self.timeout)
        else:
            server = imaplib.IMAP4(self.host, self.port, timeout=self.timeout)
        try:
            if self.security == "starttls":
                server.starttls(context)
            server.login(self.user, self.password)
            yield server
        finally:
            with suppress(OSError, imaplib.IMAP4.error):
                server.logout()


def mailbox_at(place: str, password: str, *, cafile: Path | None = None) -> Mailbox:
    """The mailbox that a setting names; ValueError says what it should be."""
    if "://" not in place:
        return FolderMailbox(Path(place).expanduser())
    parts = urlsplit(place)
    near = parts.hostname in ("127.0.0.1", "::1", "localhost")
    if parts.scheme not in ("imaps", "imap") or not parts.hostname or not parts.username or parts.password:
        raise ValueError("imaps://user@host/INBOX, without the password, or a folder")
    folder = unquote(parts.path.strip("/")) or "INBOX"
    if any(sign in '"\\' or not sign.isprintable() for sign in folder):
        raise ValueError("a folder whose name has no quotes")
    plain: Literal["starttls", "none"] = "none" if near else "starttls"
    security: Literal["tls", "starttls", "none"] = "tls" if parts.scheme == "imaps" else plain
    port = parts.port or (993 if parts.scheme == "imaps" else 143)
    return ImapMailbox(parts.hostname, port, unquote(parts.username), folder, security, password, cafile=cafile)
