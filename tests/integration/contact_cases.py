"""What the tests of contacts and alerts have in common: a case with somebody to reach, a notice, a delivery."""

from datetime import timedelta
from typing import Any

from ponte_workflow import clock
from ponte_workflow.services.delivery import deliver
from ponte_workflow.store import cases, network, outbox
from ponte_workflow.store.outbox import OutboxRow
from tests.site import Site

TODAY = clock.today()
NOW = clock.now()


def open_one(site: Site, **person: Any) -> tuple[str, int]:
    """A case of wanda's: its code, and the number of its adult."""
    with site.ponte.store.transaction() as tx:
        row = site.team.open_case(tx, TODAY - timedelta(days=10), **person)
        site.team.do(tx, "sara", row.code, "assign", TODAY - timedelta(days=9), case_worker="wanda")
        return row.code, min(cases.persons(tx, row.household_id))


def tell(site: Site, username: str, rule: str, *, kind: str = "inform", delivery: str = "direct", **more: Any) -> int:
    with site.ponte.store.transaction() as tx:
        number = network.member_by_username(tx, username).id
        values = {"message": "stale_ledger", "data": {"on": TODAY}} | more
        found = outbox.queue(
            tx,
            OutboxRow(rule=rule, due_on=TODAY, recipient=f"staff:{number}", kind=kind, delivery=delivery, **values),
        )
    assert found is not None
    return found


def send(site: Site, channel: Any = None) -> Any:
    channels = dict(site.ponte.channels) | ({"email": channel} if channel else {})
    return deliver(
        site.ponte.store, channels, site.ponte.writer(), sender="p@example.org", courtesy=site.ponte.courtesy(),
        at=NOW, limit=100,
    )  # fmt: skip
