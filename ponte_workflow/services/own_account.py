"""What people do with their own account: password, second factor, sessions, language, days away."""

from dataclasses import dataclass
from datetime import date, datetime

from ponte_workflow.errors import BadInput, NotFound
from ponte_workflow.i18n import LANGUAGES
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services import accounts, passwords
from ponte_workflow.services.accounts import IDLE, Attempt, SignedIn
from ponte_workflow.services.permissions import CASEWORKERS
from ponte_workflow.store import accounts as kept
from ponte_workflow.store import letters, network
from ponte_workflow.store.accounts import SessionRow
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.network import Member


@dataclass(frozen=True, slots=True)
class OwnAccount:
    """What the page of one's own account shows."""

    partner: str
    sessions: tuple[SessionRow, ...]  # open ones, the latest used first
    has_password: bool
    second_factor: bool
    recovery_codes: int  # not used yet
    single_sign_on: bool  # somebody has come in by it
    deputies: tuple[Member, ...]  # who may cover


def open_account(tx: Transaction, signed_in: SignedIn, at: datetime) -> OwnAccount:
    """One's own account."""
    member = signed_in.member
    known = kept.credential_of(tx, member.id)
    return OwnAccount(
        letters.partner_name(tx, member.partner_id) or member.partner_code,
        tuple(s for s in kept.sessions_of(tx, member.id, at) if s.last_seen_at + IDLE > at),
        known is not None and known.password_hash is not None,
        known is not None and known.totp_confirmed,
        kept.recovery_codes_left(tx, member.id),
        known is not None and known.oidc_subject is not None,
        deputies(tx, member),
    )


def deputies(tx: Transaction, member: Member) -> tuple[Member, ...]:
    """Who may cover for somebody: active colleagues of the same organisation who see households themselves.

    A deputy sees the cases of whoever they cover, so nobody may let another organisation in this way.
    """
    return tuple(
        other
        for other in network.members(tx).values()
        if other.active
        and other.id != member.id
        and other.partner_id == member.partner_id
        and other.roles & CASEWORKERS
    )


def set_absence(tx: Transaction, member: Member, first: date | None, last: date | None, deputy: str | None) -> None:
    """Away from `first` to `last` (both included), covered by a deputy (username); no days: back at work."""
    if first is None and last is None:
        network.set_absence(tx, member.id, None, None, None)
        return
    if first is None:
        raise BadInput(_("Say from which day you are away"))
    if last is not None and last < first:
        raise BadInput(_("The last day away comes before the first"))
    covering = {other.username: other.id for other in deputies(tx, member)}
    if deputy and deputy not in covering:
        raise BadInput(_("{name} cannot cover for you: choose a colleague of your organisation").format(name=deputy))
    network.set_absence(tx, member.id, first, last, covering[deputy] if deputy else None)


def set_language(tx: Transaction, member: Member, language: str) -> None:
    """The language of one's pages and mails."""
    if language not in LANGUAGES:
        raise BadInput(_("The language must be it or en, not {language}").format(language=language))
    kept.set_language(tx, member.id, language)


def end_session(tx: Transaction, member: Member, session_id: int, at: datetime) -> None:
    """End one of one's own sessions."""
    if not kept.revoke_sessions(tx, member.id, at, only=session_id):
        raise NotFound(_("This session has ended already"))


def end_other_sessions(tx: Transaction, signed_in: SignedIn, at: datetime) -> int:
    """End all of one's sessions but the present one; how many."""
    return kept.revoke_sessions(tx, signed_in.member.id, at, but=signed_in.session.id)


def judge(member: Member, old: str, new: str, again: str) -> None:
    """Refuse, with what to mend, a new password that the rules do not allow or that was mistyped."""
    if new != again:
        raise BadInput(_("The two new passwords are not the same"))
    if new == old:
        raise BadInput(_("The new password is the old one"))
    passwords.check_rules(new, member.username)


def change_password(
    tx: Transaction, signed_in: SignedIn, attempt: Attempt, password_hash: str | None, at: datetime
) -> str | None:
    """A new password by the person, who has proved the old one: all other sessions end, this one gets the new token.

    password_hash: of the new one; None when the old one was wrong: that counts as a failure, so the caller commits.
    """
    if not _proved(tx, attempt, password_hash is not None, at) or password_hash is None:
        return None
    accounts.put_password(tx, signed_in.member.id, password_hash, at=at, must_change=False)
    return accounts.renew_session(tx, signed_in.session, at, second_factor=signed_in.session.second_factor)


def confirm_second_factor(tx: Transaction, signed_in: SignedIn, code: str, at: datetime) -> tuple[tuple[str, ...], str]:
    """The second factor is in force; returns the recovery codes and the new token of this session, which has shown it.

    Other sessions have not: they are asked for a code.
    """
    codes = accounts.confirm_second_factor(tx, signed_in.member.id, code, at)
    return codes, accounts.renew_session(tx, signed_in.session, at, second_factor=True)


def prove(tx: Transaction, attempt: Attempt, right: bool, code: str, at: datetime) -> bool:
    """Whether whoever sits there is the person: by password, or by a code where there is no password.

    A failure is counted, so the caller commits either way.
    """
    if attempt.member is None:
        return False
    if accounts.has_password(tx, attempt.member.id):
        return _proved(tx, attempt, right, at)
    return accounts.check_second_factor(tx, attempt.member.id, code, at)


def remove_second_factor(tx: Transaction, signed_in: SignedIn, at: datetime) -> str:
    """Without a second factor again: all other sessions end, this one gets the returned token."""
    accounts.remove_second_factor(tx, signed_in.member.id, at)
    return accounts.renew_session(tx, signed_in.session, at, second_factor=False)


def _proved(tx: Transaction, attempt: Attempt, right: bool, at: datetime) -> bool:
    return accounts.finish_sign_in(tx, attempt, right, at) is not None
