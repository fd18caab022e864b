"""Coming in: password, second factor, lock-out, sessions. Every refusal sounds the same to whoever guesses."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyotp

from ponte_workflow.clock import ROME
from ponte_workflow.errors import BadInput
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services import passwords
from ponte_workflow.services.rights import Actor, actor_for
from ponte_workflow.store import access, accounts, inbox, network
from ponte_workflow.store.accounts import Credential, SessionRow
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.network import Member

IDLE = timedelta(minutes=60)
ABSOLUTE = timedelta(hours=12)
HALF_WAY = timedelta(minutes=10)  # a password was right, the second factor is still to come
TOUCH = timedelta(minutes=1)  # how exactly "last seen" is kept: not a write for each page
FREE_FAILURES = 5  # from then on each further failure locks, twice as long as the one before
FIRST_LOCK, LONGEST_LOCK = timedelta(minutes=1), timedelta(hours=1)
RECOVERY_CODES = 10
_STEP = 30  # seconds of a TOTP code (RFC 6238)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Whoever stands behind a session."""

    session: SessionRow
    member: Member
    actor: Actor
    must_change: bool  # the password, before anything else
    must_enrol: bool  # a second factor, because the role asks for one
    half: bool = False  # the second factor is still to come
    unread: int = 0  # notices in the inbox


def token_hash(token: str) -> str:
    """What is kept of a session's or an integration's token: 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()


def set_password(tx: Transaction, staff_id: int, password: str, *, at: datetime, must_change: bool) -> None:
    """A new password, judged by the rules; every session of the person ends, and so does a lock."""
    passwords.check_rules(password, network.members(tx)[staff_id].username)
    put_password(tx, staff_id, passwords.hash_password(password), at=at, must_change=must_change)


def put_password(tx: Transaction, staff_id: int, password_hash: str, *, at: datetime, must_change: bool) -> None:
    """The same for a password that was judged and hashed before the transaction began."""
    accounts.put_credential(
        tx,
        staff_id,
        password_hash=password_hash,
        must_change=must_change,
        changed_at=at,
        failed=0,
        locked_until=None,
    )
    accounts.revoke_sessions(tx, staff_id, at)
    access.record(tx, staff_id=staff_id, at=at, what="account.password", household_id=None, detail="")


def random_password() -> str:
    """A first password to hand over: five groups of four letters and digits that are not mistaken for each other."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _n in range(4)) for _group in range(5))


def unlock(tx: Transaction, staff_id: int, at: datetime) -> None:
    """The lock after wrong tries ends, and the tries are forgotten."""
    accounts.put_credential(tx, staff_id, failed=0, locked_until=None)
    access.record(tx, staff_id=staff_id, at=at, what="account.unlock", household_id=None, detail="")


def has_password(tx: Transaction, staff_id: int) -> bool:
    """Whether somebody can sign in with a password."""
    return staff_id in accounts.with_password(tx)


def any_password(tx: Transaction) -> bool:
    """Whether anybody can."""
    return bool(accounts.with_password(tx))


@dataclass(frozen=True, slots=True)
class Attempt:
    """Somebody at the door: who they say they are, and against what their password is held."""

    member: Member | None
    password_hash: str | None  # None: unknown, locked, inactive or without a password; verified all the same

    def verify(self, password: str) -> bool:
        """Whether the password is right. Slow on purpose: no transaction should be open meanwhile."""
        return passwords.verify(self.password_hash, password)


def begin_sign_in(tx: Transaction, username: str, at: datetime) -> Attempt:
    """Read whom a username may mean; nobody is told whether there is one."""
    member = by_login_name(tx, username)
    known = accounts.credential_of(tx, member.id) if member else None
    if member is None or known is None or not member.active or _is_locked(known, at):
        return Attempt(member, None)
    return Attempt(member, known.password_hash)


def by_login_name(tx: Transaction, username: str) -> Member | None:
    """Whom a typed username means: written as it is kept, else in any case if only one person is meant."""
    wanted, everybody = username.strip(), network.members(tx).values()
    exact = [m for m in everybody if m.username == wanted]
    alike = exact or [m for m in everybody if m.username.lower() == wanted.lower()]
    return alike[0] if len(alike) == 1 else None


def finish_sign_in(tx: Transaction, attempt: Attempt, right: bool, at: datetime) -> Member | None:
    """The member of staff, or None. A failure is counted, so the caller commits either way."""
    member = attempt.member
    if member is None or attempt.password_hash is None:
        return None
    known = accounts.credential_of(tx, member.id)
    if known is None or _is_locked(known, at):
        return None  # somebody else's failures locked it meanwhile
    if not right:
        _count_failure(tx, member.id, at)
        return None
    if not known.totp_confirmed:  # else whoever has the password could guess codes without end
        accounts.put_credential(tx, member.id, failed=0, locked_until=None)
    return member


def needs_second_factor(tx: Transaction, staff_id: int) -> bool:
    """Whether the person has set up a second factor."""
    known = accounts.credential_of(tx, staff_id)
    return known is not None and known.totp_confirmed


def check_second_factor(tx: Transaction, staff_id: int, code: str, at: datetime) -> bool:
    """A TOTP code (each is taken once) or a recovery code. A failure is counted, so the caller commits either way."""
    known = accounts.credential_of(tx, staff_id)
    if known is None or not known.totp_confirmed or _is_locked(known, at):
        return False
    plain = "".join(code.split()).lower().replace("-", "")
    if _totp_is_right(tx, staff_id, known.totp_secret, plain, at) or accounts.use_recovery_code(
        tx, staff_id, _recovery_hash(tx, staff_id, plain), at
    ):
        accounts.put_credential(tx, staff_id, failed=0, locked_until=None)
        return True
    _count_failure(tx, staff_id, at)
    return False


def propose_second_factor(tx: Transaction, staff_id: int) -> str:
    """A new TOTP secret (base 32), not yet in force: it is once a code of it was given."""
    known = accounts.credential_of(tx, staff_id)
    if known is not None and known.totp_secret and not known.totp_confirmed:
        return known.totp_secret
    if known is not None and known.totp_confirmed:
        raise BadInput(_("A second factor is in force already: remove it first"))
    secret = pyotp.random_base32()
    accounts.put_credential(tx, staff_id, totp_secret=secret, totp_confirmed=False)
    return secret


def confirm_second_factor(tx: Transaction, staff_id: int, code: str, at: datetime) -> tuple[str, ...]:
    """The second factor is in force from now on; returns the recovery codes, which are shown this once."""
    known = accounts.credential_of(tx, staff_id)
    if known is None or known.totp_confirmed:
        raise BadInput(_("No second factor is being set up"))
    if not _totp_is_right(tx, staff_id, known.totp_secret, "".join(code.split()), at):
        raise BadInput(_("This code is not right: look at the clock of your phone, and try the next one"))
    accounts.put_credential(tx, staff_id, totp_confirmed=True)
    access.record(tx, staff_id=staff_id, at=at, what="account.second_factor", household_id=None, detail="on")
    return new_recovery_codes(tx, staff_id, at)


def new_recovery_codes(tx: Transaction, staff_id: int, at: datetime) -> tuple[str, ...]:
    """Ten fresh recovery codes; the old ones are worth nothing any more."""
    codes = tuple(f"{secrets.token_hex(3)}-{secrets.token_hex(3)}" for _n in range(RECOVERY_CODES))
    accounts.put_recovery_codes(tx, staff_id, [_recovery_hash(tx, staff_id, code.replace("-", "")) for code in codes])
    access.record(tx, staff_id=staff_id, at=at, what="account.recovery_codes", household_id=None, detail="")
    return codes


def remove_second_factor(tx: Transaction, staff_id: int, at: datetime) -> None:
    """Without a second factor again; every session ends."""
    accounts.put_credential(tx, staff_id, totp_secret=None, totp_confirmed=False)
    accounts.put_recovery_codes(tx, staff_id, ())
    accounts.revoke_sessions(tx, staff_id, at)
    access.record(tx, staff_id=staff_id, at=at, what="account.second_factor", household_id=None, detail="off")


def open_session(tx: Transaction, staff_id: int, *, at: datetime, browser: str, second_factor: bool) -> str:
    """A new session; returns its token, which is kept nowhere. Half a session while the second factor is to come."""
    token = secrets.token_urlsafe(32)
    half = needs_second_factor(tx, staff_id) and not second_factor
    accounts.add_session(
        tx,
        token_hash=token_hash(token),
        staff_id=staff_id,
        created_at=at,
        last_seen_at=at,
        expires_at=at + (HALF_WAY if half else ABSOLUTE),
        second_factor=second_factor,
        browser=_one_line(browser),
    )
    if not half:
        access.record(tx, staff_id=staff_id, at=at, what="account.sign_in", household_id=None, detail="")
    return token


def complete_session(tx: Transaction, session: SessionRow, at: datetime) -> str:
    """The second factor was right: a new token replaces the half session's."""
    accounts.revoke_sessions(tx, session.staff_id, at, only=session.id)
    return open_session(tx, session.staff_id, at=at, browser=session.browser, second_factor=True)


def renew_session(tx: Transaction, session: SessionRow, at: datetime, *, second_factor: bool) -> str:
    """The same session goes on under a new token, also when a new password has just ended all; its last hour stays."""
    token = secrets.token_urlsafe(32)
    accounts.touch_session(
        tx,
        session.id,
        token_hash=token_hash(token),
        last_seen_at=at,
        revoked_at=None,
        second_factor=second_factor,
    )
    return token


def signed_in(tx: Transaction, token: str, at: datetime, *, required: frozenset[str]) -> SignedIn | None:
    """Who stands behind a session token; None when it is unknown, revoked, idle for too long or expired.

    required: roles that must have a second factor.
    """
    session = accounts.session_by_hash(tx, token_hash(token))
    if session is None or session.expires_at <= at or session.last_seen_at + IDLE <= at:
        return None
    everybody = network.members(tx)
    member = everybody[session.staff_id]
    known = accounts.credential_of(tx, member.id)
    opened = accounts.opened_cases(tx, member.id, at)
    enrolled = known is not None and known.totp_confirmed
    # A second factor that is not ours was the single sign-on's: our password and our codes are not its business.
    elsewhere = session.second_factor and not enrolled
    on = at.astimezone(ROME).date()
    return SignedIn(
        session,
        member,
        actor_for(member, everybody, on, opened),
        must_change=known is not None and known.must_change and not elsewhere,
        must_enrol=not enrolled and not elsewhere and bool(member.roles & required),
        half=enrolled and not session.second_factor,
        unread=inbox.unread(tx, member.id),
    )


def _is_locked(known: Credential, at: datetime) -> bool:
    return known.locked_until is not None and known.locked_until > at


def _totp_is_right(tx: Transaction, staff_id: int, secret: str | None, code: str, at: datetime) -> bool:
    """A code of the present step or of a neighbour (clocks differ a little), never one that was taken."""
    if not secret or not (code.isascii() and code.isdecimal()):  # compare_digest takes no other figures
        return False
    totp, now = pyotp.TOTP(secret), int(at.timestamp())
    for step in (now // _STEP - 1, now // _STEP, now // _STEP + 1):
        if secrets.compare_digest(totp.at(step * _STEP), code):
            return accounts.take_totp_step(tx, staff_id, step)
    return False


def _recovery_hash(tx: Transaction, staff_id: int, plain: str) -> str:
    # With the field key, which does not lie in the database: 48 bits alone could be guessed from a stolen copy.
    return tx.cipher.blind_index(f"recovery:{staff_id}:{plain}")


def _one_line(browser: str) -> str:
    return "".join(sign for sign in browser if sign.isprintable())[:120]


def _count_failure(tx: Transaction, staff_id: int, at: datetime) -> None:
    failed = accounts.count_failure(tx, staff_id)
    if failed >= FREE_FAILURES:
        lock = min(FIRST_LOCK * 2 ** min(failed - FREE_FAILURES, 10), LONGEST_LOCK)
        accounts.put_credential(tx, staff_id, locked_until=at + lock)
        access.record(tx, staff_id=staff_id, at=at, what="account.locked", household_id=None, detail=str(failed))
