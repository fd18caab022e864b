"""Step "stalls": cases in which nothing happens are told to a named person, once; new adults are noticed."""

from datetime import date

from ponte_workflow.i18n import gettext as _
from ponte_workflow.services import casework
from ponte_workflow.services.night.context import Night
from ponte_workflow.services.night.guarding import guarded, one_by_one
from ponte_workflow.services.night.words import day
from ponte_workflow.store import casefile, cases, local_services, outbox, stalls
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.nights import StepCounts
from states.snapshot import Triggered

STEP = "stalls"


def find_stalls(night: Night, shard: int) -> StepCounts:
    """Tell the supervisor of each case that stalls, and open a task for each adult who is new to a household."""
    with night.unit() as tx:
        found = dict.fromkeys(stalls.without_clock(tx), _("no deadline is left running"))
        for version_id in casefile.pinned_documents(tx):
            pathway = night.pathways.pinned(tx, version_id)
            for path, state in pathway.household.states.items():
                if state.spec.stalls_after is not None:
                    since = pathway.calendar.subtract_working_days(night.on, state.spec.stalls_after)
                    silent = stalls.silent(tx, path, since, (version_id,))
                    found.update(
                        dict.fromkeys(silent, _("no event for {n} working days").format(n=state.spec.stalls_after))
                    )
        found = {case_id: why for case_id, why in found.items() if night.mine(case_id)}
        adults = [one for one in cases.new_adults(tx, night.on) if night.mine(one[0])]
        late = [one for one in local_services.silent(tx, night.on) if night.mine(one[1])]
    total = one_by_one(night, STEP, found, lambda tx, case_id: _tell(night, tx, case_id, found[case_id]))
    for case_id, person_id in adults:
        total += guarded(night, STEP, case_id, lambda tx, c, p=person_id: _adult(night, tx, c, p))  # type: ignore[misc]
    for referral_id, case_id, since in late:
        total += guarded(night, STEP, case_id, lambda tx, c, r=referral_id, s=since: _silence(night, tx, c, r, s))  # type: ignore[misc]
    return total


def _tell(night: Night, tx: Transaction, case_id: int, why: str) -> bool:
    row = cases.by_id(tx, case_id)
    book = night.directory(tx)
    holder = book.holder(
        "supervisor", assigned_to=row.assigned_to, partner_id=row.partner_id, quarter_id=row.quarter_id
    )
    casefile.mark_stalled(tx, row, night.on, holder)
    recipient = outbox.NOBODY if holder is None else f"staff:{holder}"
    outbox.queue(
        tx,
        outbox.OutboxRow(
            rule="stall",
            due_on=night.on,
            recipient=recipient,
            message="digest",
            kind="escalate",
            delivery="digest",
            case_id=row.id,
            data={"since": row.last_event_on},
            history_seq=row.history_length,
        ),
    )
    why = _("{why}, last event on {day}").format(why=why, day=day(row.last_event_on))
    night.tell(STEP, row.code, _("tell the supervisor that the case stalls"), why)
    return True


def _silence(night: Night, tx: Transaction, case_id: int, referral_id: int, since: date) -> bool:
    row = cases.by_id(tx, case_id)
    holder = night.directory(tx).holder(
        "case_worker", assigned_to=row.assigned_to, partner_id=row.partner_id, quarter_id=row.quarter_id
    )
    local_services.told(tx, referral_id, night.on)
    outbox.queue(
        tx,
        outbox.OutboxRow(
            rule=f"referral_silence/{referral_id}",
            due_on=night.on,
            recipient=outbox.NOBODY if holder is None else f"staff:{holder}",
            message="digest",
            kind="remind",
            delivery="digest",
            case_id=row.id,
            data={"since": since},
            history_seq=row.history_length,
        ),
    )
    why = _("a service has not answered since {day}").format(day=day(since))
    night.tell(STEP, row.code, _("tell that a referral has no answer"), why)
    return True


def _adult(night: Night, tx: Transaction, case_id: int, person_id: int) -> bool:
    standing = casework.stand(tx, night.who, cases.by_id(tx, case_id))
    casework.fire(tx, night.who, standing, Triggered("adult_joined", night.who.actor.roles, {"person": person_id}))
    night.tell(
        STEP,
        standing.row.code,
        _("task: PIP or reason"),
        _("an adult about whom nothing is decided: turned 18 or joined the household"),
    )
    return True
