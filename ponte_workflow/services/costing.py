"""Volumes and costs of messages, by month and channel."""

from dataclasses import dataclass
from datetime import date

from ponte_workflow.errors import BadInput
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services.casework import Occasion
from ponte_workflow.services.permissions import require
from ponte_workflow.store import costs
from ponte_workflow.store.engine import Transaction

PERMISSION = "supervision"
LONGEST = 36  # months
CAME_BACK = ("bounced", "refused", "returned")


@dataclass(frozen=True, slots=True)
class Cost:
    """One channel in one month. pieces: what was paid for, e.g. the segments of SMS. came_back: bounced or returned."""

    month: date  # its first day
    channel: str
    messages: int
    pieces: int
    cents: int
    delivered: int
    came_back: int


def costs_by_month(tx: Transaction, who: Occasion, months: int = 12) -> tuple[Cost, ...]:
    """The last so many months with the running one, the newest first; only those in which something left."""
    require(who.actor, PERMISSION)
    if not 1 <= months <= LONGEST:
        raise BadInput(_("Months: choose 1 to {n}").format(n=LONGEST))
    last = who.on.year * 12 + who.on.month - 1
    first = last - months + 1
    told = costs.fates(tx, first, last)
    return tuple(
        Cost(
            date(line.month // 12, line.month % 12 + 1, 1),
            line.way,
            line.messages,
            line.pieces,
            line.cents,
            told.get((line.month, line.way, "delivered"), 0),
            sum(told.get((line.month, line.way, fate), 0) for fate in CAME_BACK),
        )
        for line in costs.by_month(tx, first, last)
    )
