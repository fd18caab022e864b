"""From the outbox to the mail server: once only, later, never, or for a human to decide."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from notifications import channels, errors
from notifications.channels import Receipt
from notifications.messages.digest.model import Digest
from notifications.messages.instalment_due.model import InstalmentDue
from notifications.messages.pip_ready_to_sign.model import PipReadyToSign
from notifications.rendering import render
from ponte_workflow.errors import NotFound
from ponte_workflow.i18n import use_language
from ponte_workflow.services.delivery import (
    BACK_OFF,
    Courtesy,
    DeliveryReport,
    Postponed,
    Resolution,
    Resolved,
    Withheld,
)
from ponte_workflow.store import outbox, sweeping
from ponte_workflow.store.engine import Store, Transaction
from ponte_workflow.store.outbox import ClaimedRow
from ponte_workflow.store.schema import messages
from tests.integration.mail_server import Post, free_port, mail_server, plain
from tests.integration.outbox_rows import (
    ADDRESS,
    MONDAY,
    Tray,
    create_case,
    household_row,
    queue,
    resolve,
    row_of,
    run,
    staff_row,
)


@pytest.fixture(autouse=True)
def english() -> None:
    use_language("en")


def test_what_left_is_recorded_with_encrypted_evidence(store: Store) -> None:
    post, progress = Post(), list[int]()
    numbers = queue(store, staff_row(1), staff_row(2))
    with mail_server(post) as port:
        report = run(store, plain(port), on_progress=progress.append)
    assert report == DeliveryReport(sent=2) and progress == [1, 2]
    assert run(store, Tray()).handled == 0
    row = row_of(store, numbers[0])
    assert (row.status, row.attempts, row.why) == ("sent", 1, None) and row.sent_at >= MONDAY
    with store.transaction() as tx:
        proof = tx.connection.execute(select(messages.evidence)).first()
        assert proof is not None and ADDRESS not in proof.address
        assert tx.cipher.decrypt(proof.address) == ADDRESS
        assert tx.cipher.decrypt(proof.body) == render(Digest.sample(), "it").text
        assert proof.reply == "250 2.0.0 taken" and proof.channel == "smtp"
    assert f"<{proof.message_id}>".encode() in post.mails[0]


def test_no_transaction_is_open_while_the_channel_works(store: Store) -> None:
    class Curious(Tray):
        def send(self, envelope: channels.Envelope) -> Receipt:
            with store.transaction() as tx:  # on SQLite this would wait for ever behind another writer
                tx.connection.execute(update(messages.outbox).values(kind="inform"))
            return super().send(envelope)

    queue(store, staff_row())
    assert run(store, Curious()).sent == 1


def test_later_backs_off_step_by_step_and_then_a_human_sees_it(store: Store) -> None:
    (number,) = queue(store, staff_row())
    tray, at = Tray(errors.SendLater("450 busy")), MONDAY
    for wait in BACK_OFF:
        assert run(store, tray, at=at).later == 1
        assert run(store, tray, at=at + wait - timedelta(seconds=5)).handled == 0
        at += wait + timedelta(seconds=5)
    assert run(store, tray, at=at).failed == 1
    row = row_of(store, number)
    assert (row.status, row.attempts, row.why) == ("failed", 6, "450 busy")
    assert run(store, tray, at=at + timedelta(days=9)).handled == 0


def test_never_is_final_until_a_human_says_otherwise(store: Store) -> None:
    (number,) = queue(store, staff_row())
    assert run(store, Tray(errors.SendNever("550 unknown"))).failed == 1
    assert run(store, Tray()).handled == 0
    with store.transaction() as tx:
        outbox.decide_held(tx, number, send=True, why="address mended")
    assert run(store, Tray()).sent == 1
    with store.transaction() as tx, pytest.raises(NotFound):
        outbox.decide_held(tx, number, send=True, why="again")


def test_without_a_server_one_mail_is_tried_and_the_others_stay_as_they_are(store: Store) -> None:
    numbers = queue(store, *(staff_row(number) for number in range(30)))
    report = run(store, plain(free_port()))
    assert report == DeliveryReport(later=1, waiting=29, down=("email",))
    rows = [row_of(store, number) for number in numbers]
    assert {row.status for row in rows} == {"queued"} and [row.attempts for row in rows] == [1] + [0] * 29
    assert run(store, Tray(), at=MONDAY + timedelta(hours=1)).sent == 30


def test_two_deliveries_at_once_send_every_row_once(store: Store) -> None:
    queue(store, *(staff_row(number) for number in range(60)))
    trays = [Tray(), Tray()]
    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(lambda tray: run(store, tray), trays))
    assert sum(report.sent for report in reports) == 60
    assert (
        len({envelope.message_id for tray in trays for envelope in tray.sent}) == 60 == trays[0].tries + trays[1].tries
    )


def test_a_message_does_not_overtake_an_earlier_one_of_its_case_that_is_in_other_hands(store: Store) -> None:
    house = create_case(store)
    first, second = queue(store, household_row(house, "a/first"), household_row(house, "b/second"))
    with store.transaction() as tx:
        assert [row.id for row in outbox.claim(tx, MONDAY, MONDAY.date(), 1)] == [first]
    with store.transaction() as tx:
        assert outbox.claim(tx, MONDAY, MONDAY.date(), 10) == []
    with store.transaction() as tx:
        tx.connection.execute(update(messages.outbox).where(messages.outbox.c.id == first).values(status="sent"))
    with store.transaction() as tx:
        assert [row.id for row in outbox.claim(tx, MONDAY, MONDAY.date(), 10)] == [second]


def test_a_limit_is_kept(store: Store) -> None:
    queue(store, *(staff_row(number) for number in range(30)))
    assert run(store, Tray(), limit=25).sent == 25
    assert run(store, Tray(), limit=25).sent == 5


@pytest.mark.parametrize(
    ("legal", "status"),
    [
        pytest.param(True, "held", id="a legal notice waits for a human"),
        pytest.param(False, "queued", id="others go again"),
    ],
)
@pytest.mark.parametrize(
    "failure", [errors.SendUncertain("lost"), RuntimeError("a fault of ours")], ids=["lost", "bug"]
)
def test_what_may_have_left_is_repeated_only_when_it_is_not_legal(
    store: Store, failure: Exception, legal: bool, status: str
) -> None:
    (number,) = queue(store, staff_row(legal=legal))
    tray = Tray(failure)
    run(store, tray)
    assert row_of(store, number).status == status
    run(store, tray, at=MONDAY + timedelta(days=2))
    assert tray.tries == (1 if legal else 2)


def test_a_repeat_carries_the_same_message_id_and_no_two_rows_share_one(store: Store) -> None:
    queue(store, staff_row(1), staff_row(2))
    seen: list[str] = []

    class Losing(Tray):
        def send(self, envelope: channels.Envelope) -> Receipt:
            seen.append(envelope.message_id)
            raise errors.SendUncertain("lost")

    run(store, Losing())
    run(store, Losing(), at=MONDAY + timedelta(hours=1))
    assert seen[:2] == seen[2:] and len(set(seen)) == 2 and seen[0].endswith("@example.org")


@pytest.mark.parametrize(
    ("resolution", "status"),
    [
        pytest.param(Withheld("deceased"), "withdrawn", id="withheld"),
        pytest.param(Withheld("no address", for_human=True), "held", id="withheld for a human"),
        pytest.param(Postponed(MONDAY + timedelta(days=1), "absent"), "queued", id="postponed"),
    ],
)
def test_the_last_look_before_sending_decides(store: Store, resolution: Resolution, status: str) -> None:
    (number,) = queue(store, staff_row())
    tray = Tray()
    run(store, tray, resolve=lambda tx, row, at: resolution)
    row = row_of(store, number)
    assert (row.status, row.attempts, tray.tries) == (status, 0, 0)
    assert row.why is not None


def test_a_row_withdrawn_after_it_was_claimed_is_skipped(store: Store) -> None:
    neighbours = create_case(store)
    queue(store, household_row(neighbours, rule="a"), household_row(neighbours, rule="b"))
    tray = Tray()

    class Deadly(Tray):
        def send(self, envelope: channels.Envelope) -> Receipt:
            with store.transaction() as tx:
                outbox.withdraw(tx, neighbours.case_id, "deceased")
            return tray.send(envelope)

    report = run(store, Deadly())
    assert (report.sent, report.skipped, tray.tries) == (1, 1, 1)
    with store.transaction() as tx:  # what left has left, whatever was decided meanwhile
        assert outbox.counts(tx) == {"sent": 1, "withdrawn": 1}


def test_one_row_that_cannot_be_made_does_not_stop_the_others_and_leaks_nothing(store: Store) -> None:
    numbers = queue(store, staff_row(1), staff_row(2))

    def choosy(tx: Transaction, row: ClaimedRow, at: datetime) -> Resolution:
        if row.recipient_id == 1:
            raise KeyError("Maria Rossi")
        return resolve(tx, row, at)

    report = run(store, Tray(), resolve=choosy)
    assert (report.sent, report.later) == (1, 1)
    assert row_of(store, numbers[0]).why == "cannot be made: KeyError"


def test_households_are_left_in_peace_at_night_and_staff_are_not(store: Store) -> None:
    neighbours = create_case(store)
    numbers = queue(store, household_row(neighbours), staff_row())
    night = datetime(2026, 11, 21, 20, tzinfo=UTC)  # Saturday, nine in the evening in Rome
    report = run(store, Tray(), at=night)
    assert (report.sent, report.postponed) == (1, 1)
    row = row_of(store, numbers[0])
    assert row.not_before == datetime(2026, 11, 23, 7, tzinfo=UTC) and row.attempts == 0
    assert run(store, Tray(), at=row.not_before).sent == 1


def test_holidays_are_quiet_too(store: Store) -> None:
    (number,) = queue(store, household_row(create_case(store)))
    courtesy = Courtesy(is_holiday=lambda day: day == MONDAY.date())
    assert run(store, Tray(), courtesy=courtesy).postponed == 1
    assert row_of(store, number).not_before == datetime(2026, 11, 24, 7, tzinfo=UTC)


def test_a_household_gets_two_messages_a_week_whoever_in_it_is_written_to(store: Store) -> None:
    neighbours = create_case(store)
    first, second = (f"person:{number}" for number in neighbours.person_ids)
    numbers = queue(
        store,
        *(
            household_row(neighbours, rule=rule, recipient=who)
            for rule, who in (("a", first), ("b", second), ("c", first))
        ),
    )
    report = run(store, Tray())
    assert (report.sent, report.postponed) == (2, 1)
    row = row_of(store, numbers[2])
    assert (row.why, row.not_before) == ("enough messages this week", datetime(2026, 11, 30, 7, tzinfo=UTC))
    assert run(store, Tray(), at=row.not_before).sent == 1


def test_the_cap_counts_waiting_rows_when_asked_and_rows_that_may_have_left(store: Store) -> None:
    neighbours = create_case(store)
    person = neighbours.person_ids[1]
    queue(store, household_row(neighbours, rule="a", legal=True, message="plan_signed"))
    run(store, Tray(errors.SendUncertain("lost")))
    queue(store, household_row(neighbours, rule="b"))
    since = MONDAY - timedelta(days=7)
    with store.transaction() as tx:
        assert len(outbox.household_send_moments(tx, person, since)) == 1
        assert len(outbox.household_send_moments(tx, person, since, queued=True)) == 2
        assert outbox.household_send_moments(tx, person, MONDAY + timedelta(days=1)) == []


def test_a_demand_before_a_contact_attempt_is_held_for_a_human(store: Store) -> None:
    (number,) = queue(store, household_row(create_case(store), message="instalment_due"))
    tray = Tray()
    run(store, tray, resolve=lambda tx, row, at: Resolved(InstalmentDue.sample(), "it", ADDRESS))
    assert row_of(store, number).status == "held" and tray.tries == 0


def test_a_friendly_message_needs_no_contact_attempt(store: Store) -> None:
    queue(store, household_row(create_case(store)))
    assert run(store, Tray(), resolve=lambda tx, row, at: Resolved(PipReadyToSign.sample(), "it", ADDRESS)).sent == 1


DYING = """
import sys, time
from datetime import datetime
from notifications.registry import MESSAGES
from ponte_workflow.services.delivery import Courtesy, Resolved, deliver
from ponte_workflow.store.crypto import FieldCipher, new_key
from ponte_workflow.store.engine import Store, open_engine

class Stuck:
    name = "stuck"
    def send(self, envelope):
        print("sending", flush=True)
        time.sleep(60)

deliver(
    Store(open_engine(sys.argv[1]), FieldCipher([new_key()])), {"email": Stuck()},
    lambda tx, row, at: Resolved(MESSAGES[row.message].sample(), "it", "a@example.org"),
    sender="ponte@example.org", courtesy=Courtesy(is_holiday=lambda day: False),
    at=datetime.fromisoformat(sys.argv[2]), limit=10,
)
"""


def test_rows_of_a_killed_process_are_sent_by_the_next_one_but_legal_ones_wait_for_a_human(store: Store) -> None:
    numbers = queue(store, staff_row(1), staff_row(2, legal=True), staff_row(3))
    url = store.engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", DYING, url, MONDAY.isoformat()]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline() == b"sending\n"
        os.kill(process.pid, signal.SIGKILL)
    assert {row_of(store, number).status for number in numbers} == {"claimed"}

    tray = Tray()
    assert run(store, tray, at=MONDAY + timedelta(minutes=5)).handled == 0  # it might still be alive
    report = run(store, tray, at=MONDAY + timedelta(minutes=16))
    assert report == DeliveryReport(sent=2, swept=2, held=1)
    assert [row_of(store, number).status for number in numbers] == ["sent", "held", "sent"]
    assert run(store, tray, at=MONDAY + timedelta(days=3)).handled == 0


def test_a_row_that_kills_its_process_again_and_again_is_given_up(store: Store) -> None:
    (number,) = queue(store, staff_row())
    at = MONDAY
    for _attempt in range(len(BACK_OFF) + 1):
        with store.transaction() as tx:
            sweeping.sweep(tx, at, stale_after=timedelta(0), give_up_after=len(BACK_OFF) + 1)
            assert len(outbox.claim(tx, at, at.date(), 1)) == 1
        at += timedelta(hours=1)
    assert run(store, Tray(), at=at).failed == 1
    assert row_of(store, number).status == "failed"
