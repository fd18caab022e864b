"""A real IMAP server (pymap) for the tests, behind TLS from the first byte as providers of certified mail have it."""

import imaplib
import select
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from notifications.channels.imap import ImapMailbox
from tests.integration.mail_server import free_port

USER, PASSWORD = "ponte@pec.example.org", "right"
START = "from pymap.main import main; main()"


@dataclass
class Post:
    """The mailbox's other side: puts mails into it, and makes the line to it as bad as a test wants."""

    plain: int
    port: int
    certificate: Path
    cut_after: int | None = None  # bytes from the server before the line is cut
    silent: bool = False  # the line takes everything and answers nothing

    def mailbox(self, *, password: str = PASSWORD, timeout: float = 5, largest: int = 1_000_000) -> ImapMailbox:
        """Ponte's view of it."""
        return ImapMailbox(
            "127.0.0.1", self.port, USER, password, timeout=timeout, cafile=self.certificate, largest=largest
        )

    def put(self, *raws: bytes) -> None:
        """New mails."""
        server = self._open()
        for raw in raws:
            status, told = server.append("INBOX", "", "", raw)
            assert status == "OK", told
        server.logout()

    def unread(self) -> int:
        """Mails that nobody has marked as read."""
        server = self._open()
        server.select("INBOX", readonly=True)
        _status, found = server.search(None, "UNSEEN")
        server.logout()
        return len(found[0].split())

    def _open(self) -> imaplib.IMAP4:
        server = imaplib.IMAP4("127.0.0.1", self.plain, timeout=10)
        server.login(USER, PASSWORD)
        return server

    def carry(self, client: ssl.SSLSocket) -> None:
        """Between one client and the server, until either hangs up. In one thread: an SSLSocket is no matter for two."""
        with suppress(OSError), client, socket.create_connection(("127.0.0.1", self.plain), timeout=10) as inside:
            said = 0
            while True:
                ready, _, _ = ([client], [], []) if client.pending() else select.select([client, inside], [], [])
                for end in ready:
                    chunk = end.recv(65536)
                    if not chunk:
                        return
                    if end is client:
                        inside.sendall(chunk)
                    elif self.cut_after is not None and said + len(chunk) > self.cut_after:
                        client.sendall(chunk[: max(self.cut_after - said, 0)])
                        return
                    elif not self.silent:
                        client.sendall(chunk)
                        said += len(chunk)


@contextmanager
def imap_server(certificate: Path) -> Iterator[Post]:
    """The server with one empty mailbox."""
    plain, port = free_port(), free_port()
    words = ["--host", "127.0.0.1", "--port", str(plain), "--no-tls"]
    words += ["dict", "--demo-user", USER, "--demo-password", PASSWORD]
    process = subprocess.Popen(
        [sys.executable, "-c", START, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    post = Post(plain, port, certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    door = socket.create_server(("127.0.0.1", port))

    def take() -> None:
        with suppress(OSError):
            while True:
                client, _address = door.accept()
                try:
                    guarded = context.wrap_socket(client, server_side=True)
                except (OSError, ssl.SSLError):
                    client.close()
                    continue
                threading.Thread(target=post.carry, args=(guarded,), daemon=True).start()

    threading.Thread(target=take, daemon=True).start()
    try:
        _wait_for(plain, process)
        yield post
    finally:
        with suppress(OSError):
            door.shutdown(socket.SHUT_RDWR)  # closing alone would not wake whoever waits for the next client
        door.close()
        process.terminate()
        process.wait(10)


@contextmanager
def nonsense(certificate: Path, answers: list[bytes]) -> Iterator[int]:
    """A server with TLS that says these things, one to each word of the client, and hangs up."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    door = socket.create_server(("127.0.0.1", 0))

    def talk() -> None:
        with suppress(OSError), context.wrap_socket(door.accept()[0], server_side=True) as client:
            client.settimeout(5)
            for answer in answers:
                client.sendall(answer)
                client.recv(4096)

    thread = threading.Thread(target=talk, daemon=True)
    thread.start()
    try:
        yield int(door.getsockname()[1])
    finally:
        with suppress(OSError):
            door.shutdown(socket.SHUT_RDWR)
        door.close()
        thread.join(10)


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        assert process.poll() is None, "pymap does not start"
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise AssertionError("pymap does not answer")
