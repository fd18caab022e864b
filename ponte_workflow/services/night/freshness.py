"""Step "ledgers": are the ledgers fresh enough to judge by? If not, that is said to people too."""

from datetime import date

from ponte_workflow.i18n import gettext as _
from ponte_workflow.services.night.context import Night, Skip
from ponte_workflow.store import ledger, outbox
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.network import members
from ponte_workflow.store.nights import StepCounts, count_step

STEP = "ledgers"


def ages(night: Night, tx: Transaction) -> dict[str, int | None]:
    """Creditor -> age in days of its newest booking on the night's date; None when nothing was ever imported."""
    return {
        name: None if newest is None else max((night.on - newest).days, 0)
        for name, newest in ledger.ledger_dates(tx).items()
    }


def is_fresh(night: Night, tx: Transaction) -> bool:
    """Whether every ledger reaches far enough."""
    known = ages(night, tx)
    return bool(known) and all(age is not None and age <= night.ledger_max_age_days for age in known.values())


def ledgers_are_fresh(night: Night) -> bool:
    """The same in a transaction of its own."""
    with night.unit() as tx:
        return is_fresh(night, tx)


def look_at_ledgers(night: Night, shard: int) -> StepCounts:
    """Look at every ledger; a stale one is told to supervisors and leads, once for each state it is stale in."""
    with night.unit() as tx:
        known = ages(night, tx)
        stale = {name: age for name, age in known.items() if age is None or age > night.ledger_max_age_days}
        told = 0
        for name, age in stale.items():
            why = _("never imported") if age is None else _("{n} days old, at most {most}")
            why = why.format(n=age, most=night.ledger_max_age_days)
            night.tell(STEP, None, _("the ledger of {name} is stale").format(name=name), why)
        if stale and not night.replayed:
            told = _tell_people(night, tx, set(stale))
        counts = StepCounts(len(known), told, len(stale))
        count_step(tx, night.id, STEP, shard, counts, anew=("looked_at", "set_aside"))
    if not known:
        raise Skip("no ledger was ever imported")
    return counts


def _tell_people(night: Night, tx: Transaction, stale: set[str]) -> int:
    # The rule carries the newest booking date of those that are stale: the same silence is told once, not every night.
    dates = [day for name, day in ledger.ledger_dates(tx).items() if name in stale and day is not None]
    newest = max(dates, default=date(1, 1, 1))
    rows = [
        outbox.OutboxRow(
            rule="stale_ledger",
            due_on=newest,
            recipient=f"staff:{member.id}",
            message="stale_ledger",
            kind="escalate",
            delivery="direct",
            data={"on": night.on},
        )
        for member in members(tx).values()
        if member.active and member.roles & {"supervisor", "lead"}
    ]
    return outbox.queue_many(tx, rows)
