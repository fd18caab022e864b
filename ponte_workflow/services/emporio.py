"""The emporio: points that a household has earned are spent on goods, never more than there are."""

from ponte_workflow.errors import BadInput
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services.casework import Occasion, look
from ponte_workflow.services.rights import leave_trace, require_role
from ponte_workflow.store import emporio, network
from ponte_workflow.store.emporio import Entry
from ponte_workflow.store.engine import Transaction

KEEPERS = ("volunteers", "case_worker", "supervisor")
MOST = 1000  # pieces in one go
DEAREST = 100_000  # points


def put_good(tx: Transaction, who: Occasion, quarter: str, name: str, points: int, *, active: bool = True) -> None:
    """Something on the shelves of a quarter, or another price for it."""
    require_role(who.actor, *KEEPERS)
    plain = " ".join(name.split())
    if not plain or len(plain) > 100 or not plain.isprintable():
        raise BadInput(_("name: 1 to 100 characters, without control characters"))
    if not 1 <= points <= DEAREST:
        raise BadInput(_("points: from 1 to {most}").format(most=DEAREST))
    emporio.put_good(tx, network.quarter_by_code(tx, quarter).id, plain, points, active=active)


def spend(tx: Transaction, who: Occasion, code: str, good_id: int, quantity: int) -> int:
    """A household takes something; returns what it has left. Refused when it has not enough."""
    require_role(who.actor, *KEEPERS)
    row = look(tx, who, code).row
    good = emporio.good(tx, good_id)
    if not good.active or good.quarter_id != row.quarter_id:
        raise BadInput(_("{name} is not on the shelves of this quarter").format(name=good.name))
    if not 1 <= quantity <= MOST:
        raise BadInput(_("quantity: from 1 to {most}").format(most=MOST))
    emporio.lock_book(tx, row.household_id)
    has, costs = emporio.balance(tx, row.household_id), good.points * quantity
    if costs > has:
        raise BadInput(_("{code} has {has} points, and this costs {costs}").format(code=code, has=has, costs=costs))
    return emporio.write(
        tx,
        row.household_id,
        on=who.on,
        at=who.at,
        kind="spent",
        points=-costs,
        by=who.actor.staff_id,
        good_id=good.id,
        quantity=quantity,
    )


def book(tx: Transaction, who: Occasion, code: str) -> tuple[int, list[Entry]]:
    """What a household has, and its lines, the newest first; the view leaves a trace."""
    row = look(tx, who, code).row
    leave_trace(tx, who.actor, "emporio.book", row, who.at)
    return emporio.balance(tx, row.household_id), emporio.book(tx, row.household_id)
