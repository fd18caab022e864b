"""The steps of a pathway as forms, made from the fields that the pathway declares: no trigger has a page of its own."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

from ponte_workflow.errors import CaseChanged, PonteError
from ponte_workflow.i18n import gettext as _
from ponte_workflow.i18n import language
from ponte_workflow.services import casework, dossier
from ponte_workflow.services.dossier import Form
from ponte_workflow.store import drafts
from ponte_workflow.web.pages import go, page
from ponte_workflow.web.visit import Visit, needs
from states.decision import Failure
from states.snapshot import Value

router = APIRouter()
Casework = Annotated[Visit, Depends(needs("casework"))]
Person = Annotated[int, Query(ge=0)]


async def typed(request: Request) -> dict[str, str]:
    """What the form sent; files are none of its fields."""
    form = await request.form(max_files=0, max_fields=60)
    return {name: value.replace("\0", "") for name, value in form.items() if not isinstance(value, UploadFile)}


Typed = Annotated[dict[str, str], Depends(typed)]


@router.get("/cases/{code}/do/{trigger}")
def form(visit: Casework, code: str, trigger: str, person: Person = 0) -> Response:
    """The form of a step, with what was typed before, or what the address says of plain fields."""
    with visit.reading() as tx:
        found = dossier.form_of(tx, visit.who, code, trigger, person)
    asked = visit.request.query_params
    plain = {name for name, spec in found.spec.fields.items() if spec.privacy == "none"}
    given = {name: asked[name][:60] for name in plain if name in asked}
    return _form(visit, found, given | found.given, version=found.standing.row.version)


@router.post("/cases/{code}/do/{trigger}")
def take(visit: Casework, code: str, trigger: str, given: Typed, person: Person = 0) -> Response:
    """Take the step. What is refused comes back with the form as it was filled in."""
    version = _version(given)
    fields: dict[str, Value] = {name: value for name, value in given.items() if value.strip()}
    try:
        with visit.writing() as tx:
            row = casework.advance(
                tx,
                visit.who,
                code,
                trigger,
                fields,
                person_id=person,
                expected_version=version,
            )
            pathway = visit.ponte.pathways.pinned(tx, row.pathway_version_id)
            drafts.put(tx, visit.signed_in.member.id, row.id, trigger, person, row.version, None, visit.at)
    except CaseChanged as refusal:
        return _again(visit, code, trigger, person, given, refusal, changed=True)
    except PonteError as refusal:
        if refusal.status not in (409, 422):
            raise
        return _again(visit, code, trigger, person, given, refusal, changed=False)
    specs = (pathway.person if person else pathway.household).triggers[trigger]
    label = next(iter(specs.values())).label.in_(language())
    return go(f"/cases/{row.code}", said=_("Done: {step}").format(step=label))


@router.post("/cases/{code}/draft/{trigger}")
def keep(visit: Casework, code: str, trigger: str, given: Typed, person: Person = 0) -> Response:
    """Keep what was typed so far (204)."""
    version = _version(given) or 0
    with visit.writing() as tx:
        dossier.keep_draft(tx, visit.who, code, trigger, person, version, given)
    return Response(status_code=204)


@router.post("/cases/{code}/draft/{trigger}/discard")
def discard(visit: Casework, code: str, trigger: str, person: Person = 0) -> Response:
    """Throw a draft away."""
    with visit.writing() as tx:
        dossier.keep_draft(tx, visit.who, code, trigger, person, 0, {})
    return go(f"/cases/{code}", said=_("The draft is gone."))


def _version(given: dict[str, str]) -> int | None:
    """The case's version that the form was made of, taken out of what was sent; None: none that can be read."""
    version = given.pop("version", "")
    return int(version) if version.isdecimal() and len(version) < 10 else None


def _again(
    visit: Visit, code: str, trigger: str, person: int, given: dict[str, str], refusal: PonteError, *, changed: bool
) -> Response:
    """The form once more, with what was typed and what is wrong; after a conflict with what happened meanwhile."""
    with visit.reading() as tx:
        try:
            found = dossier.form_of(tx, visit.who, code, trigger, person)
        except PonteError as gone:
            # A colleague has moved the case on: the step is not possible any more, but what was typed must not be lost.
            view = dossier.open_dossier(tx, visit.who, code)
            return page(visit, "step_gone.html", status=409, code=code, sentence=gone.sentence, given=given, found=view)
        happened = dossier.open_dossier(tx, visit.who, code).timeline[:3] if changed else ()
    failures = [one for one in refusal.failures if isinstance(one, Failure)]
    wrong = {one.name: one.sentence.in_(language()) for one in failures if one.name in found.spec.fields}
    missing = [one for one in failures if one.name not in found.spec.fields]
    return _form(
        visit,
        found,
        given,
        version=found.standing.row.version,
        status=refusal.status,
        wrong=wrong,
        missing=missing,
        refusal=refusal.sentence if not failures else None,
        happened=happened,
    )


def _form(
    visit: Visit, found: Form, given: dict[str, str], *, version: int, status: int = 200, **more: object
) -> Response:
    values: dict[str, Any] = {"wrong": {}, "missing": [], "refusal": None, "happened": ()} | more
    person = next((name for person_id, name in found.persons if person_id == found.person_id), None)
    return page(visit, "step.html", status=status, form=found, given=given, version=version, person=person, **values)
