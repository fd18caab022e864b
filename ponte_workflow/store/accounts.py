"""Credentials, second factors and sessions: what is kept of them, and never a password or a token itself."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import delete, func, insert, select, update

from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.schema.accounts import break_glass, credential, recovery_code, web_session
from ponte_workflow.store.schema.network import staff


@dataclass(frozen=True, slots=True)
class Credential:
    """How somebody comes in. `totp_secret` is decrypted."""

    staff_id: int
    password_hash: str | None
    must_change: bool
    totp_secret: str | None
    totp_confirmed: bool
    totp_last_step: int
    failed: int
    locked_until: datetime | None
    oidc_subject: str | None


class SessionRow(NamedTuple):
    """One session of the web application."""

    id: int
    staff_id: int
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    second_factor: bool
    browser: str


_SESSION = (
    web_session.c.id,
    web_session.c.staff_id,
    web_session.c.created_at,
    web_session.c.last_seen_at,
    web_session.c.expires_at,
    web_session.c.second_factor,
    web_session.c.browser,
)


def credential_of(tx: Transaction, staff_id: int) -> Credential | None:
    """The credential of a member of staff; None before the first password."""
    row = tx.connection.execute(select(credential).where(credential.c.staff_id == staff_id)).mappings().first()
    if row is None:
        return None
    return Credential(
        row["staff_id"],
        row["password_hash"],
        row["must_change"],
        tx.cipher.decrypt(row["totp_secret"]) if row["totp_secret"] else None,
        row["totp_confirmed"],
        row["totp_last_step"],
        row["failed"],
        row["locked_until"],
        row["oidc_subject"],
    )


def put_credential(tx: Transaction, staff_id: int, **values: Any) -> None:
    """Write columns of a credential; it is made when it is new. `totp_secret` is encrypted here."""
    if values.get("totp_secret"):
        values["totp_secret"] = tx.cipher.encrypt(values["totp_secret"])
    mine = credential.c.staff_id == staff_id
    if values:
        there = tx.connection.execute(update(credential).where(mine).values(**values)).rowcount
    else:
        there = tx.connection.execute(select(func.count()).where(mine)).scalar_one()
    if not there:
        fresh = {"must_change": False, "totp_confirmed": False, "totp_last_step": 0, "failed": 0}
        tx.connection.execute(insert(credential).values(staff_id=staff_id, **fresh | values))


def count_failure(tx: Transaction, staff_id: int) -> int:
    """One wrong password or code more; how many in a row."""
    counted = update(credential).where(credential.c.staff_id == staff_id).values(failed=credential.c.failed + 1)
    return tx.connection.execute(counted.returning(credential.c.failed)).scalar() or 0


def take_totp_step(tx: Transaction, staff_id: int, step: int) -> bool:
    """Use up a time step of the second factor; False when it, or a later one, was used already."""
    taken = update(credential).where(credential.c.staff_id == staff_id, credential.c.totp_last_step < step)
    return tx.connection.execute(taken.values(totp_last_step=step)).rowcount == 1


def put_recovery_codes(tx: Transaction, staff_id: int, hashes: Iterable[str]) -> None:
    """New recovery codes; the old ones are gone."""
    tx.connection.execute(delete(recovery_code).where(recovery_code.c.staff_id == staff_id))
    rows = [{"staff_id": staff_id, "code_hash": code} for code in hashes]
    if rows:
        tx.connection.execute(insert(recovery_code), rows)


def use_recovery_code(tx: Transaction, staff_id: int, code_hash: str, at: datetime) -> bool:
    """Use up a recovery code; False when there is none like it, or it was used."""
    mine = (
        recovery_code.c.staff_id == staff_id,
        recovery_code.c.code_hash == code_hash,
        recovery_code.c.used_at.is_(None),
    )
    return tx.connection.execute(update(recovery_code).where(*mine).values(used_at=at)).rowcount == 1


def recovery_codes_left(tx: Transaction, staff_id: int) -> int:
    """How many recovery codes are not used yet."""
    left = select(func.count()).where(recovery_code.c.staff_id == staff_id, recovery_code.c.used_at.is_(None))
    return tx.connection.execute(left).scalar_one()


def set_language(tx: Transaction, staff_id: int, language: str) -> None:
    """The language in which somebody is written to and reads Ponte."""
    tx.connection.execute(update(staff).where(staff.c.id == staff_id).values(language=language))


def bind_subject(tx: Transaction, staff_id: int, subject: str) -> bool:
    """Bind somebody to a subject of the single sign-on; False when they are bound to another one already."""
    put_credential(tx, staff_id)
    mine = update(credential).where(credential.c.staff_id == staff_id, credential.c.oidc_subject.is_(None))
    return tx.connection.execute(mine.values(oidc_subject=subject)).rowcount == 1


def with_password(tx: Transaction) -> frozenset[int]:
    """The staff ids that have a password."""
    rows = tx.connection.execute(select(credential.c.staff_id).where(credential.c.password_hash.is_not(None)))
    return frozenset(rows.scalars())


def staff_of_subject(tx: Transaction, subject: str) -> int | None:
    """Who has this subject at the single sign-on provider."""
    return tx.connection.execute(select(credential.c.staff_id).where(credential.c.oidc_subject == subject)).scalar()


def add_session(tx: Transaction, **values: Any) -> int:
    """A new session."""
    key = tx.connection.execute(insert(web_session).values(**values)).inserted_primary_key
    assert key is not None
    return int(key[0])


def session_by_hash(tx: Transaction, token_hash: str) -> SessionRow | None:
    """A session that was not revoked, of somebody active; whether it has expired is for the caller to say."""
    row = tx.connection.execute(
        select(*_SESSION)
        .join(staff, staff.c.id == web_session.c.staff_id)
        .where(web_session.c.token_hash == token_hash, web_session.c.revoked_at.is_(None), staff.c.active)
    ).first()
    return None if row is None else SessionRow(*row)


def sessions_of(tx: Transaction, staff_id: int, at: datetime) -> tuple[SessionRow, ...]:
    """The open sessions of somebody, the latest used first."""
    mine = (web_session.c.staff_id == staff_id, web_session.c.revoked_at.is_(None), web_session.c.expires_at > at)
    rows = tx.connection.execute(select(*_SESSION).where(*mine).order_by(web_session.c.last_seen_at.desc()))
    return tuple(SessionRow(*row) for row in rows)


def touch_session(tx: Transaction, session_id: int, **values: Any) -> None:
    """Change columns of a session."""
    tx.connection.execute(update(web_session).where(web_session.c.id == session_id).values(**values))


def revoke_sessions(
    tx: Transaction, staff_id: int, at: datetime, *, only: int | None = None, but: int | None = None
) -> int:
    """End sessions of somebody: all, one (`only`), or all but one; how many."""
    mine = [web_session.c.staff_id == staff_id, web_session.c.revoked_at.is_(None)]
    if only is not None:
        mine.append(web_session.c.id == only)
    if but is not None:
        mine.append(web_session.c.id != but)
    return tx.connection.execute(update(web_session).where(*mine).values(revoked_at=at)).rowcount


def opened_cases(tx: Transaction, staff_id: int, at: datetime) -> frozenset[int]:
    """The cases that somebody has opened with a reason, as long as that holds."""
    rows = tx.connection.execute(
        select(break_glass.c.case_id).where(break_glass.c.staff_id == staff_id, break_glass.c.until_at > at)
    )
    return frozenset(rows.scalars())
