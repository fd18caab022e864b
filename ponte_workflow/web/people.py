"""Users and absences: the pages of those who look after the people of Ponte."""

from datetime import date
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Query
from starlette.responses import Response

from ponte_workflow.errors import BadInput, NotFound, PonteError
from ponte_workflow.i18n import gettext as _
from ponte_workflow.i18n import ngettext
from ponte_workflow.services import accounts, partners, passwords, people
from ponte_workflow.services.people import Given, PersonTold
from ponte_workflow.services.permissions import role_name
from ponte_workflow.store.network import ROLES
from ponte_workflow.web.pages import go, page
from ponte_workflow.web.visit import Visit, needs

router = APIRouter(prefix="/administration")
Reader = Annotated[Visit, Depends(needs("people.read"))]
Manager = Annotated[Visit, Depends(needs("people.manage"))]
Word = Annotated[str, Form(max_length=200)]
Choice = Annotated[str, Query(max_length=60)]
USERS = "/administration/users"


@router.get("/users")
def users(visit: Reader, partner: Choice = "", role: Choice = "", active: Choice = "") -> Response:
    """Everybody, or who answers to the filters."""
    standing = {"yes": True, "no": False}.get(active)
    with visit.reading() as tx:
        found = people.people(tx, visit.who, partner=partner or None, role=role or None, active=standing)
        organisations = partners.partners(tx, visit.who)
    return page(
        visit,
        "administration/users.html",
        found=found,
        organisations=[(one.code, one.name) for one in organisations],
        roles=[(role, role_name(role)) for role in ROLES],
        wanted={"partner": partner, "role": role, "active": active},
    )


@router.get("/new-user")
def new_user(visit: Manager) -> Response:
    """The form for somebody new."""
    return _form(visit, None, Given("", "", "", frozenset(), "it", ""))


@router.post("/new-user")
def add(
    visit: Manager,
    username: Word = "",
    name: Word = "",
    partner: Word = "",
    role: Annotated[list[str], Form()] = [],  # noqa: B006 - FastAPI copies it
    language: Word = "it",
    email: Word = "",
) -> Response:
    """Somebody new; a password is given on the page that follows."""
    given = Given(username, name, partner, frozenset(role), language, email)
    try:
        with visit.writing() as tx:
            member = people.add(tx, visit.who, given)
    except (BadInput, NotFound) as refusal:
        return _form(visit, None, given, error=refusal.sentence)
    said = _("{name} is added. Give a one-time password, or let them come in by single sign-on.")
    return go(_address(member.username), said=said.format(name=member.username))


@router.get("/users/{username}")
def user(visit: Reader, username: str) -> Response:
    """One person: roles, account, days away."""
    return _person(visit, username)


@router.get("/users/{username}/edit")
def edit_form(visit: Manager, username: str) -> Response:
    """The form of one person."""
    with visit.reading() as tx:
        told = people.person(tx, visit.who, username)
    member = told.member
    given = Given(username, member.name, member.partner_code, member.roles, member.language, told.email or "")
    return _form(visit, told, given)


@router.post("/users/{username}/edit")
def edit(
    visit: Manager,
    username: str,
    name: Word = "",
    partner: Word = "",
    role: Annotated[list[str], Form()] = [],  # noqa: B006 - FastAPI copies it
    language: Word = "it",
    email: Word = "",
) -> Response:
    """Keep what the form says."""
    given = Given(username, name, partner, frozenset(role), language, email)
    try:
        with visit.writing() as tx:
            people.edit(tx, visit.who, username, given)
    except (BadInput, people.Protected) as refusal:
        with visit.reading() as tx:
            told = people.person(tx, visit.who, username)
        return _form(visit, told, given, error=refusal.sentence, status=refusal.status)
    return go(_address(username), said=_("Kept."))


@router.post("/users/{username}/deactivate")
def deactivate(visit: Manager, username: str) -> Response:
    """No sign-in any more; what remains of their work is said."""
    with visit.writing() as tx:
        left = people.deactivate(tx, visit.who, username)
    said = _("{name} cannot come in any more, and every session has ended.").format(name=username)
    if left:
        more = ngettext(
            "{n} open case is still theirs: a supervisor gives it to somebody else.",
            "{n} open cases are still theirs: a supervisor gives them to somebody else.",
            left,
        )
        said = f"{said} {more.format(n=left)}"
    return go(_address(username), said=said)


@router.post("/users/{username}/reactivate")
def reactivate(visit: Manager, username: str) -> Response:
    """Somebody is back."""
    with visit.writing() as tx:
        people.reactivate(tx, visit.who, username)
    return go(_address(username), said=_("{name} is active again.").format(name=username))


@router.post("/users/{username}/password")
def password(visit: Manager, username: str) -> Response:
    """A one-time password. This answer alone shows it: it is kept nowhere, and a second look makes another one."""
    fresh = accounts.random_password()
    # Slow on purpose, so with no transaction open.
    hashed = passwords.hash_password(fresh)
    try:
        with visit.writing() as tx:
            people.give_password(tx, visit.who, username, hashed)
    except people.Protected as refusal:
        return _person(visit, username, error=refusal)
    return page(visit, "administration/password.html", username=username, password=fresh)


@router.post("/users/{username}/unlock")
def unlock(visit: Manager, username: str) -> Response:
    """The lock after wrong tries ends."""
    with visit.writing() as tx:
        people.unlock(tx, visit.who, username)
    return go(_address(username), said=_("{name} may try again.").format(name=username))


@router.post("/users/{username}/second-factor")
def second_factor(visit: Manager, username: str) -> Response:
    """Remove the second factor of somebody who lost their phone."""
    try:
        with visit.writing() as tx:
            people.remove_second_factor(tx, visit.who, username)
    except people.Protected as refusal:
        return _person(visit, username, error=refusal)
    return go(_address(username), said=_("The second factor is removed; their sessions have ended."))


@router.post("/users/{username}/absence")
def absence(
    visit: Reader,
    username: str,
    first: Annotated[str, Form(max_length=10)] = "",
    last: Annotated[str, Form(max_length=10)] = "",
    deputy: Annotated[str, Form(max_length=60)] = "",
    back: Annotated[bool, Form()] = False,
) -> Response:
    """Somebody is away and is covered by a colleague; or is back."""
    try:
        begin, end = (None, None) if back else (_day(first), _day(last))
        if not back and begin is None:
            raise BadInput(_("Say from which day they are away"))
        with visit.writing() as tx:
            people.set_absence(tx, visit.who, username, begin, end, deputy or None)
    except BadInput as refusal:
        return _person(visit, username, error=refusal, first=first, last=last, chosen=deputy)
    return go(f"{_address(username)}#away", said=_("Noted."))


@router.get("/absences")
def absences(visit: Reader) -> Response:
    """Who is away now or will be, and who covers."""
    with visit.reading() as tx:
        active = people.people(tx, visit.who, active=True)
    away = [
        one
        for one in active
        if one.member.absent_from and (one.member.absent_until is None or one.member.absent_until >= visit.on)
    ]
    away.sort(key=lambda one: (not one.away, one.member.absent_from or visit.on))
    mine = [one for one in active if people.may_set_absence(visit.who, one.member)]
    return page(visit, "administration/absences.html", away=away, mine=mine)


def _person(visit: Visit, username: str, *, error: PonteError | None = None, **given: str) -> Response:
    with visit.reading() as tx:
        told = people.person(tx, visit.who, username)
    return page(
        visit,
        "administration/user.html",
        status=error.status if error else 200,
        told=told,
        error=error.sentence if error else None,
        given={"first": "", "last": "", "chosen": ""} | given,
        may_set_absence=people.may_set_absence(visit.who, told.member),
        own=told.member.id == visit.signed_in.member.id,
        locked=told.account.locked_until is not None and told.account.locked_until > visit.at,
    )


def _form(
    visit: Visit, told: PersonTold | None, given: Given, *, error: str | None = None, status: int = 422
) -> Response:
    with visit.reading() as tx:
        organisations = partners.partners(tx, visit.who)
    values: dict[str, Any] = {
        "told": told,
        "given": given,
        "error": error,
        "organisations": [(one.code, one.name) for one in organisations],
        "roles": [(role, role_name(role)) for role in ROLES],
    }
    return page(visit, "administration/user_form.html", status=status if error else 200, **values)


def _address(username: str) -> str:
    return f"{USERS}/{quote(username, safe='')}"


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadInput(_("{text} is no date").format(text=text)) from error
