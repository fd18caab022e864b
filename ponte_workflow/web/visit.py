"""Who asks: the person behind a request, with a transaction to read in or to write in, and the rule of each route."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime

from starlette.requests import Request

from ponte_workflow import clock
from ponte_workflow.bootstrap import Ponte
from ponte_workflow.errors import PonteError
from ponte_workflow.services.accounts import SignedIn
from ponte_workflow.services.casework import Occasion
from ponte_workflow.services.permissions import allowed, require
from ponte_workflow.store.engine import Transaction

ANYBODY, SIGNED_IN = "anybody", "signed in"


class SignInFirst(PonteError):
    """Nobody is signed in."""

    status = 401


class ElsewhereFirst(PonteError):
    """Something comes first: a new password, or a second factor."""

    status = 403

    def __init__(self, where: str) -> None:
        super().__init__(where)
        self.where = where


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of somebody who is signed in."""

    request: Request
    ponte: Ponte
    signed_in: SignedIn
    at: datetime
    on: date

    @property
    def who(self) -> Occasion:
        """Who acts, when, with which pathways."""
        return Occasion(self.signed_in.actor, self.on, self.at, self.ponte.pathways)

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

    def may(self, permission: str) -> bool:
        """Whether a link or a button makes sense; the services decide in the end."""
        return allowed(self.signed_in.actor, permission)


def visit(request: Request, *, unfinished: bool = False) -> Visit:
    """The visit of this request; sends people without a session to the door, and others where they have to go first."""
    signed_in: SignedIn | None = request.state.signed_in
    if signed_in is None:
        raise SignInFirst("")
    if not unfinished:
        if request.state.half:
            raise ElsewhereFirst("/sign-in/code")
        if signed_in.must_change:
            raise ElsewhereFirst("/account/password")
        if signed_in.must_enrol:
            raise ElsewhereFirst("/account/second-factor")
    at = clock.now()
    return Visit(request, request.app.state.ponte, signed_in, at, at.astimezone(clock.ROME).date())


def needs(permission: str) -> Callable[[Request], Visit]:
    """The rule of a route: a permission of services.permissions, ANYBODY or SIGNED_IN. Use with Depends.

    The tests read `rule` from every route and try it with every role: a route without one fails there.
    """

    def dependency(request: Request) -> Visit:
        found = visit(request)
        if permission != SIGNED_IN:
            require(found.signed_in.actor, permission)
        return found

    dependency.rule = permission  # type: ignore[attr-defined]
    return dependency


def half_way(request: Request) -> Visit:
    """For the pages that come before everything else: second factor, first password."""
    return visit(request, unfinished=True)


half_way.rule = SIGNED_IN  # type: ignore[attr-defined]


def open_to_all(request: Request) -> None:
    """For pages that nobody has to be signed in for."""


open_to_all.rule = ANYBODY  # type: ignore[attr-defined]
