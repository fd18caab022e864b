"""SMS through a real HTTP server: taken, refused, later, down, slow, nonsense; and what became of them."""

import json
from pathlib import Path

import pytest

from notifications.channels import Channel, Envelope
from notifications.channels.http_sms import HttpGateway
from notifications.channels.sms import FileGateway, SmsChannel
from notifications.errors import ChannelDown, SendLater, SendNever, SendUncertain
from notifications.rendering import Rendered
from tests.integration.mail_server import free_port
from tests.integration.outbox_rows import MONDAY
from tests.integration.sms_server import SmsServer, sms_server

SHORT = "Venerdì 27 alle 9:30 ci vediamo in via Cimabue 16. Sportello 030 0"


def envelope(to: str = "340 1234567", short: str = SHORT) -> Envelope:
    words = Rendered("Un appuntamento", "lungo", "<p>lungo</p>", "it", short)
    return Envelope("ponte@example.org", to, words, "ponte.000000041.0123456789ab@example.org", MONDAY)


def channel(url: str, timeout: float = 5) -> Channel:
    return SmsChannel(HttpGateway(url, "secret token", timeout), "Ponte")


def test_an_sms_is_the_short_text_to_the_number_with_our_reference() -> None:
    with sms_server() as server:
        receipt = channel(server.url).send(envelope())
    assert server.taken == [
        {
            "to": "+393401234567",
            "text": SHORT,
            "from": "Ponte",
            "reference": "ponte.000000041.0123456789ab@example.org",
        }
    ]
    assert server.seen[0]["authorization"] == "Bearer secret token"
    assert server.seen[0]["idempotency-key"] == "ponte.000000041.0123456789ab@example.org"
    assert (receipt.reference, receipt.pieces, receipt.reply) == ("gw-1", 1, "GSM-7, 1")
    assert "secret" not in repr(channel(server.url)), "the token is in no log"


def test_a_long_text_in_another_script_costs_what_it_takes() -> None:
    with sms_server() as server:
        assert channel(server.url).send(envelope(short="م" * 100)).pieces == 2


@pytest.mark.parametrize(
    ("to", "short"),
    [
        pytest.param("030 2978911", SHORT, id="a landline"),
        pytest.param("nobody", SHORT, id="no number"),
        pytest.param("340 1234567", "x" * 1600, id="eleven SMS"),
    ],
)
def test_what_can_never_be_an_sms_does_not_reach_the_gateway(to: str, short: str) -> None:
    with sms_server() as server, pytest.raises(SendNever):
        channel(server.url).send(envelope(to, short))
    assert server.seen == []


@pytest.mark.parametrize(
    ("status", "error"),
    [
        *((status, SendNever) for status in (400, 409, 410, 413, 422, 451)),
        *((status, SendLater) for status in (408, 425, 429, 500)),
        *((status, ChannelDown) for status in (301, 302, 401, 402, 403, 404, 405, 502, 503, 504)),
    ],
)
def test_each_answer_says_whether_to_try_again(status: int, error: type[Exception]) -> None:
    server = SmsServer(status=status, headers={"Location": "http://127.0.0.1:1/"})
    with sms_server(server), pytest.raises(error) as caught:
        channel(server.url).send(envelope())
    assert type(caught.value) is error and str(status) in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>OK</html>",
        b"{}",
        b"[]",
        b"null",
        b'{"id": null}',
        b'{"id": ""}',
        b'{"id": true}',
        b'{"id": {"a": 1}}',
        b'{"id": "a b\\u0000"}',
        b'{"id": "' + b"x" * 200 + b'"}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"id": "a"}' + b" " * 300_000,
    ],
    ids=range(14),
)
def test_a_yes_that_cannot_be_read_may_have_left(body: bytes) -> None:
    with sms_server(SmsServer(body=body)) as server, pytest.raises(SendUncertain):
        channel(server.url).send(envelope())


def test_a_number_is_an_id_as_well() -> None:
    with sms_server(SmsServer(body=b'{"id": 4711}')) as server:
        assert channel(server.url).send(envelope()).reference == "4711"


def test_no_gateway_and_a_slow_one_are_down() -> None:
    with pytest.raises(ChannelDown):
        channel(f"http://127.0.0.1:{free_port()}").send(envelope())
    with sms_server(SmsServer(pause=1.0)) as server, pytest.raises(ChannelDown, match="ReadTimeout"):
        channel(server.url, timeout=0.2).send(envelope())


def test_what_became_of_them() -> None:
    fates = {"a": "delivered", "b": "UNDELIVERED", "c": "rejected", "d": "expired", "e": "sent", "f": "gone fishing"}
    with sms_server(SmsServer(fates=fates)) as server:
        found = HttpGateway(server.url).fates([*fates, "never heard of"])
    assert found == {
        "a": "delivered",
        "b": "bounced",
        "c": "refused",
        "d": "expired",
        "e": "under_way",
        "f": "unknown",
    }


def test_many_are_asked_a_hundred_at_a_time() -> None:
    ids = [f"gw-{n}" for n in range(250)]
    with sms_server(SmsServer(fates=dict.fromkeys(ids, "delivered"))) as server:
        assert len(HttpGateway(server.url).fates(ids)) == 250
    assert server.asked == ids


@pytest.mark.parametrize("body", [b"", b"[]", b'{"messages": 3}', b'{"messages": {"id": "a"}}'])
def test_an_unreadable_answer_about_them_is_asked_again(body: bytes) -> None:
    with sms_server(SmsServer(body=body)) as server, pytest.raises(SendLater):
        HttpGateway(server.url).fates(["a"])


@pytest.mark.parametrize(
    "body", [b'{"messages": [3, null, {}, {"id": 4}]}', b'{"messages": [{"id": "z", "status": "delivered"}]}']
)
def test_lines_about_nothing_of_ours_are_passed_over(body: bytes) -> None:
    with sms_server(SmsServer(body=body)) as server:
        assert HttpGateway(server.url).fates(["a"]) == {}


def test_a_line_without_a_readable_status_is_no_end() -> None:
    with sms_server(SmsServer(body=b'{"messages": [{"id": "a", "status": 7}]}')) as server:
        assert HttpGateway(server.url).fates(["a"]) == {"a": "unknown"}


def test_files_take_the_place_of_a_gateway(tmp_path: Path) -> None:
    gateway = FileGateway(tmp_path / "sms")
    for _time in range(2):
        receipt = SmsChannel(gateway, "Ponte").send(envelope())
    (path,) = (tmp_path / "sms").glob("*.json")
    assert json.loads(path.read_text())["text"] == SHORT and path.stat().st_mode & 0o077 == 0
    assert gateway.fates([receipt.reference, "other"]) == {receipt.reference: "delivered"}
    (tmp_path / "file").write_text("")
    with pytest.raises(ChannelDown):
        SmsChannel(FileGateway(tmp_path / "file"), "Ponte").send(envelope())
