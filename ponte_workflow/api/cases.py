"""Cases: list, one, what may be done, doing it, taking it back, history."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from ponte_workflow.api import examples
from ponte_workflow.api.answers import (
    CaseMoved,
    CasePage,
    CaseTold,
    Entry,
    HistoryPage,
    Need,
    StepUndone,
    TriggersTold,
    TriggerTold,
    Words,
)
from ponte_workflow.api.asked import TriggerCall
from ponte_workflow.api.calls import Body, Call, Key, Version, read, scoped
from ponte_workflow.api.openapi import CASE_CALL, KEY_PARAMETER, VERSION_PARAMETER, answers
from ponte_workflow.api.paging import USUAL, Cursor, Limit, cursor, link, place
from ponte_workflow.api.problems import PreconditionFailed
from ponte_workflow.api.repeating import alone, begin, fingerprint, keep
from ponte_workflow.api.shown import case_listed, case_told
from ponte_workflow.api.trigger_schemas import declared_fields, field_values, fields_schema
from ponte_workflow.services import casework, undoing, views, worktray
from ponte_workflow.services.rights import leave_trace
from ponte_workflow.services.words import state_labels
from ponte_workflow.services.worktray import Filters
from ponte_workflow.store.cases import CaseRow
from ponte_workflow.store.engine import Transaction
from states.decision import Failure
from states.possibilities import Possibility
from states.snapshot import CaseSnapshot

router = APIRouter(tags=["cases"])
Reading = Annotated[Call, Depends(scoped("cases:read", "casework"))]
Writing = Annotated[Call, Depends(scoped("cases:write", "casework"))]
Code = Annotated[str, Path(pattern="^P-[0-9]{6,12}$", description="The case", examples=["P-000001"])]
Trigger = Annotated[str, Path(pattern="^[a-z][a-z0-9_]*$", max_length=60, examples=["record_attempt"])]
_WORD = "^[a-z][a-z0-9_]*$"


@router.get(
    "/cases",
    operation_id="listCases",
    summary="List cases",
    response_model=CasePage,
    responses=answers(examples.CASES, 404, page=True),
)
def list_cases(
    call: Reading,
    response: Response,
    state: Annotated[
        str | None, Query(pattern="^[a-z][a-z0-9_.]*$", max_length=100, description="A state, with all below it")
    ] = None,
    quarter: Annotated[str | None, Query(pattern=_WORD, max_length=60, description="Code of a quarter")] = None,
    waits_on: Annotated[str | None, Query(pattern=_WORD, max_length=60, description="A role")] = None,
    closed: Annotated[bool, Query(description="The closed cases instead of the open ones")] = False,
    limit: Limit = USUAL,
    cursor_: Cursor = None,
) -> CasePage:
    """The cases that the token's member of staff may see, the newest first."""
    wanted = Filters(quarter=quarter, state=state, waits_on=waits_on)
    return _page(call, response, wanted, closed=closed, limit=limit, given=cursor_)


@router.get(
    "/stalled",
    operation_id="listStalled",
    summary="List stalled cases",
    response_model=CasePage,
    responses=answers(examples.CASES, page=True),
)
def list_stalled(call: Reading, response: Response, limit: Limit = USUAL, cursor_: Cursor = None) -> CasePage:
    """Open cases in which nothing happens: who waits for whom, since when."""
    return _page(call, response, Filters(flag="stalled"), closed=False, limit=limit, given=cursor_)


@router.get(
    "/cases/{code}",
    operation_id="showCase",
    summary="Show a case",
    response_model=CaseTold,
    responses=answers(examples.CASE, 404, etag=True),
)
def show_case(call: Reading, response: Response, code: Code) -> CaseTold:
    """One case: people, where it stands, clocks, tasks, plan. The view leaves a trace."""
    with call.reading() as tx:
        view = views.show(tx, call.who, code)
    response.headers["ETag"] = f'"{view.standing.row.version}"'
    return case_told(view)


@router.get(
    "/cases/{code}/triggers",
    operation_id="listTriggers",
    summary="What may be done with a case",
    response_model=TriggersTold,
    responses=answers(examples.TRIGGERS, 404, etag=True),
)
def list_triggers(call: Reading, response: Response, code: Code) -> TriggersTold:
    """Every trigger that the pathway offers here: ready or not, what is missing, who can see to it, what it asks for."""
    with call.reading() as tx:
        standing, possible = casework.why(tx, call.who, code)
        leave_trace(tx, call.who.actor, "case.triggers", standing.row, call.at)
    response.headers["ETag"] = f'"{standing.row.version}"'
    told = [_trigger(one, call.who.actor.roles, standing.snapshot) for one in possible if set(one.by) != {"system"}]
    return TriggersTold(code=standing.row.code, version=standing.row.version, triggers=told)


@router.post(
    "/cases/{code}/triggers/{trigger}",
    operation_id="fireTrigger",
    summary="Do something with a case",
    response_model=CaseMoved,
    responses=answers(examples.MOVED, 404, 412, etag=True, unsafe=True),
    openapi_extra=CASE_CALL,
)
def fire_trigger(call: Writing, code: Code, trigger: Trigger, key: Key, version: Version, body: Body) -> Response:
    """Fire a trigger. Refusals say the same sentence as pages and console; `failures` lists what is missing."""
    asked = read(TriggerCall, body)
    mark = fingerprint(call, asked.model_dump(), version)
    person_id = asked.person_id or 0
    with alone(call, key), call.writing() as tx:
        if (again := begin(tx, call, key, mark)) is not None:
            return again
        standing = casework.look(tx, call.who, code, lock=True)
        _same_version(standing.row, version)
        fields = declared_fields(standing, trigger, person_id)
        values = field_values(code, trigger, asked.fields, fields)
        row = casework.advance(tx, call.who, code, trigger, values, person_id=person_id, expected_version=asked.version)
        return keep(tx, call, key, _moved(tx, call, row), version=row.version)


@router.post(
    "/cases/{code}/undo",
    operation_id="undoStep",
    summary="Take back the last step",
    response_model=StepUndone,
    responses=answers(examples.UNDONE, 404, 412, etag=True, unsafe=True),
    openapi_extra={"parameters": [KEY_PARAMETER, VERSION_PARAMETER]},
)
def undo_step(call: Writing, code: Code, key: Key, version: Version, body: Body) -> Response:
    """The case stands again as before its last step, unless a message that left depended on it."""
    with alone(call, key), call.writing() as tx:
        if (again := begin(tx, call, key, fingerprint(call, version))) is not None:
            return again
        _same_version(casework.look(tx, call.who, code, lock=True).row, version)
        row, entry = undoing.undo(tx, call.who, code)
        moved = _moved(tx, call, row)
        undone = StepUndone(**moved.model_dump(), undone_seq=entry.seq, undone_trigger=entry.data.get("trigger"))
        return keep(tx, call, key, undone, version=row.version)


@router.get(
    "/cases/{code}/history",
    operation_id="showHistory",
    summary="The history of a case",
    response_model=HistoryPage,
    responses=answers(examples.HISTORY, 404, page=True),
)
def show_history(
    call: Reading,
    response: Response,
    code: Code,
    limit: Limit = USUAL,
    cursor_: Cursor = None,
) -> HistoryPage:
    """Everything that happened, and who did it; what people wrote is personal, so the view leaves a trace."""
    after = place("entry", cursor_) or 0
    with call.reading() as tx:
        told = views.told(tx, call.who, code)
    found = [one for one in told if one.seq > after]
    following = cursor("entry", found[limit - 1].seq) if len(found) > limit else None
    link(call.request, response, following)
    items = [
        Entry(seq=one.seq, on=one.on, event=one.kind, by=one.by, what=one.what, personal=one.personal)
        for one in found[:limit]
    ]
    return HistoryPage(items=items, next=following)


def _page(call: Call, response: Response, wanted: Filters, *, closed: bool, limit: int, given: str | None) -> CasePage:
    after = place("case", given)
    with call.reading() as tx:
        found = worktray.case_slice(tx, call.who, wanted, closed=closed, after=after, limit=limit + 1)
    following = cursor("case", found[limit - 1][0].id) if len(found) > limit else None
    link(call.request, response, following)
    return CasePage(items=[case_listed(row, shown) for row, shown in found[:limit]], next=following)


def _same_version(row: CaseRow, version: int | None) -> None:
    if version is not None and row.version != version:
        raise PreconditionFailed(casework.changed(row.code).sentence, field="If-Match")


def _moved(tx: Transaction, call: Call, row: CaseRow) -> CaseMoved:
    pathway = call.who.pathways.pinned(tx, row.pathway_version_id)
    return CaseMoved(
        code=row.code,
        version=row.version,
        configuration=list(row.configuration),
        state=list(state_labels(pathway, row.configuration)),
        paused=row.paused,
        closed_on=row.closed_on,
    )


def _trigger(one: Possibility, roles: frozenset[str], case: CaseSnapshot) -> TriggerTold:
    return TriggerTold(
        trigger=one.trigger,
        label=Words(**one.label.model_dump()),
        person_id=one.person_id or None,
        to=list(one.to),
        by=list(one.by),
        yours=one.for_roles(roles),
        ready=one.ready,
        missing=[_need(need, one) for need in one.missing],
        asked=[_need(need, one) for need in one.asked],
        fields=fields_schema(one.fields, case.adults, case.members),
    )


def _need(failure: Failure, one: Possibility) -> Need:
    return Need(
        need=failure.name,
        sentence=Words(**failure.sentence.model_dump()),
        fix_by=list(failure.fix_by),
        remedies=list(one.remedies.get(failure.name, ())),
    )
