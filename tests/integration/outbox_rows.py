"""Builders of outbox rows and of the case they belong to, and the one fake channel."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Table, select

from notifications import channels
from notifications.channels import Receipt
from notifications.registry import MESSAGES
from ponte_workflow.services.delivery import (
    Courtesy,
    DeliveryReport,
    Progress,
    Resolution,
    Resolved,
    Resolver,
    deliver,
)
from ponte_workflow.store import outbox
from ponte_workflow.store.engine import Store, Transaction
from ponte_workflow.store.outbox import ClaimedRow, OutboxRow
from ponte_workflow.store.schema import casework, messages, neighbourhood, network

MONDAY = datetime(2026, 11, 23, 9, tzinfo=UTC)  # ten o'clock in Rome
COURTESY = Courtesy(is_holiday=lambda day: False)
SENDER = "ponte@example.org"
ADDRESS = "maria.rossi@example.org"


def create(tx: Transaction, table: Table, **values: object) -> int:
    key = tx.connection.execute(table.insert().values(values)).inserted_primary_key
    assert key is not None
    return int(key[0])


@dataclass(frozen=True)
class Neighbours:
    case_id: int
    person_ids: tuple[int, int]


def create_case(store: Store) -> Neighbours:
    """A case of a household with two adults."""
    with store.transaction() as tx:
        quarter = create(tx, network.quarter, code="san_polo", name="San Polo", pathway="san_polo")
        building = create(tx, neighbourhood.building, quarter_id=quarter, name="Torre Cimabue")
        dwelling = create(
            tx, neighbourhood.dwelling, building_id=building, code="UI1", address="via Cimabue 16", stair="", unit=""
        )
        household = create(tx, neighbourhood.household, code="U1")
        tenancy = create(
            tx,
            neighbourhood.tenancy,
            code="U1",
            dwelling_id=dwelling,
            household_id=household,
            quarter_id=quarter,
            starts_on=date(2020, 1, 1),
            rent_cents=10_000,
            service_cents=0,
        )
        people = [
            create(
                tx,
                neighbourhood.person,
                household_id=household,
                ordinal=number,
                surname="Rossi",
                given_name="Maria",
                sex="F",
                birth_date=date(1980, 1, 1),
                relation="intestataria",
                language="it",
            )
            for number in (1, 2)
        ]
        pathway = create(
            tx, casework.pathway_version, name="p", version=1, content_hash="0" * 64, document="{}", seen_at=MONDAY
        )
        case = create(
            tx,
            casework.cases,
            code="P-000001",
            tenancy_id=tenancy,
            household_id=household,
            quarter_id=quarter,
            pathway_version_id=pathway,
            configuration="planning",
            version=1,
            opened_on=date(2026, 9, 1),
            paused=False,
            last_event_on=date(2026, 9, 1),
            history_length=0,
            history_head="",
        )
        return Neighbours(case, (people[0], people[1]))


def staff_row(number: int = 1, **changes: Any) -> OutboxRow:
    values: dict[str, Any] = {
        "rule": "digest",
        "due_on": date(2026, 11, 23),
        "recipient": f"staff:{number}",
        "message": "digest",
        "kind": "remind",
        "delivery": "direct",
    }
    return OutboxRow(**values | changes)


def household_row(neighbours: Neighbours, rule: str = "engagement/invite", **changes: Any) -> OutboxRow:
    values: dict[str, Any] = {
        "case_id": neighbours.case_id,
        "recipient": f"person:{neighbours.person_ids[0]}",
        "message": "pip_ready_to_sign",
        "rule": rule,
    }
    return staff_row(**values | changes)


def queue(store: Store, *rows: OutboxRow) -> list[int]:
    with store.transaction() as tx:
        numbers = [outbox.queue(tx, row) for row in rows]
    return [number for number in numbers if number is not None]


def resolve(tx: Transaction, row: ClaimedRow, at: datetime) -> Resolution:
    """The samples, to one address; there was a contact attempt."""
    return Resolved(MESSAGES[row.message].sample(), "it", ADDRESS, had_contact_attempt=True)


def run(
    store: Store,
    channel: channels.Channel,
    *,
    at: datetime = MONDAY,
    limit: int = 100,
    resolve: Resolver = resolve,
    courtesy: Courtesy = COURTESY,
    on_progress: Progress | None = None,
) -> DeliveryReport:
    return deliver(
        store,
        {"email": channel},
        resolve,
        sender=SENDER,
        courtesy=courtesy,
        at=at,
        limit=limit,
        on_progress=on_progress,
    )


def row_of(store: Store, number: int) -> Any:
    with store.transaction() as tx:
        return tx.connection.execute(select(messages.outbox).where(messages.outbox.c.id == number)).one()


@dataclass
class Tray:
    """A channel that keeps what it gets, and fails as it is told."""

    failure: Exception | None = None
    sent: list[channels.Envelope] = field(default_factory=list)
    tries: int = 0
    name: str = "tray"

    def send(self, envelope: channels.Envelope) -> Receipt:
        self.tries += 1
        if self.failure is not None:
            raise self.failure
        self.sent.append(envelope)
        return Receipt(envelope.message_id, "250 taken", envelope.at)
