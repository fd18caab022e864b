"""One's own account: who I am here, where I am signed in, password, second factor, days away."""

from datetime import date
from io import BytesIO
from typing import Annotated

import pyotp
import segno
from fastapi import APIRouter, Depends, Form
from markupsafe import Markup
from starlette.responses import Response

from ponte_workflow.errors import BadInput
from ponte_workflow.i18n import gettext as _
from ponte_workflow.i18n import ngettext
from ponte_workflow.services import accounts, own_account, passwords
from ponte_workflow.services.accounts import Attempt
from ponte_workflow.services.throttling import Throttle
from ponte_workflow.store.accounts import credential_of
from ponte_workflow.web.gate import LANGUAGE_COOKIE
from ponte_workflow.web.pages import go, page
from ponte_workflow.web.sign_in import TooMany, with_session
from ponte_workflow.web.visit import SIGNED_IN, Visit, enrolling, needs, new_password

router = APIRouter(prefix="/account")
Mine = Annotated[Visit, Depends(needs(SIGNED_IN))]
Secret = Annotated[str, Form(max_length=1000)]
Day = Annotated[str, Form(max_length=10)]


@router.get("")
def show(visit: Mine) -> Response:
    """My data, my sessions, my days away."""
    return _account(visit)


@router.post("/language")
def language(visit: Mine, language: Annotated[str, Form(max_length=5)]) -> Response:
    """The language of my pages and mails, wherever I sign in."""
    with visit.writing() as tx:
        own_account.set_language(tx, visit.signed_in.member, language)
    response = go("/account")
    # What was chosen in this browser at the door would otherwise win over it.
    response.delete_cookie(LANGUAGE_COOKIE, path="/", secure=True, httponly=True, samesite="lax")
    return response


@router.post("/absence")
def absence(
    visit: Mine,
    first: Day = "",
    last: Day = "",
    deputy: Annotated[str, Form(max_length=60)] = "",
    back: Annotated[bool, Form()] = False,
) -> Response:
    """When I am away and who covers; or that I am back."""
    try:
        begin, end = (None, None) if back else (_day(first), _day(last))
        if not back and begin is None:
            raise BadInput(_("Say from which day you are away"))
        with visit.writing() as tx:
            own_account.set_absence(tx, visit.signed_in.member, begin, end, deputy or None)
    except BadInput as refusal:
        return _account(visit, error=refusal.sentence, first=first, last=last, deputy=deputy)
    return go("/account", said=_("Welcome back.") if back else _("Noted."))


@router.post("/sessions/{session_id}/end")
def end_session(visit: Mine, session_id: int) -> Response:
    """End one of my sessions."""
    with visit.writing() as tx:
        own_account.end_session(tx, visit.signed_in.member, session_id, visit.at)
    return go("/account", said=_("The session has ended."))


@router.post("/sessions/end-others")
def end_others(visit: Mine) -> Response:
    """End all of my sessions but this one."""
    with visit.writing() as tx:
        n = own_account.end_other_sessions(tx, visit.signed_in, visit.at)
    return go("/account", said=ngettext("{n} session has ended.", "{n} sessions have ended.", n).format(n=n))


@router.get("/password")
def password_form(visit: Annotated[Visit, Depends(new_password)]) -> Response:
    """The form for a new password."""
    return _password(visit)


@router.post("/password")
def change_password(
    visit: Annotated[Visit, Depends(new_password)], old: Secret = "", new: Secret = "", again: Secret = ""
) -> Response:
    """A new password. It is checked and hashed with no transaction open: that is slow on purpose."""
    member = visit.signed_in.member
    _count(visit)
    try:
        own_account.judge(member, old, new, again)
    except BadInput as refusal:
        return _password(visit, error=refusal.sentence, status=422)
    right, attempt = _try(visit, old)
    fresh = passwords.hash_password(new) if right else None
    with visit.writing() as tx:
        token = own_account.change_password(tx, visit.signed_in, attempt, fresh, visit.at)
    if token is None:
        return _password(visit, error=_("The present password is not right"), status=422)
    first = visit.signed_in.must_change
    said = _("The password is changed.") if first else _("The password is changed; your other sessions have ended.")
    return with_session(go("/" if first else "/account", said=said), token)


@router.get("/second-factor")
def second_factor(visit: Annotated[Visit, Depends(enrolling)]) -> Response:
    """How it stands with the second factor."""
    return _second_factor(visit)


@router.post("/second-factor/begin")
def begin(visit: Annotated[Visit, Depends(enrolling)]) -> Response:
    """A secret to enter in the app; in force once a code of it was given."""
    with visit.writing() as tx:
        accounts.propose_second_factor(tx, visit.signed_in.member.id)
    return go("/account/second-factor")


@router.post("/second-factor/confirm")
def confirm(visit: Annotated[Visit, Depends(enrolling)], code: Annotated[str, Form(max_length=60)] = "") -> Response:
    """The first code of the app; the answer is the one page that shows the recovery codes."""
    _count(visit)
    try:
        with visit.writing() as tx:
            codes, token = own_account.confirm_second_factor(tx, visit.signed_in, code, visit.at)
    except BadInput as refusal:
        return _second_factor(visit, error=refusal.sentence, status=422)
    return with_session(page(visit, "account/codes.html", codes=codes, fresh=True), token)


@router.post("/second-factor/codes")
def recovery_codes(visit: Mine, password: Secret = "", code: Annotated[str, Form(max_length=60)] = "") -> Response:
    """Fresh recovery codes, for whoever proves to be me."""
    _count(visit)
    right, attempt = _try(visit, password)
    with visit.writing() as tx:
        proved = own_account.prove(tx, attempt, right, code, visit.at)
        codes = accounts.new_recovery_codes(tx, visit.signed_in.member.id, visit.at) if proved else ()
    if not proved:
        return _second_factor(visit, error=_not_proved(), status=422)
    return page(visit, "account/codes.html", codes=codes, fresh=False)


@router.post("/second-factor/remove")
def remove(visit: Mine, password: Secret = "", code: Annotated[str, Form(max_length=60)] = "") -> Response:
    """No second factor any more, for whoever proves to be me; a role that asks for one sends here again."""
    _count(visit)
    right, attempt = _try(visit, password)
    with visit.writing() as tx:
        proved = own_account.prove(tx, attempt, right, code, visit.at)
        token = own_account.remove_second_factor(tx, visit.signed_in, visit.at) if proved else ""
    if not proved:
        return _second_factor(visit, error=_not_proved(), status=422)
    return with_session(go("/account/second-factor", said=_("The second factor is removed.")), token)


def _account(visit: Visit, *, error: str | None = None, first: str = "", last: str = "", deputy: str = "") -> Response:
    with visit.reading() as tx:
        mine = own_account.open_account(tx, visit.signed_in, visit.at)
    return page(
        visit,
        "account/account.html",
        status=422 if error else 200,
        mine=mine,
        error=error,
        given={"first": first, "last": last, "deputy": deputy},
        names={other.id: other.name for other in mine.deputies},
    )


def _password(visit: Visit, *, error: str | None = None, status: int = 200) -> Response:
    with visit.reading() as tx:
        has = accounts.has_password(tx, visit.signed_in.member.id)
    return page(
        visit,
        "account/password.html",
        status=status,
        error=error,
        has_password=has,
        first=visit.signed_in.must_change,
        low=passwords.SHORTEST,
        high=passwords.LONGEST,
    )


def _second_factor(visit: Visit, *, error: str | None = None, status: int = 200) -> Response:
    with visit.reading() as tx:
        mine = own_account.open_account(tx, visit.signed_in, visit.at)
        known = credential_of(tx, visit.signed_in.member.id)
    secret = known.totp_secret if known is not None and not known.totp_confirmed else None
    return page(
        visit,
        "account/second_factor.html",
        status=status,
        error=error,
        mine=mine,
        required=visit.signed_in.must_enrol,
        picture=_picture(secret, visit.signed_in.member.username) if secret else None,
        groups=[secret[n : n + 4] for n in range(0, len(secret), 4)] if secret else [],
    )


def _picture(secret: str, username: str) -> Markup:
    """The QR code of the secret as inline SVG: attributes only, no style."""
    uri = pyotp.TOTP(secret).provisioning_uri(name=username, issuer_name="Ponte")
    out = BytesIO()
    segno.make(uri, error="m").save(
        out, kind="svg", xmldecl=False, svgns=False, nl=False, scale=5, border=4, dark="#000", light="#fff"
    )
    return Markup(out.getvalue().decode())  # noqa: S704 - made here of a path; the text is in it as squares only


def _count(visit: Visit) -> None:
    throttle: Throttle = visit.request.app.state.throttle
    if not throttle.lets_in("password", str(visit.signed_in.member.id)):
        raise TooMany(_("Too many tries. Wait a few minutes, then try again."))


def _try(visit: Visit, password: str) -> tuple[bool, Attempt]:
    """Whether the password is mine, looked at with no transaction open."""
    with visit.reading() as tx:
        attempt = accounts.begin_sign_in(tx, visit.signed_in.member.username, visit.at)
    return attempt.verify(password), attempt


def _not_proved() -> str:
    return _("This is not right, or the account is locked for a while after several wrong tries")


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadInput(_("{text} is no date").format(text=text)) from error
