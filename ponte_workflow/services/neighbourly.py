"""What steps of the community track and of referrals leave in their own tables, and how it is taken back with them."""

from collections.abc import Callable
from datetime import date, datetime

from ponte_workflow.errors import BadInput, NeedsMissing, NotFound
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services.deeds import Deed
from ponte_workflow.store import cases, community, emporio, local_services
from ponte_workflow.store.cases import CaseRow
from ponte_workflow.store.engine import Transaction
from states.neighbourhood_life import points_for

HANDOVER, ALONGSIDE = "handover", "alongside"
# From where a referral may go where.
_FROM = {
    "accepted": ("proposed",),
    "refused": ("proposed",),
    "done": ("accepted",),
    "revoked": ("proposed", "accepted"),
}


def perform(tx: Transaction, what: str, deed: Deed) -> None:
    """Do what the pathway declares (`then: perform:`)."""
    _PERFORMS[what](tx, deed)


def take_back(tx: Transaction, row: CaseRow, history_id: int, *, by: int | None, on: date, at: datetime) -> None:
    """The entry is undone: so are its invitation, participation with its points, referral, or the correction it was."""
    community.forget_invitations(tx, history_id)
    local_services.take_back(tx, history_id)
    for part in community.parts_by_history(tx, history_id):
        community.withdraw_part(tx, part, on)
        _take_points_back(tx, row.household_id, part.id, by=by, on=on, at=at)
    for part in community.parts_withdrawn_by(tx, history_id):
        community.restore_part(tx, part)
        _give_points_back(tx, row.household_id, part.id, by=by, on=on, at=at)


def withdraw(tx: Transaction, row: CaseRow, part: community.Part, *, by: int | None, on: date, at: datetime) -> None:
    """A participation that did not happen, with its points."""
    community.withdraw_part(tx, part, on)
    _take_points_back(tx, row.household_id, part.id, by=by, on=on, at=at)


def _keep_participation(tx: Transaction, deed: Deed) -> None:
    event_id, hours = deed.number("attended_event"), deed.number("hours_given") or 0
    what, on = str(deed.facts["participated_in"]), deed.on
    if event_id is not None:
        event = _event(tx, event_id)
        if event.cancelled_on is not None:
            raise BadInput(_("{title} was cancelled: nobody can have been there").format(title=event.title))
        if event.on > deed.on:
            raise BadInput(
                _("{title} is on {day}: attendance is recorded from that day").format(
                    title=event.title, day=event.on.strftime("%d/%m/%Y")
                )
            )
        on = event.on
    part_id = community.take_part(
        tx, case_id=deed.row.id, event_id=event_id, what=what, on=on, hours=hours, history_id=deed.history_id
    )
    points = points_for(hours, deed.pathway.document.community.points_per_hour)
    if points:
        emporio.lock_book(tx, deed.row.household_id)
        emporio.write(
            tx,
            deed.row.household_id,
            on=deed.on,
            at=deed.at,
            kind="earned",
            points=points,
            by=deed.by,
            participation_id=part_id,
        )


def _keep_invitation(tx: Transaction, deed: Deed) -> None:
    row = deed.row
    if row.paused:
        raise NeedsMissing(_("{code} is paused: nobody is invited until it goes on").format(code=row.code))
    if cases.contact_person(tx, row.household_id, deed.on) is None:
        raise NeedsMissing(_("{code}: nobody of this household can be invited").format(code=row.code))
    event_id = deed.number("invited_event")
    if event_id is None:
        return
    event = _event(tx, event_id)
    if event.cancelled_on is not None:
        raise BadInput(_("{title} was cancelled: nobody is invited to it").format(title=event.title))
    if event.on < deed.on:
        raise BadInput(_("{title} is over: nobody is invited to it").format(title=event.title))
    if event.seats is not None and event.invited >= event.seats:
        raise NeedsMissing(
            _("{title} has {n} seats and all are given: nobody more is invited").format(
                title=event.title, n=event.seats
            )
        )
    community.invite(tx, event_id=event_id, case_id=row.id, on=deed.on, history_id=deed.history_id)


def _event(tx: Transaction, event_id: int) -> community.EventRow:
    try:
        return community.event_row(tx, event_id, lock=True)
    except NotFound as error:  # the case is there: it is the field that says something that is not
        raise BadInput(
            _("event: there is no event number {n}; choose one from the list of events").format(n=event_id)
        ) from error


def _service(tx: Transaction, service_id: int) -> local_services.ServiceRow:
    try:
        return local_services.service(tx, service_id)
    except NotFound as error:
        raise BadInput(
            _("service: there is no service number {n}; choose one from the directory").format(n=service_id)
        ) from error


def _propose(kind: str) -> Callable[[Transaction, Deed], None]:
    def propose(tx: Transaction, deed: Deed) -> None:
        service_id = deed.number("service")
        if service_id is not None and not _service(tx, service_id).active:
            raise BadInput(_("Service {n} is no longer active: choose another one").format(n=service_id))
        within = deed.pathway.document.referrals.answer_within
        local_services.propose(
            tx,
            case_id=deed.row.id,
            service_id=service_id,
            kind=kind,
            on=deed.on,
            by=deed.by,
            due_on=deed.pathway.calendar.add_working_days(deed.on, within),
            history_id=deed.history_id,
        )

    return propose


def _handover(status: str) -> Callable[[Transaction, Deed], None]:
    def change(tx: Transaction, deed: Deed) -> None:
        referral_id = local_services.waiting_of(tx, deed.row.id, HANDOVER)
        if referral_id is not None:
            _move(tx, deed, referral_id, status)

    return change


def _answer_alongside(tx: Transaction, deed: Deed) -> None:
    referral_id, status = deed.number("referral"), str(deed.facts["answer"])
    assert referral_id is not None
    found = local_services.status_of(tx, deed.row.id, referral_id)
    if found is None or found[0] != ALONGSIDE:
        raise BadInput(_("{code} has no help alongside number {n}").format(code=deed.row.code, n=referral_id))
    if found[1] not in _FROM[status]:
        raise BadInput(
            _("Referral {n} stands at “{now}”: it cannot become “{wanted}”").format(
                n=referral_id, now=found[1], wanted=status
            )
        )
    _move(tx, deed, referral_id, status)


def _move(tx: Transaction, deed: Deed, referral_id: int, status: str) -> None:
    write = local_services.answer if status in ("accepted", "refused") else local_services.end
    write(tx, referral_id, status, deed.on, deed.history_id)


def _take_points_back(
    tx: Transaction, household_id: int, part_id: int, *, by: int | None, on: date, at: datetime
) -> None:
    """As many as are left: what was spent already stays spent, and no book goes below zero."""
    emporio.lock_book(tx, household_id)
    points = min(emporio.of_participation(tx, part_id), emporio.balance(tx, household_id))
    if points > 0:
        emporio.write(
            tx, household_id, on=on, at=at, kind="taken_back", points=-points, by=by, participation_id=part_id
        )


def _give_points_back(
    tx: Transaction, household_id: int, part_id: int, *, by: int | None, on: date, at: datetime
) -> None:
    emporio.lock_book(tx, household_id)
    points = emporio.last_taken_back(tx, part_id)
    if points > 0:
        emporio.write(tx, household_id, on=on, at=at, kind="given_back", points=points, by=by, participation_id=part_id)


_PERFORMS: dict[str, Callable[[Transaction, Deed], None]] = {
    "keep_participation": _keep_participation,
    "keep_invitation": _keep_invitation,
    "propose_handover": _propose(HANDOVER),
    "accept_handover": _handover("accepted"),
    "refuse_handover": _handover("refused"),
    "revoke_handover": _handover("revoked"),
    "propose_alongside": _propose(ALONGSIDE),
    "answer_alongside": _answer_alongside,
}
PERFORMS = frozenset(_PERFORMS)
