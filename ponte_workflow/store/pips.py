"""PIPs in versions, their actions and signatures. Documents and texts are encrypted."""

from collections.abc import Collection
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import String, cast, delete, func, insert, literal, or_, select, update

from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.schema.casework import cases, journey, task
from ponte_workflow.store.schema.persons import pip_action, pip_signature, pip_version
from states.pip import PipDocument


class Version(NamedTuple):
    """One version of a PIP as it stands."""

    id: int
    person_id: int
    number: int
    document: PipDocument
    written_at: datetime
    written_by: int | None
    proposed_on: date | None
    signed_on: date | None
    replaced_on: date | None
    review_on: date | None

    @property
    def state(self) -> str:
        """open (written or waiting for signatures), signed or replaced."""
        if self.replaced_on is not None:
            return "replaced"
        return "open" if self.signed_on is None else "signed"


class Signature(NamedTuple):
    """Who signed a version: the person or the operator."""

    version_id: int
    side: str
    signed_on: date
    how: str
    recorded_by: int | None


class Action(NamedTuple):
    """Something that somebody does. `outcome` None: still to be done."""

    person_id: int
    number: int
    kind: str
    what: str
    doer: str
    due_on: date | None
    planned_in: int
    outcome: str | None
    outcome_note: str
    ended_on: date | None
    ended_by: int | None


def versions(tx: Transaction, case_id: int, person_id: int | None = None) -> list[Version]:
    """The versions of a case's PIPs, or of one person's, the newest first."""
    columns = (
        pip_version.c.id,
        pip_version.c.person_id,
        pip_version.c.number,
        pip_version.c.document,
        pip_version.c.written_at,
        pip_version.c.written_by,
        pip_version.c.proposed_on,
        pip_version.c.signed_on,
        pip_version.c.replaced_on,
        pip_version.c.review_on,
    )
    query = select(*columns).where(pip_version.c.case_id == case_id)
    if person_id is not None:
        query = query.where(pip_version.c.person_id == person_id)
    rows = tx.connection.execute(query.order_by(pip_version.c.person_id, pip_version.c.number.desc()))
    return [Version(**{**row._mapping, "document": _document(tx, row.document)}) for row in rows]


def signatures(tx: Transaction, version_ids: Collection[int]) -> list[Signature]:
    """Who signed these versions."""
    columns = (
        pip_signature.c.pip_version_id,
        pip_signature.c.side,
        pip_signature.c.signed_on,
        pip_signature.c.how,
        pip_signature.c.recorded_by,
    )
    query = select(*columns).where(pip_signature.c.pip_version_id.in_(version_ids)).order_by(pip_signature.c.id)
    return [Signature(*row) for row in tx.connection.execute(query)]


def write_document(
    tx: Transaction, case_id: int, person_id: int, document: PipDocument, *, at: datetime, by: int | None
) -> int:
    """Keep the document of the newest version, or make the first one; its number."""
    newest = _newest(tx, case_id, person_id)
    values = {
        "document": tx.cipher.encrypt(document.model_dump_json()),
        "review_on": document.review_on,
        "written_at": at,
        "written_by": by,
    }
    if newest is None:
        first = {"case_id": case_id, "person_id": person_id, "number": 1}
        tx.connection.execute(insert(pip_version).values(first | values))
        return 1
    tx.connection.execute(update(pip_version).where(pip_version.c.id == newest.id).values(values))
    return int(newest.number)


def propose(tx: Transaction, case_id: int, person_id: int, on: date, history_id: int) -> None:
    """The newest version waits to be signed."""
    newest = _newest(tx, case_id, person_id)
    if newest is not None:
        _change(tx, newest.id, proposed_on=on, proposed_history_id=history_id)


def sign(tx: Transaction, case_id: int, person_id: int, on: date, how: str, *, by: int | None, history_id: int) -> None:
    """Both have signed the newest version; the one that was in force before is replaced."""
    newest = _newest(tx, case_id, person_id)
    if newest is None:
        return
    _change(tx, newest.id, signed_on=on, signed_history_id=history_id)
    tx.connection.execute(
        update(pip_version)
        .where(
            pip_version.c.case_id == case_id,
            pip_version.c.person_id == person_id,
            pip_version.c.number < newest.number,
            pip_version.c.replaced_on.is_(None),
        )
        .values(replaced_on=on, replaced_history_id=history_id)
    )
    signed = [
        {
            "pip_version_id": newest.id,
            "side": side,
            "signed_on": on,
            "how": how,
            "recorded_by": by,
            "history_id": history_id,
        }
        for side in ("person", "operator")
    ]
    tx.connection.execute(insert(pip_signature), signed)


def vary(tx: Transaction, case_id: int, person_id: int, *, at: datetime, by: int | None, history_id: int) -> None:
    """A new version, a copy of the one in force, to be changed and signed again."""
    newest = _newest(tx, case_id, person_id)
    if newest is None:
        return
    tx.connection.execute(
        insert(pip_version).values(
            case_id=case_id,
            person_id=person_id,
            number=newest.number + 1,
            document=newest.document,
            review_on=newest.review_on,
            written_at=at,
            written_by=by,
            made_history_id=history_id,
        )
    )


def review(tx: Transaction, version_id: int, before: date | None, next_on: date, history_id: int) -> None:
    """The review was held; the next one is on that day."""
    _change(tx, version_id, review_on=next_on, review_before=before, review_history_id=history_id)


class DueReview(NamedTuple):
    """A PIP in force whose review is due, and of which nobody has a task yet."""

    case_id: int
    person_id: int
    number: int
    review_on: date


def due_reviews(tx: Transaction, on: date, final: Collection[str]) -> list[DueReview]:
    """Those of open cases that do not stand still. final: states of persons in which nothing is reviewed any more."""
    kind = literal("pip_review/").concat(cast(pip_version.c.number, String))
    asked = select(task.c.id).where(
        task.c.case_id == pip_version.c.case_id,
        task.c.person_id == pip_version.c.person_id,
        task.c.kind == kind,
        task.c.closed_on.is_(None),
    )
    rows = tx.connection.execute(
        select(pip_version.c.case_id, pip_version.c.person_id, pip_version.c.number, pip_version.c.review_on)
        .join(cases, cases.c.id == pip_version.c.case_id)
        .join(
            journey,
            (journey.c.case_id == pip_version.c.case_id) & (journey.c.person_id == pip_version.c.person_id),
        )
        .where(
            pip_version.c.review_on <= on,
            pip_version.c.signed_on.is_not(None),
            pip_version.c.replaced_on.is_(None),
            cases.c.closed_on.is_(None),
            cases.c.paused.is_(False),
            journey.c.configuration.not_in(list(final)),
            ~asked.exists(),
        )
        .order_by(pip_version.c.id)
    )
    return [DueReview(*row) for row in rows]


def take_back(tx: Transaction, history_id: int) -> None:
    """An undo: what that history entry did to PIPs is undone. A new version's draft goes with the variation."""
    connection = tx.connection
    connection.execute(delete(pip_signature).where(pip_signature.c.history_id == history_id))
    for column, cleared in (
        (pip_version.c.signed_history_id, {"signed_on": None, "signed_history_id": None}),
        (pip_version.c.proposed_history_id, {"proposed_on": None, "proposed_history_id": None}),
        (pip_version.c.replaced_history_id, {"replaced_on": None, "replaced_history_id": None}),
    ):
        connection.execute(update(pip_version).where(column == history_id).values(cleared))
    connection.execute(delete(pip_version).where(pip_version.c.made_history_id == history_id))
    connection.execute(
        update(pip_version)
        .where(pip_version.c.review_history_id == history_id)
        .values(review_on=pip_version.c.review_before, review_before=None, review_history_id=None)
    )
    connection.execute(
        update(pip_action)
        .where(pip_action.c.end_history_id == history_id)
        .values(outcome=None, outcome_note=None, ended_on=None, ended_by=None, end_history_id=None)
    )
    connection.execute(delete(pip_action).where(pip_action.c.history_id == history_id))


def actions(tx: Transaction, case_id: int, person_id: int | None = None) -> list[Action]:
    """The actions of a case's PIPs, or of one person's: open ones first, by the day they are due."""
    columns = (
        pip_action.c.person_id,
        pip_action.c.number,
        pip_action.c.kind,
        pip_action.c.what,
        pip_action.c.doer,
        pip_action.c.due_on,
        pip_action.c.planned_in,
        pip_action.c.outcome,
        pip_action.c.outcome_note,
        pip_action.c.ended_on,
        pip_action.c.ended_by,
    )
    query = select(*columns).where(pip_action.c.case_id == case_id)
    if person_id is not None:
        query = query.where(pip_action.c.person_id == person_id)
    found = []
    for row in tx.connection.execute(query.order_by(pip_action.c.id)):
        values: dict[str, Any] = dict(row._mapping)
        values["what"] = tx.cipher.decrypt(row.what)
        values["outcome_note"] = tx.cipher.decrypt(row.outcome_note) if row.outcome_note else ""
        found.append(Action(**values))
    return sorted(found, key=lambda one: (one.outcome is not None, one.due_on or date.max, one.number))


def next_number(tx: Transaction, case_id: int, person_id: int) -> int:
    """The number of the PIP's next action; whoever asks has locked the case."""
    last = select(func.max(pip_action.c.number)).where(
        pip_action.c.case_id == case_id, pip_action.c.person_id == person_id
    )
    return int(tx.connection.execute(last).scalar() or 0) + 1


def add_action(
    tx: Transaction,
    case_id: int,
    person_id: int,
    *,
    number: int,
    kind: str,
    what: str,
    doer: str,
    due_on: date | None,
    history_id: int,
) -> None:
    """A new action of the newest version."""
    newest = _newest(tx, case_id, person_id)
    tx.connection.execute(
        insert(pip_action).values(
            case_id=case_id,
            person_id=person_id,
            history_id=history_id,
            number=number,
            kind=kind,
            what=tx.cipher.encrypt(what),
            doer=doer,
            due_on=due_on,
            planned_in=1 if newest is None else newest.number,
        )
    )


def end_action(
    tx: Transaction,
    case_id: int,
    person_id: int,
    number: int,
    *,
    outcome: str,
    note: str,
    on: date,
    by: int | None,
    history_id: int,
) -> None:
    """An action has its outcome."""
    tx.connection.execute(
        update(pip_action)
        .where(pip_action.c.case_id == case_id, pip_action.c.person_id == person_id, pip_action.c.number == number)
        .values(
            outcome=outcome,
            outcome_note=tx.cipher.encrypt(note) if note else None,
            ended_on=on,
            ended_by=by,
            end_history_id=history_id,
        )
    )


def count_actions(tx: Transaction, case_id: int, person_id: int) -> int:
    """How many actions the PIP has that were not dropped."""
    query = select(func.count()).where(
        pip_action.c.case_id == case_id,
        pip_action.c.person_id == person_id,
        or_(pip_action.c.outcome.is_(None), pip_action.c.outcome != "dropped"),
    )
    return int(tx.connection.execute(query).scalar_one())


def _document(tx: Transaction, text: str) -> PipDocument:
    return PipDocument.model_validate_json(tx.cipher.decrypt(text))


def _newest(tx: Transaction, case_id: int, person_id: int) -> Any:
    query = select(pip_version.c.id, pip_version.c.number, pip_version.c.document, pip_version.c.review_on).where(
        pip_version.c.case_id == case_id, pip_version.c.person_id == person_id
    )
    return tx.connection.execute(query.order_by(pip_version.c.number.desc()).limit(1)).first()


def _change(tx: Transaction, version_id: int, **values: Any) -> None:
    tx.connection.execute(update(pip_version).where(pip_version.c.id == version_id).values(**values))
