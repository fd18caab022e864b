"""A real mail server for the tests, answering as it is told."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope, Session

from notifications.channels import SmtpChannel


@dataclass
class Post:
    """Handler of the server: answers as it is told and keeps what it accepts."""

    recipient: str = "250 OK"
    data: str = "250 2.0.0 taken"
    hang_up: bool = False
    mails: list[bytes] = field(default_factory=list)

    async def handle_RCPT(self, server: Any, session: Session, envelope: Envelope, address: str, options: Any) -> str:  # noqa: N802
        if self.recipient.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.recipient.format(address=address)

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        if self.hang_up:
            server.transport.abort()
        if self.data.startswith("250"):
            self.mails.append(envelope.content)
        return self.data


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def mail_server(post: Post, **how: Any) -> Iterator[int]:
    controller = Controller(post, hostname="127.0.0.1", port=free_port(), **how)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


def plain(port: int, timeout: float = 5) -> SmtpChannel:
    return SmtpChannel("127.0.0.1", port, security="none", timeout=timeout)
