"""A mail server that misbehaves as it is told, and messages that wait to be sent to it."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from aiosmtpd.smtp import Envelope, Session
from sqlalchemy import select

from ponte_workflow.clock import ROME
from ponte_workflow.store import cases, outbox
from ponte_workflow.store.outbox import OutboxRow
from ponte_workflow.store.schema.messages import outbox as outbox_rows
from tests.builders import MONDAY
from tests.faults.processes import House
from tests.integration.mail_server import Post, free_port, mail_server

SHORT = {"PONTE_SMTP_TIMEOUT": "2"}  # for a server that means to hang
TUESDAY = datetime(2026, 11, 3, 11, 0, tzinfo=ROME)  # no quiet hours, no holiday


@dataclass
class Holding(Post):
    """Takes the data of a message and says nothing until it is released."""

    held: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Answer late, or never: it keeps the message, whatever becomes of whoever brought it."""
        assert isinstance(envelope.content, bytes)
        self.mails.append(envelope.content)
        self.held.set()
        while not self.released.is_set():
            await asyncio.sleep(0.02)
        return self.data


@contextmanager
def serving(post: Post) -> Iterator[int]:
    """A server that answers like that; its port."""
    with mail_server(post) as port:
        try:
            yield port
        finally:
            if isinstance(post, Holding):
                post.released.set()


@contextmanager
def silent() -> Iterator[int]:
    """Takes connections and never says a word; its port."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(50)
        yield int(listening.getsockname()[1])


@contextmanager
def closed() -> Iterator[int]:
    """A port where nobody listens."""
    yield free_port()


def with_mail(town: House) -> list[int]:
    """Two messages to two households, the second with legal weight; their numbers."""
    assert town.team is not None
    numbers = []
    with town.store.transaction() as tx:
        for legal in (False, True):
            row = town.team.open_case(tx, MONDAY, email=f"home{int(legal)}@example.org")
            town.team.do(tx, "sara", row.code, "assign", MONDAY, case_worker="wanda")
            number = outbox.queue(
                tx,
                OutboxRow(
                    rule="test", due_on=MONDAY, recipient=f"person:{min(cases.persons(tx, row.household_id))}",
                    message="first_meeting_invitation", kind="inform", delivery="direct", case_id=row.id, legal=legal,
                ),
            )  # fmt: skip
            assert number is not None
            numbers.append(number)
    return numbers


def statuses(town: House, numbers: list[int]) -> list[str]:
    """How each message stands."""
    with town.store.transaction() as tx:
        rows = tx.connection.execute(select(outbox_rows.c.id, outbox_rows.c.status)).tuples().all()
    return [dict(rows)[number] for number in numbers]


def environment(port: int, **settings: str) -> dict[str, str]:
    """Settings for that server, which is given so long for each step that no stall of the machine looks like a fault."""
    return {
        "PONTE_SMTP_HOST": "127.0.0.1",
        "PONTE_SMTP_PORT": str(port),
        "PONTE_SMTP_TLS": "none",
        "PONTE_SMTP_TIMEOUT": "60",
        **settings,
    }


def words(minutes: float = 0) -> tuple[str, ...]:
    """`ponte deliver` so many minutes after Tuesday at eleven."""
    return "deliver", "--json", "--at", (TUESDAY + timedelta(minutes=minutes)).isoformat()
