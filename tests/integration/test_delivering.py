"""One round of the outbox as the flow and the console run it: all channels, bounces, contacts and alerts together."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from flows.delivering import deliver_all
from ponte_workflow import clock
from ponte_workflow.store import cases, outbox
from ponte_workflow.store.engine import Store
from ponte_workflow.store.outbox import OutboxRow
from ponte_workflow.store.schema.casework import task
from ponte_workflow.store.schema.messages import evidence
from ponte_workflow.store.schema.neighbourhood import contact
from tests.integration.mail_server import free_port
from tests.integration.receiver import Receiver, receiving
from tests.integration.sms_server import SmsServer, sms_server
from tests.site import make_site
from tests.unit.test_bounces import dsn

NOON = clock.now().replace(hour=11, minute=0, second=0, microsecond=0)
NOON -= timedelta(
    days=(NOON.weekday() - 1) % 7
)  # a Tuesday; on a holiday the mails wait, which is another test's matter


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")
def test_a_round_sends_asks_reads_follows_and_tells(store: Store, tmp_path: Path) -> None:
    back = tmp_path / "back"
    back.mkdir()
    with sms_server(SmsServer(fates={"gw-1": "delivered"})) as sms, receiving(Receiver()) as ear:
        site = make_site(
            store,
            tmp_path / "home",
            sms_url=sms.url,
            bounces=str(back),
            alert_urls="json://" + ear.url.removeprefix("http://"),
        )
        ponte = site.ponte
        with store.transaction() as tx:
            row = site.team.open_case(tx, NOON.date() - timedelta(days=9), adults=2, email="a@example.org")
            site.team.do(tx, "sara", row.code, "assign", NOON.date() - timedelta(days=8), case_worker="wanda")
            first, second = sorted(cases.persons(tx, row.household_id))
            number = {"value": tx.cipher.encrypt("340 1234567"), "value_index": "x", "preferred": True}
            tx.connection.execute(insert(contact).values(person_id=second, channel="phone", **number))
            ids = [
                outbox.queue(
                    tx,
                    OutboxRow(
                        rule=f"test/{person}", due_on=NOON.date(), recipient=f"person:{person}", case_id=row.id,
                        message="first_meeting_invitation", kind="inform", delivery="direct",
                    ),
                )
                for person in (first, second)
            ]  # fmt: skip
        counts, down = deliver_all(ponte, NOON, 100)
        if counts["postponed"]:
            pytest.skip("today's week has a holiday on Tuesday")
        assert (counts["sent"], counts["sms_told"], down) == (2, 1, []) and len(sms.taken) == 1
        with store.transaction() as tx:
            name = tx.connection.execute(
                select(evidence.c.message_id).where(evidence.c.outbox_id == ids[0])
            ).scalar_one()
        (back / "x.eml").write_bytes(dsn(original=f"Message-ID: <{name}>\n\nx"))
        counts, down = deliver_all(ponte, NOON + timedelta(minutes=2), 100)
        assert (counts["returned_failed"], counts["contacts_wrong"], down) == (1, 1, [])
        with store.transaction() as tx:
            kinds = tx.connection.execute(select(task.c.kind).where(task.c.closed_on.is_(None))).scalars().all()
            assert f"contact_wrong/{first}" in kinds
        assert all(isinstance(count, int) for count in counts.values()), "Prefect sees counts alone"
        site.close()
    assert ear.received == [], "nothing to tell"


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")
def test_everything_down_is_told_once_and_the_round_ends_well(store: Store, tmp_path: Path) -> None:
    with receiving(Receiver()) as ear:
        site = make_site(
            store,
            tmp_path / "home",
            smtp_host="127.0.0.1",
            smtp_port=free_port(),
            sms_url=f"http://127.0.0.1:{free_port()}",
            bounces=f"imap://u@127.0.0.1:{free_port()}/INBOX",
            alert_urls="json://" + ear.url.removeprefix("http://"),
        )
        with store.transaction() as tx:
            outbox.queue(
                tx,
                OutboxRow(
                    rule="stale", due_on=NOON.date(), recipient="staff:1", message="stale_ledger",
                    data={"on": NOON.date()}, kind="inform", delivery="direct",
                ),
            )  # fmt: skip
        counts, down = deliver_all(site.ponte, NOON, 100)
        assert down == ["email", "bounces"] and counts["later"] == 1
        deliver_all(site.ponte, NOON + timedelta(hours=1), 100)
        site.close()
    told = [json.loads(body)["message"] for _headers, body in ear.received]
    assert sum("channel does not work" in one for one in told) == 2
    assert all("@" not in one for one in told)


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")
def test_a_dead_channel_is_told_by_whichever_shard_had_something_to_send(store: Store, tmp_path: Path) -> None:
    with receiving(Receiver()) as ear:
        alerts = "json://" + ear.url.removeprefix("http://")
        nobody = {"smtp_host": "127.0.0.1", "smtp_port": free_port()}
        site = make_site(store, tmp_path / "home", alert_urls=alerts, **nobody)
        with store.transaction() as tx:
            row = OutboxRow(
                rule="stale", due_on=NOON.date(), recipient="staff:1", message="stale_ledger",
                data={"on": NOON.date()}, kind="inform", delivery="direct",
            )  # fmt: skip
            number = outbox.queue(tx, row)
        assert number is not None
        shard = (number % 4, 4)
        assert shard[0], "the first shard tells in any case"
        others = [(which, 4) for which in range(4) if which != shard[0]]
        downs = [deliver_all(site.ponte, NOON, 100, one)[1] for one in (*others, shard)]
        site.close()
    assert downs == [[], [], [], ["email"]]
    told = [json.loads(body)["message"] for _headers, body in ear.received]
    assert sum("channel does not work" in one for one in told) == 1
