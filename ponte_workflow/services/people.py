"""Users and absences looked after by others: who works with Ponte, in which roles, how they come in. See own_account."""

import re
from dataclasses import dataclass
from datetime import date

from ponte_workflow.errors import BadInput, NotAllowed, PonteError, not_found
from ponte_workflow.i18n import LANGUAGES
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services import accounts, own_account, single_sign_on
from ponte_workflow.services.casework import Occasion
from ponte_workflow.services.permissions import PERMISSIONS, allowed, require
from ponte_workflow.store import access, feeds, network, staffing, teams
from ponte_workflow.store import accounts as kept
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.network import ROLES, Member
from ponte_workflow.store.staffing import AccountLine

READ, MANAGE = "people.read", "people.manage"
MANAGERS = PERMISSIONS[MANAGE]
_USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,59}")
_MAIL = re.compile(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+\.[^@\s,;<>\"]+")


class Protected(PonteError):
    """It would leave Ponte, or whoever asks for it, without somebody who looks after the people."""

    status = 409


@dataclass(frozen=True, slots=True)
class PersonTold:
    """A member of staff with their account; `email` None for readers who do not look after people."""

    member: Member
    partner: str
    account: AccountLine
    open_cases: int
    away: bool
    email: str | None = None
    deputies: tuple[Member, ...] = ()
    deputy: str | None = None  # name


@dataclass(frozen=True, slots=True)
class Given:
    """What a form says about a person."""

    username: str
    name: str
    partner: str  # its code
    roles: frozenset[str]
    language: str
    email: str


def people(
    tx: Transaction, who: Occasion, *, partner: str | None = None, role: str | None = None, active: bool | None = None
) -> tuple[PersonTold, ...]:
    """Everybody, or who answers to the filters; the active first, then by name."""
    require(who.actor, READ)
    everybody = network.members(tx)
    known, carried = staffing.accounts(tx), staffing.open_cases(tx)
    names = {one.id: one.name for one in staffing.partners(tx)}
    found = [
        _told(member, everybody, names, known, carried, who.on)
        for member in everybody.values()
        if (partner is None or member.partner_code == partner)
        and (role is None or role in member.roles)
        and (active is None or member.active is active)
    ]
    return tuple(sorted(found, key=lambda one: (not one.member.active, one.member.name.lower(), one.member.id)))


def person(tx: Transaction, who: Occasion, username: str) -> PersonTold:
    """One of them, with who may cover for them."""
    require(who.actor, READ)
    everybody, member = network.members(tx), _member(tx, username)
    names = {one.id: one.name for one in staffing.partners(tx)}
    told = _told(member, everybody, names, staffing.accounts(tx), staffing.open_cases(tx), who.on)
    email = network.staff_email(tx, member.id) if allowed(who.actor, MANAGE) else None
    return PersonTold(
        told.member, told.partner, told.account, told.open_cases, told.away, email,
        own_account.deputies(tx, member), told.deputy,
    )  # fmt: skip


def add(tx: Transaction, who: Occasion, given: Given) -> Member:
    """Somebody new, without a password yet."""
    require(who.actor, MANAGE)
    username = given.username.strip().lower()
    if not _USERNAME.fullmatch(username):
        raise BadInput(_("A username has 2 to 60 lower-case letters, digits, points, dashes or underscores"))
    if any(member.username.lower() == username for member in network.members(tx).values()):
        raise BadInput(_("The username {name} is taken").format(name=username))
    name, email = _checked(given)
    staff_id = network.add_staff(
        tx,
        username=username,
        name=name,
        partner_code=given.partner,
        roles=given.roles,
        email=email,
        language=given.language,
        at=who.at,
    )
    _trace(tx, who, staff_id, "added", f"roles:{','.join(sorted(given.roles))}")
    return network.members(tx)[staff_id]


def edit(tx: Transaction, who: Occasion, username: str, given: Given) -> Member:
    """Another name, organisation, language, mail address or other roles; the username stays."""
    require(who.actor, MANAGE)
    staffing.lock_staff(tx)
    member = _member(tx, username)
    name, email = _checked(given)
    partner_id = network.partner_codes(tx).get(given.partner)
    if partner_id is None:
        raise not_found(_("Partner"), given.partner)
    if given.roles != member.roles:
        _may_have(tx, who, member, given.roles)
        staffing.set_roles(tx, member.id, given.roles)
        _trace(tx, who, member.id, "roles", ",".join(sorted(given.roles)))
    if partner_id != member.partner_id:
        staffing.leave_colleagues(tx, member.id)
        teams.leave(tx, member.id)
        _trace(tx, who, member.id, "partner", given.partner)
    changed = {"name": name, "language": given.language, "partner_id": partner_id, "email": email}
    staffing.update_staff(tx, member.id, **changed)
    _trace(tx, who, member.id, "edited")
    return network.members(tx)[member.id]


def deactivate(tx: Transaction, who: Occasion, username: str) -> int:
    """Somebody leaves: no sign-in, every session ends; how many open cases are still assigned to them."""
    require(who.actor, MANAGE)
    staffing.lock_staff(tx)
    member = _member(tx, username)
    if not member.active:
        raise Protected(_("{name} is not active already").format(name=member.username))
    if member.id == who.actor.staff_id:
        raise Protected(_("Nobody deactivates their own account: ask somebody else who looks after people"))
    _leave_a_manager(tx, member)
    staffing.update_staff(tx, member.id, active=False)
    kept.revoke_sessions(tx, member.id, who.at)
    feeds.revoke(tx, member.id, who.at)
    teams.leave(tx, member.id)
    _trace(tx, who, member.id, "deactivated")
    return staffing.open_cases(tx).get(member.id, 0)


def reactivate(tx: Transaction, who: Occasion, username: str) -> None:
    """Somebody is back, with the roles and the password they had."""
    require(who.actor, MANAGE)
    member = _member(tx, username)
    staffing.update_staff(tx, member.id, active=True)
    _trace(tx, who, member.id, "reactivated")


def give_password(
    tx: Transaction, who: Occasion, username: str, password_hash: str, *, must_change: bool = True
) -> None:
    """A password, hashed before the transaction began; it must be changed at the next sign-in, and all sessions end."""
    require(who.actor, MANAGE)
    member = _another(tx, who, username)
    if not member.active:
        raise Protected(_("{name} is not active: reactivate the account first").format(name=member.username))
    accounts.put_password(tx, member.id, password_hash, at=who.at, must_change=must_change)
    _trace(tx, who, member.id, "password")


def unlock(tx: Transaction, who: Occasion, username: str) -> None:
    """The lock after wrong tries ends."""
    require(who.actor, MANAGE)
    member = _member(tx, username)
    if kept.credential_of(tx, member.id) is not None:
        accounts.unlock(tx, member.id, who.at)
    _trace(tx, who, member.id, "unlocked")


def remove_second_factor(tx: Transaction, who: Occasion, username: str) -> None:
    """For somebody who lost their phone; every session ends."""
    require(who.actor, MANAGE)
    member = _another(tx, who, username)
    accounts.remove_second_factor(tx, member.id, who.at)
    _trace(tx, who, member.id, "second factor removed")


def forget_single_sign_on(tx: Transaction, who: Occasion, username: str) -> None:
    """Who somebody is at the single sign-on is forgotten: the next time, the username binds them anew."""
    require(who.actor, MANAGE)
    member = _member(tx, username)
    single_sign_on.forget(tx, member.id, who.at)
    _trace(tx, who, member.id, "single sign-on forgotten")


def may_set_absence(who: Occasion, member: Member) -> bool:
    """Whether the actor may say that somebody is away: for all with people.manage, supervisors for their own people."""
    own = "supervisor" in who.actor.roles and member.partner_id == who.actor.partner_id
    return own or allowed(who.actor, MANAGE)


def set_absence(
    tx: Transaction, who: Occasion, username: str, first: date | None, last: date | None, deputy: str | None
) -> None:
    """Away from `first` to `last` (both included), covered by a deputy (username); no days: back at work."""
    require(who.actor, READ)
    member = _member(tx, username)
    if not may_set_absence(who, member):
        raise NotAllowed(_("Absences of another organisation's people are set by its supervisor"))
    if member.id == who.actor.staff_id:
        own_account.set_absence(tx, member, first, last, deputy)
    else:
        if first is None and last is not None:
            raise BadInput(_("Say from which day they are away"))
        covering = {other.username for other in own_account.deputies(tx, member)}
        if deputy and deputy not in covering:
            raise BadInput(
                _("{name} cannot cover: choose an active colleague of the same organisation").format(name=deputy)
            )
        own_account.set_absence(tx, member, first, last, deputy)
    _trace(tx, who, member.id, "away" if first else "back", f"{first or ''}..{last or ''}" if first else "")


def _told(
    member: Member,
    everybody: dict[int, Member],
    partners: dict[int, str],
    known: dict[int, AccountLine],
    carried: dict[int, int],
    on: date,
) -> PersonTold:
    deputy = everybody.get(member.deputy_id) if member.deputy_id else None
    return PersonTold(
        member,
        partners.get(member.partner_id, member.partner_code),
        known.get(member.id, AccountLine()),
        carried.get(member.id, 0),
        member.absent(on),
        deputy=deputy.name if deputy else None,
    )


def _member(tx: Transaction, username: str) -> Member:
    return network.member_by_username(tx, username)


def _another(tx: Transaction, who: Occasion, username: str) -> Member:
    member = _member(tx, username)
    if member.id == who.actor.staff_id:
        raise Protected(_("Your own password and second factor are changed under My account"))
    return member


def _checked(given: Given) -> tuple[str, str | None]:
    """Name and mail address, or what to mend."""
    name, email = " ".join(given.name.split()), given.email.strip()
    if not name or len(name) > 120 or not name.isprintable():
        raise BadInput(_("A name has 1 to 120 characters, without control characters"))
    if email and (not _MAIL.fullmatch(email) or len(email) > 200 or not email.isprintable()):
        raise BadInput(_("The mail address is not valid"))
    if given.language not in LANGUAGES:
        raise BadInput(_("The language must be it or en, not {language}").format(language=given.language))
    if not given.roles or given.roles - set(ROLES):
        raise BadInput(_("Choose at least one role from the list"))
    return name, email or None


def _may_have(tx: Transaction, who: Occasion, member: Member, roles: frozenset[str]) -> None:
    """Refuse roles that would raise whoever gives them, or leave nobody to look after people."""
    if member.id == who.actor.staff_id:
        if roles - member.roles:
            raise Protected(_("Nobody gives a role to themselves: ask somebody else who looks after people"))
        if not roles & MANAGERS:
            raise Protected(_("You cannot take from yourself the right to look after people: ask somebody else to"))
    if not roles & MANAGERS:
        _leave_a_manager(tx, member)


def _leave_a_manager(tx: Transaction, leaving: Member) -> None:
    if leaving.active and leaving.roles & MANAGERS:
        others = [m for m in network.members(tx).values() if m.active and m.id != leaving.id and m.roles & MANAGERS]
        if not others:
            raise Protected(
                _("{name} is the last active lead or administrator: give the role to somebody else first").format(
                    name=leaving.username
                )
            )


def _trace(tx: Transaction, who: Occasion, staff_id: int, what: str, more: str = "") -> None:
    detail = f"staff:{staff_id} {what}" + (f" {more}" if more else "")
    access.record(tx, staff_id=who.actor.staff_id, at=who.at, what="people.change", household_id=None, detail=detail)
