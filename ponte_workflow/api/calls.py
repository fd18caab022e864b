"""One call: whose token it shows, which scope and permission it needs, and its body read within limits."""

import re
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, TypeVar

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from ponte_workflow import clock
from ponte_workflow.api.problems import (
    IncompleteCall,
    InvalidRequest,
    RateLimited,
    ScopeMissing,
    TooLarge,
    Unauthorized,
    UnsupportedMediaType,
)
from ponte_workflow.bootstrap import Ponte
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services import integrations
from ponte_workflow.services.casework import Occasion
from ponte_workflow.services.integrations import Caller
from ponte_workflow.services.permissions import require
from ponte_workflow.services.throttling import Throttle
from ponte_workflow.store.engine import Transaction

LONGEST_JSON = 1_000_000  # bytes
_KEY = re.compile(r"[!-~]{1,120}")
_VERSION = re.compile(r'"?([0-9]{1,15})"?')
_bearer = HTTPBearer(auto_error=False, scheme_name="token", description="A token made with `ponte token add`")
Model = TypeVar("Model", bound=BaseModel)
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a program that has shown its token."""

    request: Request
    ponte: Ponte
    caller: Caller
    at: datetime
    on: date

    @property
    def who(self) -> Occasion:
        """Who acts, when, with which pathways."""
        return Occasion(self.caller.actor, self.on, self.at, self.ponte.pathways)

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """A look that waits for nobody; traces of views are committed when it ends."""
        with self.ponte.store.reading() as tx:
            yield tx

    @contextmanager
    def writing(self) -> Iterator[Transaction]:
        """Everything or nothing."""
        with self.ponte.store.transaction() as tx:
            yield tx


def scoped(scope: str, permission: str) -> Callable[..., Call]:
    """The rule of a route: a scope of the token, and a permission of whom it acts for. Use with Depends, first of all."""

    def dependency(
        request: Request, shown: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)] = None
    ) -> Call:
        call = _call(request, shown.credentials if shown else None)
        if scope not in call.caller.token.scopes:
            raise ScopeMissing(
                _("This token has not the scope {scope}").format(scope=scope),
                headers={"WWW-Authenticate": f'Bearer realm="ponte", error="insufficient_scope", scope="{scope}"'},
            )
        require(call.caller.actor, permission)
        return call

    dependency.rule = permission  # type: ignore[attr-defined]  # the rights matrix of the tests reads it
    dependency.scope = scope  # type: ignore[attr-defined]  # and so does the OpenAPI document
    return dependency


def _call(request: Request, token: str | None) -> Call:
    ponte: Ponte = request.app.state.ponte
    throttle: Throttle = request.app.state.throttle
    at = clock.now()
    with ponte.store.reading() as tx:
        found = integrations.caller(tx, token, at) if token else None
    if found is None:
        more = ', error="invalid_token"' if token else ""
        raise Unauthorized(
            _("Show a token that counts: Authorization: Bearer ponte_… (unknown, revoked and expired ones do not)"),
            headers={"WWW-Authenticate": f'Bearer realm="ponte"{more}'},
        )
    whom = str(found.token.id)
    if not throttle.lets_in("api", whom):
        wait = throttle.seconds_left("api", whom, at)
        raise RateLimited(
            _("Too many calls: try again in {n} seconds").format(n=wait), headers={"Retry-After": str(wait)}
        )
    if integrations.is_stale(found.token, at):
        with ponte.store.transaction() as tx:
            integrations.touch(tx, found.token, at)
    return Call(request, ponte, found, at, at.astimezone(clock.ROME).date())


def idempotency_key(request: Request) -> str:
    """The key of an unsafe call."""
    key = request.headers.get("idempotency-key", "").strip()
    if _KEY.fullmatch(key) is None:
        raise IncompleteCall(
            _("Give this call an Idempotency-Key: up to 120 signs, a new one for each deed, the same one to repeat it"),
            field="Idempotency-Key",
        )
    return key


def expected_version(request: Request) -> int | None:
    """The version of If-Match; None when there is none, or any will do."""
    given = request.headers.get("if-match", "*").strip()
    if given == "*":
        return None
    match = _VERSION.fullmatch(given)
    if match is None:
        raise IncompleteCall(_('If-Match holds the version of the case, as its ETag gives it: "7"'), field="If-Match")
    return int(match[1])


async def json_body(request: Request) -> bytes:
    """The body of a call that takes JSON; empty when nothing was sent."""
    content = b"".join([part async for part in limited(request, LONGEST_JSON).stream()])
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content and kind != "application/json":
        raise UnsupportedMediaType(_("Send application/json"))
    return content


def limited(request: Request, limit: int) -> Request:
    """The same request; reading more than `limit` bytes of it is refused."""
    refusal = TooLarge(_("The body is larger than {n} bytes").format(n=limit))
    told = request.headers.get("content-length", "")
    if told.isdecimal() and int(told) > limit:
        raise refusal
    seen = 0

    async def receive() -> MutableMapping[str, Any]:
        nonlocal seen
        message = await request.receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise refusal
        return message

    return Request(request.scope, receive)


def read(model: type[Model], content: bytes) -> Model:
    """The body as its model; what is wrong is named without its value."""
    try:
        return model.model_validate_json(content or b"{}")
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        name = ".".join(["body", *map(str, first["loc"])])
        raise InvalidRequest(
            _("The body cannot be read: {field}: {why}").format(field=name, why=first["msg"]), field=name
        ) from None


Body = Annotated[bytes, Depends(json_body)]
Key = Annotated[str, Depends(idempotency_key)]
Version = Annotated[int | None, Depends(expected_version)]
