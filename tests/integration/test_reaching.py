"""From a message by the chosen way to what became of it: contacts marked, case workers asked, the next way taken."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from notifications.channels.http_sms import HttpGateway
from notifications.channels.mailbox import FolderMailbox
from notifications.channels.sms import SmsChannel
from notifications.errors import SendNever
from ponte_workflow import clock
from ponte_workflow.services import bouncing, sms_fates, undoing
from ponte_workflow.services.delivery import DeliveryReport
from ponte_workflow.services.withheld import NO_ADDRESS
from ponte_workflow.store import outbox, tracking
from ponte_workflow.store.engine import Store
from ponte_workflow.store.schema import messages
from ponte_workflow.store.schema.casework import history
from tests.builders import MONDAY
from tests.integration.mail_server import free_port
from tests.integration.outbox_rows import Tray
from tests.integration.reached_house import AT, MOBILE, SECRET, House, sms
from tests.integration.sms_server import SmsServer, sms_server
from tests.unit.test_bounces import dsn


@pytest.fixture
def house(store: Store, tmp_path: Path) -> House:
    return House(store, tmp_path / "mails")


def test_each_message_goes_by_the_way_that_fits_it_and_the_evidence_says_which(house: House) -> None:
    house.give(email="a@example.org", phone="340 1234567")
    house.mend("phone", preferred=True, value="340 1234567")
    invitation = house.queue()
    with sms_server() as server:
        assert house.deliver(sms=sms(server.url)).sent == 1
    proof = house.proof(invitation)
    assert (proof.way, proof.channel, proof.pieces, proof.cents) == ("sms", "sms", 1, 7)
    assert proof.month == 2026 * 12 + 10 and len(server.taken) == 1
    with house.store.transaction() as tx:
        assert tx.cipher.decrypt(proof.address) == MOBILE and tx.cipher.decrypt(proof.body) == server.taken[0]["text"]


def test_a_channel_that_is_down_delays_its_own_messages_and_no_others(house: House) -> None:
    house.give(email="a@example.org")
    house.give(1, phone=MOBILE)
    by_sms = [house.queue(1) for _n in range(3)]
    by_mail = [house.queue(0) for _n in range(3)]
    report = house.deliver(sms=sms(f"http://127.0.0.1:{free_port()}"))
    assert report == DeliveryReport(sent=3, later=1, waiting=2, down=("sms",))
    assert [house.row(n).status for n in by_mail] == ["sent"] * 3
    assert [(house.row(n).status, house.row(n).attempts) for n in by_sms] == [
        ("queued", 1),
        ("queued", 0),
        ("queued", 0),
    ]
    with sms_server() as server:
        assert house.deliver(AT + timedelta(hours=1), sms=sms(server.url)).sent == 3


def test_many_messages_for_a_dead_channel_do_not_keep_the_others_from_their_turn(house: House) -> None:
    house.give(email="a@example.org")
    house.give(1, phone=MOBILE)
    for _n in range(70):  # more than one run may send
        house.queue(1)
    last = house.queue(0)
    report = house.deliver(sms=sms(f"http://127.0.0.1:{free_port()}"))
    assert (report.sent, report.waiting) == (1, 69) and house.row(last).status == "sent"


def test_a_refused_message_takes_the_next_way_and_marks_the_contact(house: House) -> None:
    house.give(email="a@example.org", phone=MOBILE)
    number = house.queue()
    refusing = Tray(SendNever("550 5.1.1 unknown"))
    with sms_server() as server:
        assert house.deliver(email=refusing, sms=sms(server.url)).later == 1
        assert house.deliver(AT + timedelta(minutes=2), email=refusing, sms=sms(server.url)).sent == 1
    assert house.proof(number).way == "sms" and refusing.tries == 1
    assert house.follow() == 1 and house.follow() == 0
    assert house.contact("email").wrong_why == "refused"
    assert house.tasks() == [(f"contact_wrong/{house.people[0]}", "case_worker", True)]
    house.sound()


def test_an_sms_that_may_have_left_is_tried_once_more_and_then_a_human_decides(house: House) -> None:
    house.give(phone=MOBILE)
    number = house.queue()
    with sms_server(SmsServer(body=b"<html>thank you</html>")) as server:
        assert house.deliver(sms=sms(server.url)).later == 1
        assert house.deliver(AT + timedelta(hours=1), sms=sms(server.url)).held == 1
        assert house.deliver(AT + timedelta(hours=9), sms=sms(server.url)).handled == 0
    assert len(server.taken) == 2 and len({one["reference"] for one in server.taken}) == 1
    assert house.row(number).why == "the SMS gateway's answer cannot be read"


def test_without_another_way_it_fails_and_a_human_sees_it(house: House) -> None:
    house.give(email="a@example.org")
    number = house.queue()
    assert house.deliver(email=Tray(SendNever("550 unknown"))).failed == 1
    assert house.row(number).status == "failed"
    with house.store.transaction() as tx:
        outbox.decide_held(tx, number, send=True, why="sara: again")
    assert house.deliver(AT + timedelta(hours=1)).held == 1, "not again where this very message came back"
    assert house.row(number).why == "no way leads to this person: email: this message came back from there"


def test_a_bounce_marks_the_contact_asks_once_and_the_next_message_takes_another_way(
    house: House, tmp_path: Path
) -> None:
    house.give(email="a@example.org", phone=MOBILE)
    first, second = house.queue(), house.queue()
    assert house.deliver().sent == 2
    inbox = tmp_path / "bounces"
    inbox.mkdir()
    for number in (first, second):
        name = house.proof(number).message_id
        (inbox / f"{number}.eml").write_bytes(dsn(original=f"Message-ID: <{name}>\n\nx"))
    (inbox / "broken.eml").write_bytes(dsn(status_part="nonsense"))
    (inbox / "foreign.eml").write_bytes(dsn(original="Message-ID: <x@y.example>\n\nx"))
    report = bouncing.read(house.store, FolderMailbox(inbox), at=AT + timedelta(hours=1))
    assert dict(report.counts) == {"failed": 2, "malformed": 1, "unmatched": 1}
    assert [key for key, _why in report.malformed] == ["broken.eml"] and report.down is None
    assert bouncing.read(house.store, FolderMailbox(inbox), at=AT).counts.total() == 0, "handled mails are moved away"
    assert house.follow(AT + timedelta(hours=1)) == 1, "two bounces, one wrong contact"
    assert house.tasks() == [(f"contact_wrong/{house.people[0]}", "case_worker", True)]
    third = house.queue()
    with sms_server() as server:
        assert house.deliver(AT + timedelta(hours=2), sms=sms(server.url)).sent == 1
    assert house.proof(third).way == "sms"
    came = dsn(original=f"Message-ID: <{house.proof(first).message_id}>\n\nx")
    with house.store.transaction() as tx:
        rows = tx.connection.execute(select(messages.returned_mail)).all()
        assert len(rows) == 4 and all("example.org" not in row.raw for row in rows), "kept, encrypted"
        kept = next(row for row in rows if row.outbox_id == first)
        assert tx.cipher.decrypt(kept.raw).encode("latin-1") == came
    house.sound()


def test_a_bounce_with_a_made_up_number_is_nobodys(house: House, tmp_path: Path) -> None:
    house.give(email="a@example.org")
    number = house.queue()
    house.deliver()
    forged = f"ponte.{number:09d}.000000000000@example.org"
    with house.store.transaction() as tx:
        assert bouncing.take(tx, dsn(original=f"Message-ID: <{forged}>\n\nx"), AT)[0] == "unmatched"
        assert bouncing.take(tx, dsn(original=f"Message-ID: <{forged}>\n\nx"), AT)[0] == "known"
    assert house.follow() == 0


def test_a_full_mailbox_is_told_and_says_nothing_of_the_address(house: House) -> None:
    house.give(email="a@example.org")
    number = house.queue()
    house.deliver()
    name = house.proof(number).message_id
    with house.store.transaction() as tx:
        bouncing.take(tx, dsn(status="5.2.2", original=f"Message-ID: <{name}>\n\nx"), AT)
        assert tracking.of_messages(tx, [number])[number][0].detail == "5.2.2"
    assert house.follow() == 0 and house.contact("email").wrong_on is None and house.tasks() == []


def test_what_came_back_from_the_old_address_says_nothing_of_the_mended_one(house: House) -> None:
    house.give(email="old@example.org")
    number = house.queue()
    house.deliver()
    with house.store.transaction() as tx:
        tracking.record(tx, number, "bounced", AT, reference="r", detail="5.1.1")
    house.mend("email", value="new@example.org")  # at noon, after the bounce
    assert house.follow(AT + timedelta(days=1)) == 0 and house.contact("email").wrong_on is None


def test_mending_ends_the_task_and_a_returned_letter_is_such_a_contact_as_well(house: House) -> None:
    house.give(email="a@example.org")
    number = house.queue()
    house.deliver()
    with house.store.transaction() as tx:
        tracking.record(tx, number, "returned", AT, reference="r1", channel="letter")
    assert house.follow(AT + timedelta(hours=5)) == 1
    with house.store.transaction() as tx:
        tracking.record(tx, number, "bounced", AT, reference="r2", detail="5.1.1")
    assert house.follow(AT + timedelta(days=1)) == 1
    assert house.tasks() == [(f"contact_wrong/{house.people[0]}", "case_worker", True)], "asked once"
    assert house.mend("email", value="b@example.org")
    assert house.tasks()[0][2], "letters still come back"
    assert house.mend("letter", works=True)
    assert house.tasks() == [(f"contact_wrong/{house.people[0]}", "case_worker", False)]
    assert not house.mend("letter", works=True), "nothing new writes nothing"
    house.sound()


def test_an_undo_of_an_earlier_step_leaves_a_mended_contact_mended(house: House) -> None:
    house.give(email="a@example.org")
    number = house.queue()
    house.deliver()
    with house.store.transaction() as tx:
        tracking.record(tx, number, "bounced", AT, reference="r", detail="5.1.1")
    house.follow(AT + timedelta(hours=1))
    with house.store.transaction() as tx:
        values = {"cause": "dismissal", "objective": True, "transitory": True}
        house.team.do(tx, "wanda", house.code, "confirm", MONDAY, **values)
    house.mend("email", value="b@example.org")
    with house.store.transaction() as tx:
        tx.connection.execute(update(messages.outbox).values(history_seq=None))
        undoing.undo(tx, house.team.occasion(tx, "wanda"), house.code)
    assert house.tasks() == [(f"contact_wrong/{house.people[0]}", "case_worker", False)]
    assert house.contact("email").wrong_on is None
    house.sound()


def test_what_became_of_an_sms_is_asked_until_it_ends(house: House) -> None:
    house.give(phone=MOBILE)
    house.give(1, phone="+393409999999")
    good, bad = house.queue(), house.queue(1)
    server = SmsServer(fates={"gw-1": "sent"})
    with sms_server(server):
        gateway = HttpGateway(server.url, None, 5)
        assert house.deliver(sms=SmsChannel(gateway, "Ponte")).sent == 2
        assert sms_fates.ask(house.store, gateway, at=AT) == (0, True)
        server.fates = {"gw-1": "delivered", "gw-2": "undelivered"}
        assert sms_fates.ask(house.store, gateway, at=AT) == (2, True)
        assert sms_fates.ask(house.store, gateway, at=AT) == (0, True)
        server.asked.clear()
        sms_fates.ask(house.store, gateway, at=AT)
        assert server.asked == [], "what has ended is asked no more"
    with house.store.transaction() as tx:
        told = tracking.of_messages(tx, [good, bad])
    assert [one.kind for one in told[good]] == ["accepted", "delivered"]
    assert [one.kind for one in told[bad]] == ["accepted", "bounced"]
    assert house.follow() == 1 and house.contact("phone", 1).wrong_on and house.contact("phone").wrong_on is None


def test_a_gateway_that_is_gone_delays_the_answer_and_after_days_nothing_is_known(house: House) -> None:
    house.give(phone=MOBILE)
    number = house.queue()
    with sms_server() as server:
        house.deliver(sms=sms(server.url))
    gone = HttpGateway(server.url, None, 1)
    assert sms_fates.ask(house.store, gone, at=AT) == (0, False)
    assert sms_fates.ask(house.store, gone, at=AT + timedelta(days=4)) == (1, True)
    with house.store.transaction() as tx:
        assert [one.kind for one in tracking.of_messages(tx, [number])[number]] == ["accepted", "unknown"]


def test_the_cap_counts_messages_over_channels_and_members_together(house: House) -> None:
    house.give(email="a@example.org")
    house.give(1, phone=MOBILE)
    numbers = [house.queue(0), house.queue(1), house.queue(0), house.queue(1)]
    with sms_server() as server:
        report = house.deliver(cap=2, sms=sms(server.url))
    assert (report.sent, report.postponed) == (2, 2) and len(server.taken) == 1
    assert [house.row(n).status for n in numbers] == ["sent", "sent", "queued", "queued"]


def test_a_demand_waits_for_a_human_contact_by_whatever_channel(house: House) -> None:
    house.give(phone=MOBILE)
    number = house.queue(message="instalment_due", data={"due_on": MONDAY, "cents": 100})
    with sms_server() as server:
        assert house.deliver(sms=sms(server.url)).held == 1
    assert server.taken == [] and house.row(number).why == "a demand before any human contact attempt"


def test_nobody_writes_to_a_minor_nor_against_a_no(house: House) -> None:
    house.give(email="a@example.org")
    house.mend("email", value="a@example.org", consent="no")
    number = house.queue()
    assert house.deliver().held == 1
    assert house.row(number).why == "no way leads to this person: email: the person does not want it"
    from ponte_workflow.store.schema.neighbourhood import person

    with house.store.transaction() as tx:
        tx.connection.execute(
            update(person).where(person.c.id == house.people[1]).values(birth_date=MONDAY - timedelta(days=3000))
        )
    house.give(1, email="child@example.org")
    child = house.queue(1)
    assert house.deliver(AT + timedelta(hours=1)).withheld == 1
    assert house.row(child).why == "minors are never written to"


def test_the_history_says_what_was_mended_without_the_address(house: House) -> None:
    house.mend("email", value="new@example.org", preferred=True, consent="yes")
    with house.store.transaction() as tx:
        entry = tx.connection.execute(select(history).where(history.c.kind == "contact")).one()
        assert json.loads(entry.data)["said"] == ["value", "yes", "preferred"] and "new@example" not in entry.data
    house.sound()


def signed(body: bytes, at: datetime, secret: str = SECRET) -> str:
    seconds = int(at.timestamp())
    return f"t={seconds},v1={hmac.new(secret.encode(), f'{seconds}.'.encode() + body, hashlib.sha256).hexdigest()}"


@pytest.fixture
def calls(house: House) -> Iterator[tuple[House, int, Any]]:
    """A house with an SMS under way, and a browser for the gateway's calls."""
    from starlette.testclient import TestClient

    from ponte_workflow.bootstrap import Ponte
    from ponte_workflow.config import Settings
    from ponte_workflow.server import build

    house.give(phone=MOBILE)
    number = house.queue()
    with sms_server() as server:
        house.deliver(sms=sms(server.url))
    settings = Settings.model_validate({"home": house.folder, "language": "en", "sms_secret": SECRET})
    with TestClient(build(Ponte(settings, house.store, house.team.pathways)), base_url="https://ponte.test") as client:
        yield house, number, client


def test_a_gateway_tells_by_a_signed_call(calls: tuple[House, int, Any]) -> None:
    house, number, client = calls
    body = b'{"id": "gw-1", "status": "delivered"}'
    for _time in range(2):
        answer = client.post("/api/v1/sms/status", content=body, headers={"Ponte-Signature": signed(body, clock.now())})
        assert answer.status_code == 204, answer.text
    with house.store.transaction() as tx:
        assert [one.kind for one in tracking.of_messages(tx, [number])[number]] == ["accepted", "delivered"]


@pytest.mark.parametrize(
    ("body", "header", "status"),
    [
        pytest.param(b"{}", "", 401, id="no signature"),
        pytest.param(b"{}", "t=,v1=", 401, id="an empty one"),
        pytest.param(b"{}", "t=99999999999999,v1=00", 401, id="nonsense"),
        pytest.param(b"{}", "wrong", 401, id="another secret"),
        pytest.param(b"{}", "old", 401, id="of ten minutes ago"),
        pytest.param(b"{}", "other body", 401, id="of another body"),
        pytest.param(b"{}", "right", 422, id="no id"),
        pytest.param(b"nonsense", "right", 422, id="no JSON"),
        pytest.param(b"[" * 9000, "right", 422, id="nested too deep"),
        pytest.param(b'{"id": "gw-1"}', "right", 422, id="no status"),
        pytest.param(b'{"id": "gw-9", "status": "delivered"}', "right", 404, id="no SMS of ours"),
        pytest.param(b"x" * 20_000, "right", 413, id="too large"),
    ],
)
def test_other_calls_change_nothing(calls: tuple[House, int, Any], body: bytes, header: str, status: int) -> None:
    house, number, client = calls
    now = clock.now()
    headers = {
        "right": signed(body, now),
        "wrong": signed(body, now, "another secret of someone"),
        "old": signed(body, now - timedelta(minutes=10)),
        "other body": signed(body + b" ", now),
    }
    answer = client.post("/api/v1/sms/status", content=body, headers={"Ponte-Signature": headers.get(header, header)})
    assert answer.status_code == status and answer.headers["content-type"] == "application/problem+json"
    with house.store.transaction() as tx:
        assert len(tracking.of_messages(tx, [number])[number]) == 1


def test_what_waited_for_a_way_to_a_person_is_offered_again_when_the_contact_is_mended(house: House) -> None:
    number = house.queue()
    house.deliver()
    assert house.row(number).status == "held"
    house.mend("phone", value="030 2978911")
    house.deliver()
    assert house.row(number).status == "held", "a landline takes no letter of ours: it waits on"
    house.mend("email", value="new@example.org")
    assert house.row(number).status == "queued"
    house.deliver()
    assert house.row(number).status == "sent"


def test_what_waits_for_another_reason_or_for_too_long_stays_for_a_human(house: House) -> None:
    numbers = [house.queue(), house.queue()]
    with house.store.transaction() as tx:
        rows = messages.outbox
        tx.connection.execute(
            update(rows).where(rows.c.id == numbers[0]).values(status="held", why="the case is paused")
        )
        late = MONDAY - timedelta(days=31)
        tx.connection.execute(
            update(rows).where(rows.c.id == numbers[1]).values(status="held", why=NO_ADDRESS, due_on=late)
        )
    house.mend("email", value="new@example.org")
    assert [house.row(number).status for number in numbers] == ["held", "held"]
