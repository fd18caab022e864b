"""What came back says something of the contact: it is marked as wrong, and the case worker is asked, once."""

from datetime import datetime

from notifications.bounces import says_wrong_address
from ponte_workflow.clock import ROME
from ponte_workflow.errors import CaseChanged
from ponte_workflow.services.casework import Occasion, stand
from ponte_workflow.services.choosing import contact_of
from ponte_workflow.services.contacts import WRONG
from ponte_workflow.services.pathways import Pathways
from ponte_workflow.services.rights import SYSTEM
from ponte_workflow.store import casefile, cases, contacts, tracking
from ponte_workflow.store.effects import Writing
from ponte_workflow.store.engine import Store, Transaction
from ponte_workflow.store.network import directory
from ponte_workflow.store.tracking import CameBack
from states.decision import Decision, Effect, OpenTask

LIMIT = 500  # of one run
ANSWER_IN = 5  # working days within which somebody asks the person


def follow(store: Store, pathways: Pathways, *, at: datetime) -> int:
    """Look at everything that came back and was not looked at yet; how many contacts were found to be wrong.

    Each in a transaction of its own: a case that somebody is changing just now waits for the next run.
    """
    with store.transaction() as tx:
        found = tracking.to_follow(tx, LIMIT)
    wrong = 0
    for event in found:
        try:
            with store.transaction() as tx:
                wrong += follow_one(tx, pathways, event, at)
        except CaseChanged:
            continue
    return wrong


def follow_one(tx: Transaction, pathways: Pathways, event: CameBack, at: datetime) -> bool:
    """Mark the contact behind one message and ask its case worker; False when that says nothing new."""
    tracking.followed(tx, event.event_id, at)
    kind, _colon, number = event.recipient.partition(":")
    if kind != "person" or event.case_id is None or not _says_wrong(event):
        return False
    person_id, contact = int(number), contact_of(event.channel)
    on = at.astimezone(ROME).date()
    if contact == "letter":
        contacts.ensure_letter(tx, person_id)
    if not contacts.mark_wrong(tx, person_id, contact, on, event.kind, told_at=event.at):
        return False
    who = Occasion(SYSTEM, on, at, pathways)
    row = cases.by_id(tx, event.case_id)
    standing = stand(tx, who, row)
    asks = f"{WRONG}/{person_id}"
    asked = any(task.kind == asks for task in cases.open_tasks(tx, (row.id,)))
    effects: tuple[Effect, ...] = ()
    if row.closed_on is None and not asked:
        due_on = standing.pathway.calendar.add_working_days(on, ANSWER_IN)
        effects = (OpenTask(asks, "case_worker", person_id, due_on),)
    data = {"person": person_id, "contact": contact, "said": [event.kind], "message": event.outbox_id}
    casefile.write(
        tx,
        row,
        standing.snapshot,
        Decision(row.configuration, effects),
        Writing("contact", on, at, None, data),
        directory(tx, on),
        closed=row.closed_on is not None,
        human=False,
        special_fields={},
        case_values={},
    )
    return True


def _says_wrong(event: CameBack) -> bool:
    """A full mailbox or a filter that took offence says nothing of the address; what came back otherwise does."""
    return event.channel != "email" or says_wrong_address(event.detail)
