"""A household with people to write to, and the gateways to write through."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select

from notifications.channels import Channel, FileChannel
from notifications.channels.http_sms import HttpGateway
from notifications.channels.inbox import InboxChannel
from notifications.channels.sms import SmsChannel
from ponte_workflow.services import contacts, reaching, replaying
from ponte_workflow.services.choosing import Ways
from ponte_workflow.services.contacts import Mended
from ponte_workflow.services.delivery import Courtesy, DeliveryReport, deliver
from ponte_workflow.services.wording import Writer
from ponte_workflow.store import cases, outbox
from ponte_workflow.store.engine import Store
from ponte_workflow.store.outbox import OutboxRow
from ponte_workflow.store.schema import messages
from ponte_workflow.store.schema.casework import task
from ponte_workflow.store.schema.messages import evidence
from ponte_workflow.store.schema.neighbourhood import contact
from tests.builders import MONDAY, Team, create_team

AT = datetime(2026, 11, 2, 9, tzinfo=UTC)  # MONDAY, ten o'clock in Rome
MOBILE = "+393401234567"
SECRET = "a secret of the gateway"


class House:
    """A case of two adults with a case worker, and messages to them."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store, self.folder = store, folder
        self.team: Team = create_team(store)
        with store.transaction() as tx:
            row = self.team.open_case(tx, MONDAY - timedelta(days=3), adults=2)
            self.code, self.case_id = row.code, row.id
            self.team.do(tx, "sara", self.code, "assign", MONDAY - timedelta(days=3), case_worker="wanda")
            self.people = sorted(cases.persons(tx, row.household_id))
        self.numbers = 0

    def give(self, person: int = 0, **values: str) -> None:
        """Contacts as the landlord's list has them."""
        with self.store.transaction() as tx:
            for channel, value in values.items():
                tx.connection.execute(
                    insert(contact).values(
                        person_id=self.people[person],
                        channel=channel,
                        value=tx.cipher.encrypt(value),
                        value_index=tx.cipher.blind_index(value),
                        preferred=False,
                    )
                )

    def mend(self, kind: str, person: int = 0, **given: Any) -> bool:
        with self.store.transaction() as tx:
            who = self.team.occasion(tx, "wanda")
            return contacts.mend(tx, who, self.code, self.people[person], kind, Mended(**given))

    def queue(self, person: int = 0, message: str = "first_meeting_invitation", **more: Any) -> int:
        self.numbers += 1
        with self.store.transaction() as tx:
            number = outbox.queue(
                tx,
                OutboxRow(
                    rule=f"test/{self.numbers}",
                    due_on=MONDAY,
                    recipient=f"person:{self.people[person]}",
                    message=message,
                    kind="inform",
                    delivery="direct",
                    case_id=self.case_id,
                    **more,
                ),
            )
        assert number is not None
        return number

    def deliver(self, at: datetime = AT, cap: int = 99, **channels: Channel) -> DeliveryReport:
        found: dict[str, Channel] = {"email": FileChannel(self.folder), "inbox": InboxChannel(), **channels}
        writer = Writer(self.team.pathways, "Sportello", "030 0", 7, Ways(frozenset(found) - {"inbox"}))
        courtesy = Courtesy(lambda day: False, cap=cap)
        return deliver(
            self.store, found, writer, sender="ponte@example.org", courtesy=courtesy, at=at, limit=50,
            prices={"sms": 7},
        )  # fmt: skip

    def row(self, number: int) -> Any:
        with self.store.transaction() as tx:
            return tx.connection.execute(select(messages.outbox).where(messages.outbox.c.id == number)).one()

    def proof(self, number: int) -> Any:
        with self.store.transaction() as tx:
            return tx.connection.execute(select(evidence).where(evidence.c.outbox_id == number)).one()

    def follow(self, at: datetime = AT) -> int:
        return reaching.follow(self.store, self.team.pathways, at=at)

    def tasks(self) -> list[tuple[str, str, bool]]:
        with self.store.transaction() as tx:
            rows = tx.connection.execute(select(task).where(task.c.case_id == self.case_id).order_by(task.c.id))
            return [(r.kind, r.role, r.closed_on is None) for r in rows if r.kind.startswith("contact")]

    def contact(self, kind: str, person: int = 0) -> Any:
        with self.store.transaction() as tx:
            query = select(contact).where(contact.c.person_id == self.people[person], contact.c.channel == kind)
            return tx.connection.execute(query).one()

    def sound(self) -> None:
        """The history replays to where the case stands."""
        with self.store.transaction() as tx:
            assert list(replaying.differences(tx, self.team.pathways, cases.by_code(tx, self.code))) == []


def sms(url: str) -> SmsChannel:
    return SmsChannel(HttpGateway(url, None, 5), "Ponte")
