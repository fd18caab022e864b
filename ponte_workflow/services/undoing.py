"""Undo: the last step of a case is taken back by a compensating entry, unless a message that left depended on it."""

from ponte_workflow.errors import CannotUndo
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services import meeting, neighbourly, pip_steps
from ponte_workflow.services.casework import Occasion, look
from ponte_workflow.store import casefile, history, outbox, plans
from ponte_workflow.store.cases import CaseRow
from ponte_workflow.store.effects import Writing
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.history import Entry

UNDOABLE = ("step", "recorded", "pause", "resume")


def undo(tx: Transaction, who: Occasion, code: str) -> tuple[CaseRow, Entry]:
    """Take back the last step; returns the case and the entry that was undone.

    Refused with `CannotUndo` when there is none, when it is somebody else's (a supervisor may), when a later night
    moved the case on, or when a message that left depended on it.
    """
    standing = look(tx, who, code, lock=True)
    row = standing.row
    entry = last_undoable(history.of_case(tx, row.id))
    if entry is None:
        raise CannotUndo(_("Case {code} has no step that can be taken back").format(code=code))
    if entry.actor_id != who.actor.staff_id and not who.actor.roles & {"supervisor", "lead"}:
        raise CannotUndo(_("The last step of {code} is somebody else's: ask a supervisor").format(code=code))
    if left := outbox.left_since(tx, row.id, entry.seq):
        raise CannotUndo(
            _("{n} messages that depended on the last step of {code} have left: go on from here instead").format(
                n=left, code=code
            )
        )
    plans.withdraw_plan(tx, history_id=entry.id)
    plans.take_back(tx, row.id, entry.id)
    neighbourly.take_back(tx, row, entry.id, by=who.actor.staff_id, on=who.on, at=who.at)
    pip_steps.take_back(tx, entry.id)
    meeting.take_back(tx, entry.id)
    writing = Writing("undo", who.on, who.at, who.actor.staff_id, {})
    return casefile.restore(tx, row, entry, writing), entry


def last_undoable(entries: tuple[Entry, ...]) -> Entry | None:
    """The newest step that is not undone yet."""
    undone = {entry.data["undoes"] for entry in entries if entry.kind == "undo"}
    return next((e for e in reversed(entries) if e.kind in UNDOABLE and e.seq not in undone), None)
