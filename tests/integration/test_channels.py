"""The channels against a real mail server and a real folder."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult, LoginPassword

from notifications import channels, errors
from notifications.channels import FileChannel, Receipt, SmtpChannel
from notifications.messages.plan_signed.model import PlanSigned
from notifications.rendering import render
from tests.integration.certificates import certificate
from tests.integration.mail_server import Post, free_port, mail_server, plain
from tests.integration.outbox_rows import ADDRESS, MONDAY, SENDER

__all__ = ["certificate"]


@contextmanager
def guarded_server(post: Post, certificate: Path) -> Iterator[int]:
    """STARTTLS and a login (ponte / right) are required."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)

    def authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: LoginPassword) -> AuthResult:
        return AuthResult(success=data == LoginPassword(b"ponte", b"right"), handled=False)

    how = {"tls_context": context, "require_starttls": True, "auth_required": True, "authenticator": authenticate}
    with mail_server(post, **how) as port:
        yield port


def envelope(to: str = ADDRESS) -> channels.Envelope:
    return channels.Envelope(SENDER, to, render(PlanSigned.sample(), "it"), "ponte.1@example.org", MONDAY)


def test_a_mail_arrives_whole_with_text_html_and_its_headers() -> None:
    post = Post()
    with mail_server(post) as port:
        receipt = plain(port).send(envelope())
    mail = message_from_bytes(post.mails[0], policy=policy.default)
    assert receipt == Receipt("ponte.1@example.org", "250 2.0.0 taken", MONDAY)
    assert mail["Message-ID"] == "<ponte.1@example.org>"
    assert mail["Auto-Submitted"] == "auto-generated" and mail["Content-Language"] == "it"
    assert mail["Date"].datetime == MONDAY
    assert mail["Subject"] == "Il piano che abbiamo firmato: il calendario"
    parts = [part.get_content().replace("\r\n", "\n") for part in mail.iter_parts()]
    assert parts == [render(PlanSigned.sample(), "it").text, render(PlanSigned.sample(), "it").html]


def test_a_line_that_is_a_dot_does_not_end_the_mail() -> None:
    post = Post()
    rendered = render(PlanSigned.sample(), "it")
    text = "prima\n.\n..dopo\n"
    odd = channels.Envelope(SENDER, ADDRESS, type(rendered)("s", text, "<p>.</p>\n", "it"), "x@example.org", MONDAY)
    with mail_server(post) as port:
        plain(port).send(odd)
    body = message_from_bytes(post.mails[0], policy=policy.default).get_body(("plain",))
    assert body is not None and body.get_content().splitlines() == text.splitlines()


def test_login_over_starttls_with_a_certificate_of_our_own(certificate: Path) -> None:
    post = Post()
    with guarded_server(post, certificate) as port:
        SmtpChannel("127.0.0.1", port, user="ponte", password="right", cafile=certificate, timeout=5).send(envelope())
    assert len(post.mails) == 1


def test_tls_from_the_first_byte(certificate: Path) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    post = Post()
    with mail_server(post, ssl_context=context) as port:
        SmtpChannel("127.0.0.1", port, security="tls", cafile=certificate, timeout=5).send(envelope())
    assert len(post.mails) == 1


def test_a_certificate_that_nobody_vouches_for_is_refused(certificate: Path) -> None:
    post = Post()
    with (
        guarded_server(post, certificate) as port,
        pytest.raises(errors.ChannelDown, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        SmtpChannel("127.0.0.1", port, user="ponte", password="right", timeout=5).send(envelope())
    assert post.mails == []


def test_a_wrong_password_stops_the_channel_and_condemns_no_mail(certificate: Path) -> None:
    with guarded_server(Post(), certificate) as port, pytest.raises(errors.ChannelDown, match="535"):
        SmtpChannel("127.0.0.1", port, user="ponte", password="wrong", cafile=certificate, timeout=5).send(envelope())


def test_a_server_without_tls_is_not_trusted_when_tls_is_asked_for() -> None:
    with mail_server(Post()) as port, pytest.raises(errors.ChannelDown, match="STARTTLS"):
        SmtpChannel("127.0.0.1", port, timeout=5).send(envelope())


@pytest.mark.parametrize(
    ("post", "raised", "says"),
    [
        pytest.param(Post(recipient="450 4.2.1 mailbox busy"), errors.SendLater, "450", id="recipient not now"),
        pytest.param(Post(recipient="550 5.1.1 no such user"), errors.SendNever, "550", id="recipient never"),
        pytest.param(Post(data="452 4.3.1 full"), errors.SendLater, "452", id="data not now"),
        pytest.param(Post(data="554 5.7.1 refused"), errors.SendNever, "554", id="data never"),
        pytest.param(Post(hang_up=True), errors.SendUncertain, "after the data", id="connection lost after the data"),
    ],
)
def test_what_the_server_says_decides_between_later_never_and_uncertain(
    post: Post, raised: type[Exception], says: str
) -> None:
    with mail_server(post) as port, pytest.raises(errors.NotificationError, match=says) as failed:
        plain(port).send(envelope())
    assert type(failed.value) is raised


def test_an_address_that_the_server_repeats_is_not_kept() -> None:
    with (
        mail_server(Post(recipient="550 5.1.1 <{address}>: unknown")) as port,
        pytest.raises(errors.SendNever) as failed,
    ):
        plain(port).send(envelope())
    assert "rossi" not in str(failed.value)


def test_no_server_and_a_silent_server_mean_later() -> None:
    with pytest.raises(errors.ChannelDown, match="ConnectionRefused"):
        plain(free_port()).send(envelope())
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(errors.ChannelDown, match=r"TimeoutError|timed out"),
    ):
        plain(silent.getsockname()[1], timeout=0.2).send(envelope())


@pytest.mark.parametrize(
    "address", ["", "maria", "maria@", "@example.org", "a b@example.org", "a@example.org\nBcc: x", "è@x.it"]
)
def test_an_address_that_cannot_be_one_is_never_sent_to(address: str, tmp_path: Path) -> None:
    with pytest.raises(errors.SendNever, match="not a mail address"):
        FileChannel(tmp_path).send(envelope(to=address))
    assert list(tmp_path.iterdir()) == []


def test_the_file_channel_writes_whole_mails_that_sort_by_time(tmp_path: Path) -> None:
    folder = tmp_path / "mails"
    receipt = FileChannel(folder).send(envelope())
    assert [path.name for path in folder.iterdir()] == ["20261123T090000Z-ponte.1.eml"] == [receipt.reply]
    assert (folder / receipt.reply).stat().st_mode & 0o077 == 0
    mail = message_from_bytes((folder / receipt.reply).read_bytes(), policy=policy.default)
    assert mail["To"] == ADDRESS and mail.get_content_type() == "multipart/alternative"


def test_a_mail_folder_that_cannot_be_made_stops_the_channel(tmp_path: Path) -> None:
    (tmp_path / "mails").write_text("a file")
    with pytest.raises(errors.ChannelDown):
        FileChannel(tmp_path / "mails").send(envelope())
