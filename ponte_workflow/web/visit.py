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


CODE, PASSWORD, SECOND_FACTOR, WORK = range(4)  # what comes first, and what is reached in the end


def visit(request: Request, reached: int = WORK) -> Visit:
    """The visit of this request; sends people without a session to the door, and others where they have to go first.

    reached: the step at which somebody must at least be to see the page; what comes after it is not asked for.
    """
    signed_in: SignedIn | None = request.state.signed_in
    if signed_in is None:
        raise SignInFirst("")
    if reached > CODE and signed_in.half:
        raise ElsewhereFirst("/sign-in/code")
    if reached > PASSWORD and signed_in.must_change:
        raise ElsewhereFirst("/account/password")
    if reached > SECOND_FACTOR and signed_in.must_enrol:
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
    """For the page where the code is given, and for leaving: all that half a session reaches."""
    return visit(request, CODE)


def new_password(request: Request) -> Visit:
    """For the page of the password: reached with a whole session, also when the password must be changed first."""
    return visit(request, PASSWORD)


def enrolling(request: Request) -> Visit:
    """For the page of the second factor: also when one must be set up first."""
    return visit(request, SECOND_FACTOR)


for _early in (half_way, new_password, enrolling):
    _early.rule = SIGNED_IN  # type: ignore[attr-defined]


def open_to_all(request: Request) -> None:
    """For pages that nobody has to be signed in for."""


open_to_all.rule = ANYBODY  # type: ignore[attr-defined]
