"""The door: sign in with password and second factor, sign out, choose the language."""

from datetime import datetime
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Query
from starlette.requests import Request
from starlette.responses import Response

from ponte_workflow import clock
from ponte_workflow.bootstrap import Ponte
from ponte_workflow.errors import PonteError
from ponte_workflow.i18n import LANGUAGES
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services import accounts
from ponte_workflow.services.accounts import SignedIn
from ponte_workflow.services.throttling import Throttle
from ponte_workflow.store.accounts import revoke_sessions
from ponte_workflow.store.engine import Transaction
from ponte_workflow.web.gate import COOKIE, LANGUAGE_COOKIE
from ponte_workflow.web.pages import go, is_local, page
from ponte_workflow.web.visit import Visit, half_way, open_to_all

router = APIRouter()
_YEAR = 365 * 24 * 3600


class TooMany(PonteError):
    """Too many tries from one address."""

    status = 429


@router.get("/sign-in", dependencies=[Depends(open_to_all)])
def door(request: Request, to: Annotated[str, Query(max_length=500)] = "/") -> Response:
    """The form; whoever is signed in goes on."""
    signed_in: SignedIn | None = request.state.signed_in
    if signed_in is not None and not signed_in.half:
        return go(inside(to))
    return door_page(request, to)


@router.post("/sign-in", dependencies=[Depends(open_to_all)])
def sign_in(
    request: Request,
    username: Annotated[str, Form(max_length=60)],
    password: Annotated[str, Form(max_length=1000)],
    to: Annotated[str, Form(max_length=500)] = "/",
) -> Response:
    """Check the password; one sentence for every reason."""
    ponte: Ponte = request.app.state.ponte
    count_try(request)
    at = clock.now()
    with ponte.store.reading() as tx:
        attempt = accounts.begin_sign_in(tx, username, at)
    right = attempt.verify(password)
    with ponte.store.transaction() as tx:
        member = accounts.finish_sign_in(tx, attempt, right, at)
        if member is not None:
            end_former(tx, request, at)
            browser = request.headers.get("user-agent", "")
            token = accounts.open_session(tx, member.id, at=at, browser=browser, second_factor=False)
            half = accounts.needs_second_factor(tx, member.id)
    if member is None:
        sentence = _("Username or password are not right. After several wrong tries the account is locked for a while.")
        return door_page(request, to, error=sentence, username=username, status=401)
    return with_session(go(f"/sign-in/code?to={quote(inside(to), safe='')}" if half else inside(to)), token)


@router.get("/sign-in/code")
def code_form(visit: Annotated[Visit, Depends(half_way)], to: Annotated[str, Query(max_length=500)] = "/") -> Response:
    """The form for the second factor."""
    if not visit.signed_in.half:
        return go(inside(to))
    return page(None, "code.html", request=visit.request, to=inside(to), error=None)


@router.post("/sign-in/code")
def give_code(
    visit: Annotated[Visit, Depends(half_way)],
    code: Annotated[str, Form(max_length=60)],
    to: Annotated[str, Form(max_length=500)] = "/",
) -> Response:
    """A code of the app, or a recovery code."""
    if not visit.signed_in.half:
        return go(inside(to))
    session = visit.signed_in.session
    throttle: Throttle = visit.request.app.state.throttle
    if not throttle.lets_in("code", str(session.staff_id)):
        raise TooMany(_("Too many tries from here. Wait a few minutes, then try again."))
    with visit.writing() as tx:
        right = accounts.check_second_factor(tx, session.staff_id, code, visit.at)
        token = accounts.complete_session(tx, session, visit.at) if right else None
    if token is None:
        sentence = _("This code is not right, or was used already: wait for the next one.")
        return page(None, "code.html", request=visit.request, status=401, to=inside(to), error=sentence)
    return with_session(go(inside(to)), token)


@router.post("/sign-out")
def sign_out(visit: Annotated[Visit, Depends(half_way)]) -> Response:
    """End this session, here and in the store."""
    session = visit.signed_in.session
    with visit.writing() as tx:
        revoke_sessions(tx, session.staff_id, visit.at, only=session.id)
    response = go("/sign-in", said=_("You are signed out."))
    response.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="lax")
    return response


@router.post("/language", dependencies=[Depends(open_to_all)])
def choose_language(
    language: Annotated[str, Form(max_length=5)], to: Annotated[str, Form(max_length=500)] = "/"
) -> Response:
    """Italian or English, for this browser."""
    response = go(inside(to))
    if language in LANGUAGES:
        response.set_cookie(
            LANGUAGE_COOKIE, language, max_age=_YEAR, path="/", secure=True, httponly=True, samesite="lax"
        )
    return response


def with_session(response: Response, token: str) -> Response:
    """The answer with the session's cookie."""
    # Lax, not strict: a link in a reminder mail must find people signed in. Unsafe requests are checked by the gate.
    response.set_cookie(COOKIE, token, path="/", secure=True, httponly=True, samesite="lax")
    return response


def door_page(
    request: Request, to: str, *, error: str | None = None, username: str = "", status: int = 200
) -> Response:
    """The sign-in form."""
    ponte: Ponte = request.app.state.ponte
    return page(
        None,
        "sign_in.html",
        request=request,
        status=status,
        to=inside(to),
        error=error,
        username=username,
        single_sign_on=ponte.settings.oidc_name if ponte.settings.oidc_issuer else None,
    )


def inside(to: str) -> str:
    """Where somebody wanted to go, if that is one of our pages behind the door; else the first page."""
    return to if is_local(to) and not to.startswith("/sign-") else "/"


def end_former(tx: Transaction, request: Request, at: datetime) -> None:
    """Whoever was signed in in this browser is so no more: a new session takes its place."""
    former: SignedIn | None = request.state.signed_in
    if former is not None:
        revoke_sessions(tx, former.session.staff_id, at, only=former.session.id)


def count_try(request: Request) -> None:
    """Refuse an address from which too many try to come in."""
    throttle: Throttle = request.app.state.throttle
    if not throttle.lets_in("sign-in", address_of(request)):
        raise TooMany(_("Too many tries from here. Wait a few minutes, then try again."))


def address_of(request: Request) -> str:
    """From where a request comes."""
    return request.client.host if request.client else "-"
