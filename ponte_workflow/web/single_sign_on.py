"""Single sign-on at the door: off to the provider, and back with a session."""

import json
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from ponte_workflow import clock
from ponte_workflow.bootstrap import Ponte
from ponte_workflow.errors import NotFound, PonteError, WrongKey
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services import accounts, single_sign_on
from ponte_workflow.services.single_sign_on import Pending, Provider
from ponte_workflow.store.crypto import FieldCipher
from ponte_workflow.web.pages import go
from ponte_workflow.web.sign_in import count_try, door_page, end_former, inside, with_session
from ponte_workflow.web.visit import open_to_all

router = APIRouter(prefix="/sign-in/single")
WAY = "__Host-ponte-way"  # the cookie that remembers, encrypted, what has to come back
PURPOSE = "single sign-on"
PATIENCE = timedelta(minutes=10)


@router.get("", dependencies=[Depends(open_to_all)])
def leave(request: Request, to: Annotated[str, Query(max_length=500)] = "/") -> Response:
    """Off to the provider. A link and not a form: browsers let no form lead to another site under our policy."""
    ponte, provider = _provider(request)
    count_try(request)
    at = clock.now()
    try:
        where, pending = provider.begin(_return_address(request, ponte), at)
    except PonteError as refusal:
        return door_page(request, to, error=refusal.sentence, status=refusal.status)
    response = RedirectResponse(where, status_code=303)
    _remember(response, ponte.store.cipher, pending, inside(to), at)
    return response


@router.get("/return", dependencies=[Depends(open_to_all)])
def come_back(request: Request) -> Response:
    """Back from the provider; what was remembered is used up, whatever comes of it."""
    response = _come_back(request)
    response.delete_cookie(WAY, path="/", secure=True, httponly=True, samesite="lax")
    return response


def _come_back(request: Request) -> Response:
    ponte, provider = _provider(request)
    count_try(request)
    at = clock.now()
    remembered = _remembered(request, ponte.store.cipher, at)
    if remembered is None:
        sentence = _("The single sign-on did not succeed: begin again from here")
        return door_page(request, "/", error=sentence, status=403)
    pending, to = remembered
    try:
        identity = provider.finish(pending, dict(request.query_params), _return_address(request, ponte), at)
        with ponte.store.transaction() as tx:
            member = single_sign_on.recognise(tx, identity, at)
            end_former(tx, request, at)
            browser = request.headers.get("user-agent", "")
            # Whether a second factor is asked for is the provider's business.
            token = accounts.open_session(tx, member.id, at=at, browser=browser, second_factor=True)
    except PonteError as refusal:
        return door_page(request, to, error=refusal.sentence, status=refusal.status)
    return with_session(go(to), token)


def _provider(request: Request) -> tuple[Ponte, Provider]:
    ponte: Ponte = request.app.state.ponte
    if ponte.single_sign_on is None:
        raise NotFound(_("There is no single sign-on here: sign in with your password"))
    return ponte, ponte.single_sign_on


def _return_address(request: Request, ponte: Ponte) -> str:
    base = ponte.settings.public_url or str(request.base_url)
    return f"{base.rstrip('/')}/sign-in/single/return"


def _remember(response: Response, cipher: FieldCipher, pending: Pending, to: str, at: datetime) -> None:
    what = asdict(pending) | {"for": PURPOSE, "to": to, "until": (at + PATIENCE).isoformat()}
    # Lax: the way back is a link on the provider's site.
    response.set_cookie(
        WAY,
        cipher.encrypt(json.dumps(what)),
        max_age=int(PATIENCE.total_seconds()),
        path="/",
        secure=True,
        httponly=True,
        samesite="lax",
    )


def _remembered(request: Request, cipher: FieldCipher, at: datetime) -> tuple[Pending, str] | None:
    try:
        what: dict[str, Any] = json.loads(cipher.decrypt(request.cookies.get(WAY, "")))
        if what.get("for") != PURPOSE or datetime.fromisoformat(what["until"]) <= at:
            return None
        return Pending(what["state"], what["nonce"], what["verifier"]), inside(what["to"])
    except (WrongKey, ValueError, KeyError, TypeError, AttributeError):
        return None  # none, or not one of ours
