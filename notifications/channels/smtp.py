"""Mails over SMTP, one connection for each: slow enough for a server's patience, and no failure spoils the next."""

import re
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from notifications.channels.envelope import Envelope, Receipt, checked_address, compose, without_addresses
from notifications.errors import ChannelDown, SendLater, SendNever, SendUncertain

Security = Literal["starttls", "tls", "none"]
READY_FOR_DATA = 354


@dataclass(frozen=True, slots=True)
class SmtpChannel:
    """A server to hand mails to. Certificates are verified, against `cafile` when a town has its own authority."""

    host: str
    port: int = 587
    security: Security = "starttls"
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    timeout: float = 20.0  # seconds, for each step of the conversation
    cafile: Path | None = None

    @property
    def name(self) -> str:
        """Kept with the evidence."""
        return "smtp"

    def send(self, envelope: Envelope) -> Receipt:
        """Hand over one mail.

        Raises `ChannelDown` (no server, no TLS, login refused), `SendLater` (4xx, connection lost before the data),
        `SendNever` (5xx, bad address), `SendUncertain` (connection lost once the data were on their way).
        """
        content = compose(envelope).as_bytes()
        with self._connected() as server:
            reply = _hand_over(server, envelope, content)
        return Receipt(envelope.message_id, reply, envelope.at)

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        try:
            server = self._open()
        except (OSError, smtplib.SMTPException) as error:
            # A refused login is no fault of the mail: failing every mail for good would be worse than waiting.
            raise ChannelDown(f"mail server {self.host}:{self.port}: {_what(error)}") from error
        try:
            yield server
        finally:
            with suppress(OSError, smtplib.SMTPException):
                server.quit()
            server.close()

    def _open(self) -> smtplib.SMTP:
        context = None if self.security == "none" else ssl.create_default_context(cafile=self.cafile)
        server: smtplib.SMTP
        if self.security == "tls":
            server = smtplib.SMTP_SSL(self.host, self.port, timeout=self.timeout, context=context)
        else:
            server = smtplib.SMTP(self.host, self.port, timeout=self.timeout)
        try:
            if self.security == "starttls":
                server.starttls(context=context)
            server.ehlo_or_helo_if_needed()
            if self.user is not None:
                server.login(self.user, self.password or "")
        except (OSError, smtplib.SMTPException):
            server.close()
            raise
        return server


def _hand_over(server: smtplib.SMTP, envelope: Envelope, content: bytes) -> str:
    try:
        _expect(250, server.mail(checked_address(envelope.sender).addr_spec))
        _expect(250, server.rcpt(checked_address(envelope.to).addr_spec))
        _expect(READY_FOR_DATA, server.docmd("DATA"))
    except (OSError, smtplib.SMTPException) as error:
        raise SendLater(f"connection lost before the data: {_what(error)}") from error
    try:
        server.send(_dotted(content))
        answer = server.getreply()
    except (OSError, smtplib.SMTPException) as error:
        raise SendUncertain(f"connection lost after the data: {_what(error)}") from error
    return _expect(250, answer)


def _expect(wanted: int, answer: tuple[int, bytes]) -> str:
    code, said = answer
    reply = f"{code} {without_addresses(said.decode('utf-8', 'replace'))}"
    if code == wanted or (wanted == 250 and code == 251):
        return reply
    # -1: the server speaks no SMTP; 421 and other 4xx: not now.
    raise SendNever(reply) if 500 <= code < 600 else SendLater(reply)


def _dotted(content: bytes) -> bytes:
    """The data with leading dots doubled and the closing dot (RFC 5321, 4.5.2); lines end in CRLF already."""
    doubled = re.sub(rb"(?m)^\.", b"..", content)
    return doubled + (b"" if doubled.endswith(b"\r\n") else b"\r\n") + b".\r\n"


def _what(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error
        words = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
        return f"{error.smtp_code} {without_addresses(words)}"
    return f"{type(error).__name__}: {without_addresses(str(error))}"
