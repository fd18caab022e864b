"""Mailboxes in which mails come back: a folder, and a real IMAP server; what was handled is not read again."""

import imaplib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from notifications.channels.mailbox import FolderMailbox, ImapMailbox, mailbox_at
from notifications.errors import ChannelDown
from tests.integration.mail_server import free_port

USER, PASSWORD = "bounces", "right"


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """An IMAP server on loopback with one mailbox."""
    number = free_port()
    words = ["--host", "127.0.0.1", "--port", str(number), "--no-tls"]
    words += ["dict", "--demo-user", USER, "--demo-password", PASSWORD]
    process = subprocess.Popen(
        [sys.executable, "-c", "from pymap.main import main; main()", *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until = time.monotonic() + 30
    while time.monotonic() < until:
        assert process.poll() is None, "the server does not start"
        with suppress(OSError), socket.create_connection(("127.0.0.1", number), timeout=1):
            break
        time.sleep(0.1)
    yield number
    process.terminate()
    process.wait(10)


def box(port: int, **changes: object) -> ImapMailbox:
    values = {"security": "none", "password": PASSWORD, "timeout": 5.0} | changes
    return ImapMailbox("127.0.0.1", port, USER, **values)  # type: ignore[arg-type]


def put(port: int, *raws: bytes) -> None:
    server = imaplib.IMAP4("127.0.0.1", port, timeout=10)
    server.login(USER, PASSWORD)
    for raw in raws:
        assert server.append("INBOX", "", "", raw)[0] == "OK"
    server.logout()


def drain(port: int) -> None:
    for _mail in box(port).unread(10):
        pass


def test_mails_are_read_once_and_a_broken_off_run_goes_on_where_it_stood(port: int) -> None:
    drain(port)
    put(port, b"Subject: one\r\n\r\n1", b"Subject: two\r\n\r\n2", b"Subject: three\r\n\r\n3")
    reading = box(port).unread(1000)
    first = next(reading)
    assert first.raw == b"Subject: one\r\n\r\n1"
    next(reading)  # asking for the second says that the first one is handled
    reading.close()  # type: ignore[attr-defined]
    assert [mail.raw[9:12] for mail in box(port).unread(1000)] == [b"two", b"thr"]
    assert list(box(port).unread(1000)) == []


def test_a_huge_mail_is_cut_off(port: int) -> None:
    drain(port)
    put(port, b"Subject: big\r\n\r\n" + b"x" * 5000)
    (mail,) = box(port).unread(100)
    assert len(mail.raw) == 101


@pytest.mark.parametrize(
    "changes", [{"password": "wrong"}, {"folder": "Nothing"}, {"security": "tls"}, {"security": "starttls"}], ids=str
)
def test_a_mailbox_that_cannot_be_read_is_down(port: int, changes: dict[str, object]) -> None:
    with pytest.raises(ChannelDown):
        list(box(port, **changes).unread(100))
    with pytest.raises(ChannelDown):
        list(box(free_port(), **changes).unread(100))


def test_a_folder_gives_its_mails_and_puts_them_aside(tmp_path: Path) -> None:
    for name in ("b.eml", "a.eml", "note.txt"):
        (tmp_path / name).write_bytes(name.encode())
    found = FolderMailbox(tmp_path)
    assert [mail.key for mail in found.unread(100)] == ["a.eml", "b.eml"]
    assert list(found.unread(100)) == [] and (tmp_path / "read" / "a.eml").is_file()
    (tmp_path / "file").write_text("")
    with pytest.raises(ChannelDown):
        list(FolderMailbox(tmp_path / "file").unread(100))


def test_a_setting_names_a_mailbox(tmp_path: Path) -> None:
    assert mailbox_at(str(tmp_path), "") == FolderMailbox(tmp_path)
    far = mailbox_at("imaps://ponte%40town@mail.example.org/Returned", "x")
    assert far == ImapMailbox("mail.example.org", 993, "ponte@town", "Returned", "tls", "x")
    assert mailbox_at("imap://u@mail.example.org", "x") == ImapMailbox(
        "mail.example.org", 143, "u", "INBOX", "starttls", "x"
    )
    assert "secret" not in repr(mailbox_at("imaps://u@mail.example.org", "secret"))
    for wrong in (
        "https://x",
        "imaps://mail.example.org",
        "imaps://u:p@mail.example.org",
        'imaps://u@h/a"b',
        "imap://u@/x",
    ):
        with pytest.raises(ValueError, match=r"imaps://|folder"):
            mailbox_at(wrong, "")
