"""What happens to cases, for programs: entries of histories by ids and codes, never with what people wrote."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import takewhile
from typing import Any

from ponte_workflow.services.casework import Occasion
from ponte_workflow.services.permissions import require
from ponte_workflow.services.rights import sight
from ponte_workflow.services.worktray import trace_list
from ponte_workflow.store import webhooks
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.webhooks import Happened

KINDS = ("opened", "step", "recorded", "clock", "pause", "resume", "undo", "note", "contact")
# Ids of transactions that ran side by side may become visible out of order: younger entries are not final yet.
SETTLING = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of a case's history. `source`, `target`: the household's leaf states before and after."""

    id: int
    event: str
    case: str
    seq: int
    on: date
    at: datetime
    trigger: str | None
    person_id: int | None
    source: tuple[str, ...]
    target: tuple[str, ...]
    undoes: int | None
    by_system: bool

    def as_json(self) -> dict[str, Any]:
        """The same as plain values, as webhooks tell it."""
        return {
            "id": self.id,
            "event": self.event,
            "case": self.case,
            "seq": self.seq,
            "on": self.on.isoformat(),
            "at": self.at.isoformat(),
            "trigger": self.trigger,
            "person_id": self.person_id,
            "from": list(self.source),
            "to": list(self.target),
            "undoes": self.undoes,
            "by_system": self.by_system,
        }


def events(tx: Transaction, who: Occasion, after: int, limit: int) -> tuple[Event, ...]:
    """What happened to the cases that the actor may see, the oldest first, after the entry with that id.

    The last minute is left out: whoever reads on from the last id misses nothing.
    """
    require(who.actor, "casework")
    found = settled(webhooks.happened(tx, after, limit, sight=sight(who.actor)), who.at)
    trace_list(tx, who, "events")
    return tuple(told(one) for one in found)


def settled(found: list[Happened], at: datetime) -> list[Happened]:
    """Of entries in the order of their ids, those before which no other can appear any more."""
    return list(takewhile(lambda one: one.at <= at - SETTLING, found))


def told(one: Happened) -> Event:
    """An entry as an event."""
    data = one.data
    return Event(
        one.id,
        one.kind,
        one.code,
        one.seq,
        one.on,
        one.at,
        data.get("trigger"),
        data.get("person"),
        tuple(data.get("from", ())),
        tuple(data.get("to", ())),
        data.get("undoes"),
        one.by_system,
    )
