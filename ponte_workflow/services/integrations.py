"""Programs that work with Ponte: tokens with scopes and an end, each acting for somebody of the staff, never with more rights."""

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from ponte_workflow.clock import ROME
from ponte_workflow.errors import BadInput, not_found
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services.accounts import TOUCH, token_hash
from ponte_workflow.services.casework import Occasion
from ponte_workflow.services.permissions import require
from ponte_workflow.services.rights import Actor, actor_for
from ponte_workflow.store import access, integrations, network
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.integrations import TokenRow

PERMISSION = "integrations"
PREFIX = "ponte_"  # secret scanners find what begins so
LONGEST = timedelta(days=365)
SCOPES = ("cases:read", "cases:write", "worktray:read", "ledger:import", "nights:read", "events:read", "costs:read")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,79}")


@dataclass(frozen=True, slots=True)
class Caller:
    """A program that has shown its token, with the rights of whom it acts for."""

    token: TokenRow
    actor: Actor


def create_token(
    tx: Transaction, who: Occasion, *, name: str, username: str, scopes: Iterable[str], expires_on: date
) -> tuple[TokenRow, str]:
    """A new token for an integration; the second value is the token itself, shown this once and kept nowhere."""
    require(who.actor, PERMISSION)
    asked = frozenset(scopes)
    if _NAME.fullmatch(name) is None:
        raise BadInput(_("The name of an integration has 2 to 80 letters, digits, dots, hyphens or underscores"))
    if integrations.token_by_name(tx, name) is not None:
        raise BadInput(_("There is an integration {name} already: choose another name").format(name=name))
    if not asked or asked - set(SCOPES):
        raise BadInput(_("Scopes must be among: {scopes}").format(scopes=", ".join(SCOPES)))
    if not who.on < expires_on <= who.on + LONGEST:
        raise BadInput(_("A token ends within a year: give a day from tomorrow to {day}").format(day=who.on + LONGEST))
    member = network.member_by_username(tx, username)
    if not member.active:
        raise BadInput(_("{name} is not active: a token acts for somebody who is").format(name=username))
    token = PREFIX + secrets.token_urlsafe(32)
    integrations.add_token(
        tx,
        name=name,
        token_hash=token_hash(token),
        staff_id=member.id,
        scopes=[scope for scope in SCOPES if scope in asked],
        at=who.at,
        by=who.actor.staff_id,
        expires_on=expires_on,
    )
    _trace(tx, who, "integration.token", name)
    made = integrations.token_by_name(tx, name)
    assert made is not None
    return made, token


def tokens(tx: Transaction, who: Occasion) -> list[TokenRow]:
    """Every token, also those that have ended."""
    require(who.actor, PERMISSION)
    return integrations.tokens(tx)


def revoke_token(tx: Transaction, who: Occasion, name: str) -> TokenRow:
    """The token is worth nothing from now on; doing it again changes nothing."""
    require(who.actor, PERMISSION)
    row = integrations.token_by_name(tx, name)
    if row is None:
        raise not_found(_("Integration"), name)
    if row.revoked_at is None:
        integrations.change_token(tx, row.id, revoked_at=who.at)
        _trace(tx, who, "integration.revoke", name)
    return row._replace(revoked_at=row.revoked_at or who.at)


def caller(tx: Transaction, token: str, at: datetime) -> Caller | None:
    """Who shows this token; None when it is unknown, revoked or has ended, or when whom it acts for is not active.

    What somebody opened with a reason is open to them, not to their programs.
    """
    row = integrations.token_by_hash(tx, token_hash(token))
    on = at.astimezone(ROME).date()
    if row is None or row.revoked_at is not None or row.expires_on < on or not row.active:
        return None
    everybody = network.members(tx)
    return Caller(row, actor_for(everybody[row.staff_id], everybody, on))


def is_stale(row: TokenRow, at: datetime) -> bool:
    """Whether "last used" should be written again: not for each call."""
    return row.last_used_at is None or at - row.last_used_at >= TOUCH


def touch(tx: Transaction, row: TokenRow, at: datetime) -> None:
    """The token was used."""
    integrations.change_token(tx, row.id, last_used_at=at)


def _trace(tx: Transaction, who: Occasion, what: str, name: str) -> None:
    access.record(tx, staff_id=who.actor.staff_id, at=who.at, what=what, household_id=None, detail=name)
