"""Refusals as problem documents (RFC 9457): a stable type, a title, the sentence that console and pages say, what is missing."""

import re
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from ponte_workflow.errors import PonteError
from ponte_workflow.i18n import gettext as _
from ponte_workflow.i18n import language
from ponte_workflow.log import log, whereabouts
from ponte_workflow.services.rights import OutOfSight
from ponte_workflow.store.cases import NoSuchCase
from states.decision import Failure

MEDIA_TYPE = "application/problem+json"
URN = "urn:ponte:problem:"
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]


class FailureTold(BaseModel):
    """One thing that stands in the way."""

    model_config = ConfigDict(title="Failure")

    name: str = Field(description="The need or the field")
    sentence: str = Field(description="What is needed, in the language of the call")
    fix_by: list[str] = Field(description="Roles that can see to it")


class Problem(BaseModel):
    """Why a call was refused. `type` and `status` are for programs, `title` and `detail` for people."""

    type: str = Field(description="urn:ponte:problem:NAME; the names are stable")
    title: str
    status: int
    detail: str = Field(description="A sentence that a case worker can act on")
    instance: str = Field(description="The path that was called")
    failures: list[FailureTold] = Field(default_factory=list, description="What is missing or wrong, one by one")
    reference: str | None = Field(default=None, description="With status 500: what to tell the administrator")


class ApiRefusal(PonteError):
    """A refusal of the API itself. `headers` go with the answer; `field` names the part of the call that is wrong."""

    headers: dict[str, str]

    def __init__(self, sentence: str, *, headers: dict[str, str] | None = None, field: str | None = None) -> None:
        super().__init__(sentence)
        self.headers = headers or {}
        self.field = field


class Unauthorized(ApiRefusal):
    """No token, or one that is worth nothing."""

    status = 401


class ScopeMissing(ApiRefusal):
    """The token has not the scope that the call asks for."""

    status = 403


class RateLimited(ApiRefusal):
    """Too many calls."""

    status = 429


class IncompleteCall(ApiRefusal):
    """A header is missing or cannot be read."""

    status = 400


class InvalidRequest(ApiRefusal):
    """A parameter or the body is not of its form."""

    status = 422


class TooLarge(ApiRefusal):
    """The body is larger than is taken."""

    status = 413


class UnsupportedMediaType(ApiRefusal):
    """The body is of another kind than is taken."""

    status = 415


class PreconditionFailed(ApiRefusal):
    """The case has another version than If-Match says."""

    status = 412


class KeyReused(ApiRefusal):
    """The idempotency key was used for another call."""

    status = 422


class CallUnderWay(ApiRefusal):
    """The first call with this idempotency key has not ended."""

    status = 409


def install(app: FastAPI) -> None:
    """The handlers of the API."""
    app.add_exception_handler(PonteError, _refused)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _unreadable)


class Unbroken:
    """ASGI middleware: whatever nobody foresaw becomes a problem with a reference, and a line in the log without data."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """One call."""
        started = False

        async def answer(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, answer)
        except Exception as error:
            reference = scope.get("state", {}).get("reference") or secrets.token_hex(4)
            log.error("call failed", reference=reference, **whereabouts(error, scope))
            if started:
                raise
            sentence = _("Nothing was changed. Try again; if it happens again, tell the administrator the reference.")
            await _answer(Request(scope), "broken", 500, sentence, reference=reference)(scope, receive, send)


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, PonteError)
    headers: dict[str, str] = {}
    sentence, status, name = error.sentence, error.status, _kebab(type(error).__name__)
    failures = [
        FailureTold(name=one.name, sentence=one.sentence.in_(language()), fix_by=list(one.fix_by))
        for one in error.failures
        if isinstance(one, Failure)
    ]
    if isinstance(error, ApiRefusal):
        headers = error.headers
        if error.field is not None:
            failures.append(FailureTold(name=error.field, sentence=sentence, fix_by=[]))
    elif isinstance(error, OutOfSight | NoSuchCase):
        # A refusal does not tell whether the case exists: codes are easily guessed.
        name, status = "no-such-case", 404
        code = request.path_params.get("code", "")
        sentence = _("There is no case {code}, or it is with another organisation or worker").format(code=code)
    elif status >= 500:
        log.error("call refused", error=type(error).__name__)
    return _answer(request, name, status, sentence, failures=failures, headers=headers)


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    sentences = {
        404: _("There is no such address: see /api/v1/openapi.json"),
        405: _("This address does not take this method: see /api/v1/openapi.json"),
    }
    names = {404: "no-such-address", 405: "method-not-allowed"}
    status = error.status_code
    name = names.get(status, "refused")
    return _answer(request, name, status, sentences.get(status, str(error.detail)), headers=dict(error.headers or {}))


def _unreadable(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return unreadable(request, error.errors())


def unreadable(request: Request, errors: Any) -> Response:
    """What pydantic found, without the values: they may be personal."""
    failures = [
        FailureTold(name=".".join(map(str, one["loc"])) or "body", sentence=str(one["msg"]), fix_by=[])
        for one in errors
    ]
    names = ", ".join(one.name for one in failures)
    sentence = _("The call cannot be read: {fields}").format(fields=names)
    return _answer(request, "invalid-request", 422, sentence, failures=failures)


def _answer(
    request: Request,
    name: str,
    status: int,
    sentence: str,
    *,
    failures: list[FailureTold] | None = None,
    headers: dict[str, str] | None = None,
    reference: str | None = None,
) -> Response:
    problem = Problem(
        type=URN + name,
        title=_title(status),
        status=status,
        detail=sentence,
        instance=request.url.path,
        failures=failures or [],
        reference=reference,
    )
    text = problem.model_dump_json(exclude_none=True)
    return Response(text, status_code=status, headers=headers, media_type=MEDIA_TYPE)


def _title(status: int) -> str:
    titles = {
        400: _("The call is not complete"),
        401: _("No valid token"),
        403: _("Not for you"),
        404: _("Not found"),
        409: _("Not possible as things stand"),
        412: _("Somebody was faster"),
        422: _("Something is missing"),
        429: _("Too many calls"),
        500: _("Something went wrong"),
        503: _("Not at the moment"),
        507: _("Not at the moment"),
    }
    return titles.get(status, _("This cannot be done"))


def _kebab(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()
