"""What people see when something is refused: a sentence they can act on, at the right place, never a stack trace."""

from urllib.parse import quote

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from ponte_workflow.errors import PonteError
from ponte_workflow.i18n import gettext as _
from ponte_workflow.log import log
from ponte_workflow.services.rights import OutOfSight
from ponte_workflow.store.cases import NoSuchCase
from ponte_workflow.store.failures import StoreFailed
from ponte_workflow.web import glass
from ponte_workflow.web.gate import SAFE
from ponte_workflow.web.pages import go, page
from ponte_workflow.web.visit import ElsewhereFirst, SignInFirst


def install(app: FastAPI) -> None:
    """The handlers of the web application."""
    app.add_exception_handler(SignInFirst, _to_the_door)
    app.add_exception_handler(ElsewhereFirst, _elsewhere)
    app.add_exception_handler(PonteError, refused)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _unreadable)


def broken(request: Request, reference: str) -> Response:
    """The page for what nobody foresaw; the reference is found in the log."""
    title = _("Something went wrong")
    sentence = _("Nothing was changed. Try again; if it happens again, tell the administrator the reference below.")
    return page(None, "error.html", request=request, status=500, title=title, sentence=sentence, reference=reference)


def _to_the_door(request: Request, error: Exception) -> Response:
    if request.headers.get("hx-request"):
        return Response("", status_code=401, headers={"HX-Redirect": "/sign-in"})
    wanted = request.url.path if request.method in SAFE else "/"
    query = f"?{request.url.query}" if request.url.query and request.method in SAFE else ""
    return go("/sign-in" if wanted == "/" and not query else f"/sign-in?to={quote(wanted + query, safe='')}")


def _elsewhere(request: Request, error: Exception) -> Response:
    assert isinstance(error, ElsewhereFirst)
    return go(error.where)


def refused(request: Request, error: Exception) -> Response:
    """The page that says why, and what to do."""
    assert isinstance(error, PonteError)
    if isinstance(error, OutOfSight | NoSuchCase) and (closed := glass.closed_door(request)) is not None:
        return closed
    if isinstance(error, StoreFailed):
        log.error("request refused", error=type(error).__name__)
    titles = {
        403: _("Not for you"),
        404: _("Not found"),
        409: _("Somebody was faster"),
        422: _("Something is missing"),
        503: _("Not at the moment"),
        507: _("Not at the moment"),
    }
    title = titles.get(error.status, _("This cannot be done"))
    return page(
        None, "error.html", request=request, status=error.status, title=title, sentence=error.sentence, reference=None
    )


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    sentences = {
        404: _("There is no such page. The address may be old: start from My work."),
        405: _("This address does not take what was sent to it."),
        413: _("The file is too large."),
    }
    sentence = sentences.get(error.status_code, str(error.detail))
    title = _("Not found") if error.status_code == 404 else _("This cannot be done")
    return page(
        None, "error.html", request=request, status=error.status_code, title=title, sentence=sentence, reference=None
    )


def _unreadable(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    fields = ", ".join(sorted({str(one["loc"][-1]) for one in error.errors()}))
    sentence = _("The address or the form cannot be read: {fields}").format(fields=fields)
    return page(
        None,
        "error.html",
        request=request,
        status=422,
        title=_("Something is missing"),
        sentence=sentence,
        reference=None,
    )
