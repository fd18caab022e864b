"""The mail server of the soak: real SMTP on the loopback, in a mood; it notes what it took, and can stop who sends."""

import asyncio
import os
import re
import signal
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope, Session

from tests.integration.mail_server import free_port

# Seconds: Ponte's patience with this server. When it means to hang that is short, else no stall of the machine matters.
PATIENCE, SHORT = 30.0, 1.0
MOODS = ("refuses", "puts_off", "hangs", "drops", "down")
# When the machine that sends stops: with the mail claimed and not yet handed over, or taken and not yet written down.
STOPS = ("before", "after")
NUMBER = re.compile(rb"(?im)^Message-ID:\s*<ponte\.(\d{9})\.")


@dataclass
class Post:
    """Handler of the server. `taken`: outbox id -> how often a mail of that message was accepted."""

    mood: str = "well"
    met: int = 0  # mails that the mood has spoiled
    taken: Counter[int] = field(default_factory=Counter)
    stop: str | None = None
    stop_at: int = 0  # the mail, counted from 1, at which the sender is stopped
    seen: int = 0
    sender: int | None = None  # process id

    async def handle_RCPT(self, server: Any, session: Session, envelope: Envelope, address: str, options: Any) -> str:  # noqa: N802
        self.seen += 1
        if self.stop == "before" and self.seen == self.stop_at:
            return await self._stop()
        if self.mood == "refuses":
            self.met += 1
            return "550 5.7.1 not here"
        if self.mood == "puts_off":
            self.met += 1
            return "451 4.7.1 later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        if self.mood == "hangs":
            self.met += 1
            await asyncio.sleep(SHORT * 2)
            return "451 4.3.0 too late"
        found = NUMBER.search(envelope.content)
        if found:
            self.taken[int(found[1])] += 1
        if self.mood == "drops":
            self.met += 1
            server.transport.abort()
        if self.stop == "after" and self.seen == self.stop_at:
            return await self._stop()
        return "250 2.0.0 taken"

    async def _stop(self) -> str:
        assert self.sender is not None
        os.kill(self.sender, signal.SIGKILL)
        self.met += 1
        await asyncio.sleep(0.01)
        return "421 4.3.2 gone"


class MailServer:
    """The server on one port for the whole run; in the mood "down" nobody listens there."""

    def __init__(self) -> None:
        self.post = Post()
        self.port = free_port()
        self._running: Controller | None = None
        self.start()

    def start(self) -> None:
        """Listen."""
        if self._running is None:
            self._running = Controller(self.post, hostname="127.0.0.1", port=self.port)
            self._running.start()

    def close(self) -> None:
        """Listen no more."""
        if self._running is not None:
            self._running.stop()
            self._running = None

    def be(self, mood: str) -> None:
        """From now on, in that mood."""
        self.post.mood, self.post.met = mood, 0
        if mood == "down":
            self.close()
        else:
            self.start()

    def stop_sender(self, pid: int, when: str, nth: int) -> None:
        """Kill the process that sends at its nth mail."""
        self.post.sender, self.post.stop, self.post.stop_at, self.post.seen, self.post.met = pid, when, nth, 0, 0

    def let_be(self) -> None:
        """Stop nobody."""
        self.post.stop = None
