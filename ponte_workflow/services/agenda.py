"""The agenda: which appointments are coming, mine or all that I may see."""

from datetime import date, timedelta

from ponte_workflow.clock import ROME
from ponte_workflow.errors import BadInput
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services.casework import Occasion
from ponte_workflow.services.meeting import midnight
from ponte_workflow.services.permissions import require
from ponte_workflow.services.rights import sight
from ponte_workflow.services.worktray import trace_list
from ponte_workflow.store import appointments, worklists
from ponte_workflow.store.appointments import AppointmentRow
from ponte_workflow.store.engine import Transaction
from states.fields import YEARS

MOST_DAYS = 92


def agenda(
    tx: Transaction, who: Occasion, first: date, days: int, *, everybody: bool = False
) -> list[tuple[date, list[tuple[AppointmentRow, str]]]]:
    """The appointments of so many days from `first` on, day by day, with the household's name.

    Those of the actor and of whom they cover; with `everybody` all in cases that the actor may see.
    """
    require(who.actor, "casework")
    if not 1 <= days <= MOST_DAYS or first.year not in YEARS:
        raise BadInput(_("A list of appointments holds 1 to {n} days").format(n=MOST_DAYS))
    whose = None if everybody else who.actor.covers
    span = (midnight(first), midnight(first + timedelta(days=days)))
    rows = appointments.coming(tx, *span, staff_ids=whose, sight=sight(who.actor))
    trace_list(tx, who, "agenda")
    names = {one.case.id: one.household for one in worklists.in_order(tx, list({row.case_id for row in rows}))}
    found: dict[date, list[tuple[AppointmentRow, str]]] = {}
    for row in rows:
        found.setdefault(row.starts_at.astimezone(ROME).date(), []).append((row, names[row.case_id]))
    return list(found.items())
