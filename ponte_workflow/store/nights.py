"""Night rows, their steps and certificates."""

import hashlib
import json
from collections.abc import Collection, Iterator
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import and_, func, insert, literal, or_, select, text, update

from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.history import FIRST, canonical
from ponte_workflow.store.schema.casework import history
from ponte_workflow.store.schema.nights import certificate, night, night_step


class StepCounts(NamedTuple):
    """What one step did: how many it looked at, acted on, set aside."""

    looked_at: int = 0
    acted_on: int = 0
    set_aside: int = 0

    def __add__(self, other: object) -> "StepCounts":
        assert isinstance(other, StepCounts)
        return StepCounts(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


class StepRow(NamedTuple):
    """A step as it stands in the night table."""

    step: str
    shard: int
    status: str
    counts: StepCounts
    note: str | None


def pending_dates(tx: Transaction, on: date) -> tuple[date, ...]:
    """The nights still to run up to `on`, in order: after the last completed one, or `on` alone when there is none."""
    last = tx.connection.execute(select(func.max(night.c.business_on)).where(night.c.status == "completed")).scalar()
    begun = tx.connection.execute(select(func.min(night.c.business_on)).where(night.c.status != "completed")).scalar()
    first = last + timedelta(days=1) if last is not None else begun if begun is not None and begun <= on else on
    return tuple(first + timedelta(days=n) for n in range((on - first).days + 1))


def begin(tx: Transaction, on: date, *, runner: str, replayed: bool, at: datetime) -> int:
    """The row of that night; an unfinished one is taken up again."""
    row = tx.connection.execute(select(night.c.id).where(night.c.business_on == on)).first()
    if row is not None:
        tx.connection.execute(
            update(night).where(night.c.id == row.id).values(attempts=night.c.attempts + 1, runner=runner)
        )
        return int(row.id)
    result = tx.connection.execute(
        insert(night).values(
            business_on=on, status="running", runner=runner, replayed=replayed, started_at=at, attempts=1
        )
    )
    key = result.inserted_primary_key
    assert key is not None
    return int(key[0])


def complete(tx: Transaction, night_id: int, at: datetime) -> None:
    """The night is done."""
    tx.connection.execute(update(night).where(night.c.id == night_id).values(status="completed", completed_at=at))


def count_step(
    tx: Transaction, night_id: int, step: str, shard: int, counts: StepCounts, *, anew: Collection[str] = ()
) -> None:
    """Add to a step's counts, in the transaction that did the work: a killed run's work stays counted.

    anew: the counts that begin at zero, because a step that is taken up again looks at everything once more.
    """
    known = {name: literal(0) if name in anew else night_step.c[name] for name in StepCounts._fields}
    tx.connection.execute(
        update(night_step)
        .where(night_step.c.night_id == night_id, night_step.c.step == step, night_step.c.shard == shard)
        .values({name: known[name] + count for name, count in counts._asdict().items()})
    )


def end_step(tx: Transaction, night_id: int, step: str, shard: int, *, skipped: bool, note: str | None) -> None:
    """The step is done, or was left out and says why."""
    tx.connection.execute(
        update(night_step)
        .where(night_step.c.night_id == night_id, night_step.c.step == step, night_step.c.shard == shard)
        .values(status="skipped" if skipped else "completed", note=note)
    )


def steps(tx: Transaction, night_id: int) -> tuple[StepRow, ...]:
    """The steps of a night in the order in which they began."""
    rows = tx.connection.execute(select(night_step).where(night_step.c.night_id == night_id).order_by(night_step.c.id))
    return tuple(
        StepRow(r.step, r.shard, r.status, StepCounts(r.looked_at, r.acted_on, r.set_aside), r.note) for r in rows
    )


def night_row(tx: Transaction, on: date) -> Any:
    """The night of that date (id, status, runner, replayed, started_at, attempts), or None."""
    return tx.connection.execute(select(night).where(night.c.business_on == on)).first()


def night_by_id(tx: Transaction, night_id: int) -> Any:
    """The same by its id, which there is."""
    return tx.connection.execute(select(night).where(night.c.id == night_id)).one()


def certificate_of(tx: Transaction, on: date) -> dict[str, Any] | None:
    """The certificate of that night, or None when it was never completed."""
    row = tx.connection.execute(
        select(certificate.c.content, certificate.c.hash).join(night).where(night.c.business_on == on)
    ).first()
    return None if row is None else {**json.loads(row.content), "hash": row.hash}


def last_nights(tx: Transaction, limit: int) -> list[tuple[date, str, bool]]:
    """(business date, status, replayed), the newest first."""
    rows = tx.connection.execute(
        select(night.c.business_on, night.c.status, night.c.replayed).order_by(night.c.business_on.desc()).limit(limit)
    )
    return [(r.business_on, r.status, r.replayed) for r in rows]


def replayed_since_last_real(tx: Transaction, on: date) -> list[date]:
    """The missed nights that were done together with the night of `on`."""
    last = tx.connection.execute(
        select(func.max(night.c.business_on)).where(night.c.business_on < on, night.c.replayed.is_(False))
    ).scalar()
    query = select(night.c.business_on).where(night.c.replayed.is_(True), night.c.business_on < on)
    if last is not None:
        query = query.where(night.c.business_on > last)
    return list(tx.connection.execute(query.order_by(night.c.business_on)).scalars())


def seal(tx: Transaction, *, close: bool) -> dict[str, Any]:
    """Digest of every history entry since the last certificate.

    On PostgreSQL ids may commit out of order: a share lock waits for writers under way, so that nothing slips between.
    """
    if close and tx.is_postgresql:
        # A function of the owner's (migration 0013): the lock itself is given to nobody who may not change histories.
        tx.connection.execute(text("SELECT ponte_wait_for_history()"))
    first = tx.connection.execute(select(func.coalesce(func.max(certificate.c.history_to), 0))).scalar_one()
    last = tx.connection.execute(select(func.coalesce(func.max(history.c.id), 0))).scalar_one()
    entries, digest = digest_of(tx, first, last)
    return {"after_id": first, "to_id": last, "entries": entries, "digest": digest}


def digest_of(tx: Transaction, after_id: int, to_id: int) -> tuple[int, str]:
    """(how many, SHA-256 over id and hash) of the entries in (after_id, to_id]."""
    digest, entries = hashlib.sha256(), 0
    rows = tx.connection.execute(
        (
            select(history.c.id, history.c.hash)
            .where(history.c.id > after_id, history.c.id <= to_id)
            .order_by(history.c.id)
        ).execution_options(yield_per=10_000)
    )
    for row in rows:
        digest.update(f"{row.id}:{row.hash}\n".encode())
        entries += 1
    return entries, digest.hexdigest()


def certify(tx: Transaction, night_id: int, content: dict[str, Any]) -> str:
    """Write the certificate, chained to the one before; returns its hash. One for each night (its key)."""
    previous = (
        tx.connection.execute(
            select(certificate.c.hash).order_by(certificate.c.history_to.desc(), certificate.c.night_id.desc()).limit(1)
        ).scalar()
        or FIRST
    )
    text_ = canonical(content)
    digest = hashlib.sha256(f"{previous}\n{text_}".encode()).hexdigest()
    tx.connection.execute(
        insert(certificate).values(
            night_id=night_id,
            content=text_,
            history_to=content["history"]["to_id"],
            previous_hash=previous,
            hash=digest,
        )
    )
    return digest


def count(tx: Transaction) -> int:
    """How many certificates there are."""
    return tx.connection.execute(select(func.count()).select_from(certificate)).scalar_one()


def certificate_breaks(tx: Transaction) -> Iterator[str]:
    """Certificates that were changed, or whose sealed history is no longer what it was."""
    previous = FIRST
    rows = tx.connection.execute(
        select(certificate, night.c.business_on).join(night).order_by(certificate.c.history_to, certificate.c.night_id)
    ).all()
    for row in rows:
        if (
            row.previous_hash != previous
            or hashlib.sha256(f"{previous}\n{row.content}".encode()).hexdigest() != row.hash
        ):
            yield f"certificate of {row.business_on}: changed"
        sealed = json.loads(row.content)["history"]
        if digest_of(tx, sealed["after_id"], sealed["to_id"]) != (sealed["entries"], sealed["digest"]):
            yield f"certificate of {row.business_on}: the history it sealed is no longer the same"
        previous = row.hash


class NightRow(NamedTuple):
    """A night with the sums of its steps. `hash`: of its certificate; None while it is not completed."""

    id: int
    on: date
    status: str
    runner: str
    replayed: bool
    started_at: datetime
    completed_at: datetime | None
    attempts: int
    steps_done: int
    looked_at: int
    acted_on: int
    set_aside: int
    hash: str | None


class Certificate(NamedTuple):
    """A certificate as it is kept: its content word for word, and its place in the chain."""

    content: dict[str, Any]
    previous_hash: str
    hash: str
    sound: bool  # whether hash, content and the certificate before still fit together
    previous_on: date | None  # the night of the certificate before


def nights_seen(tx: Transaction, limit: int, on: date | None = None, *, before: date | None = None) -> list[NightRow]:
    """The last nights, those before a date, the newest first; or the one of a date."""
    sums = (
        select(
            night_step.c.night_id,
            func.count().filter(night_step.c.status.not_in(("waiting", "running"))).label("done"),
            func.sum(night_step.c.looked_at).label("looked_at"),
            func.sum(night_step.c.acted_on).label("acted_on"),
            func.sum(night_step.c.set_aside).label("set_aside"),
        )
        .group_by(night_step.c.night_id)
        .subquery()
    )
    query = (
        select(
            night.c.id,
            night.c.business_on,
            night.c.status,
            night.c.runner,
            night.c.replayed,
            night.c.started_at,
            night.c.completed_at,
            night.c.attempts,
            func.coalesce(sums.c.done, 0),
            func.coalesce(sums.c.looked_at, 0),
            func.coalesce(sums.c.acted_on, 0),
            func.coalesce(sums.c.set_aside, 0),
            certificate.c.hash,
        )
        .outerjoin(sums, sums.c.night_id == night.c.id)
        .outerjoin(certificate, certificate.c.night_id == night.c.id)
        .order_by(night.c.business_on.desc())
        .limit(limit)
    )
    if on is not None:
        query = query.where(night.c.business_on == on)
    if before is not None:
        query = query.where(night.c.business_on < before)
    return [NightRow(*row) for row in tx.connection.execute(query)]


def certificate_in_chain(tx: Transaction, on: date) -> Certificate | None:
    """The certificate of that night with its neighbour; None when it was never completed."""
    chain = (certificate.c.history_to, certificate.c.night_id)
    mine = tx.connection.execute(select(certificate).join(night).where(night.c.business_on == on)).first()
    if mine is None:
        return None
    before = tx.connection.execute(
        select(certificate.c.hash, night.c.business_on)
        .join(night)
        .where(
            or_(
                chain[0] < mine.history_to,
                and_(chain[0] == mine.history_to, chain[1] < mine.night_id),
            )
        )
        .order_by(*(column.desc() for column in chain))
        .limit(1)
    ).first()
    digest = hashlib.sha256(f"{mine.previous_hash}\n{mine.content}".encode()).hexdigest()
    sound = digest == mine.hash and mine.previous_hash == (before.hash if before else FIRST)
    return Certificate(
        json.loads(mine.content), mine.previous_hash, mine.hash, sound, before.business_on if before else None
    )
