"""Send what waits in the outbox: claim, look again, render, send with no transaction open, record."""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import TypeVar

from notifications.channels import Channel, Envelope, Receipt
from notifications.errors import ChannelDown, NotificationError, SendLater, SendNever, SendUncertain
from notifications.message import Message
from notifications.payment_slip import PaymentSlip
from notifications.policy import WEEK, IsHoliday, QuietHours, demand_allowed, next_under_cap, over_cap
from notifications.rendering import Rendered, render
from ponte_workflow.services.patience import Patience
from ponte_workflow.store import inbox, outbox, restored, sweeping, tracking
from ponte_workflow.store.engine import Store, Transaction
from ponte_workflow.store.failures import StoreFailed
from ponte_workflow.store.outbox import ClaimedRow

BACK_OFF = (
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=4),
    timedelta(hours=12),
)
STALE_AFTER = timedelta(minutes=15)  # no server lets a process hold on for so long
NIGHTS_AND_SUNDAYS = QuietHours()
CLAIM = 20  # rows held at once: as many legal ones at most wait for a human after a kill
DOWN_FOR = timedelta(minutes=10)  # how long rows wait for a channel that does not work
LOOKED_AT = 10  # times the limit: so many rows are looked at while those of a dead channel are passed over


@dataclass(frozen=True, slots=True)
class Resolved:
    """Who it goes to, by which way, and what it says, read just before sending.

    A demand without a contact attempt is held. `others`: how many ways are left if it comes back from this one.
    """

    message: Message
    language: str
    address: str
    had_contact_attempt: bool = False
    slips: tuple[PaymentSlip, ...] = ()  # printed below a letter
    channel: str = "email"
    others: int = 0


@dataclass(frozen=True, slots=True)
class Withheld:
    """It must not leave any more (deceased, closed, consent withdrawn); `for_human`: somebody has to look at it."""

    why: str
    for_human: bool = False


@dataclass(frozen=True, slots=True)
class Postponed:
    """It may leave later."""

    until: datetime
    why: str


Resolution = Resolved | Withheld | Postponed
Resolver = Callable[[Transaction, ClaimedRow, datetime], Resolution]
Progress = Callable[[int], None]
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Courtesy:
    """When a household may be written to, and how often in seven days."""

    is_holiday: IsHoliday
    quiet: QuietHours = NIGHTS_AND_SUNDAYS
    cap: int = 2


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """Counts of one run; `down`: the channels that do not work, for which `waiting` rows wait untried."""

    sent: int = 0
    later: int = 0
    postponed: int = 0
    withheld: int = 0
    held: int = 0
    failed: int = 0
    skipped: int = 0  # withdrawn or taken by another process between claim and sending
    expired: int = 0
    swept: int = 0  # left by a dead process and queued again
    waiting: int = 0
    down: tuple[str, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """The counts alone, by name, and how many channels are down."""
        return {name: count for name, count in asdict(self).items() if name != "down"} | {"down": len(self.down)}

    @property
    def handled(self) -> int:
        """Rows looked at in this run."""
        return self.sent + self.later + self.postponed + self.withheld + self.held + self.failed + self.skipped


@dataclass(frozen=True, slots=True)
class _Run:
    store: Store
    channels: Mapping[str, Channel]
    prices: Mapping[str, int]
    resolve: Resolver
    sender: str
    courtesy: Courtesy
    at: datetime
    begun: float
    patience: Patience
    down: dict[str, None] = field(default_factory=dict)  # the channels that were found not to work, in that order

    def moment(self) -> datetime:
        """`at` plus the time that the run has taken: a slow server moves us into the quiet hours."""
        return self.at + timedelta(seconds=time.monotonic() - self.begun)

    def unit(self, act: Callable[[Transaction], Result]) -> Result:
        """One transaction, done again when the database went away and came back: what left must be written down."""

        def once() -> Result:
            with self.store.transaction() as tx:
                return act(tx)

        return self.patience.through(once)

    def local_date(self, at: datetime) -> date:
        return self.courtesy.quiet.local_date(at)


def deliver(
    store: Store,
    channels: Mapping[str, Channel],
    resolve: Resolver,
    *,
    sender: str,
    courtesy: Courtesy,
    at: datetime,
    limit: int,
    on_progress: Progress | None = None,
    prices: Mapping[str, int] = {},
    shard: tuple[int, int] = (0, 1),
    patience: float = 0,
) -> DeliveryReport:
    """Send up to `limit` rows that are ready at `at` (aware), each through the channel that its resolution names.

    Opens its own transactions: none is open while a channel works. `resolve` reads names and addresses inside one.
    `on_progress` gets the number of rows handled so far. Rows never raise: what went wrong stands in their `why`.
    A channel that is down keeps its own rows waiting and no others. prices: channel -> cents for each piece.
    shard: (which, of how many) by case id: several processes share the work, and one case's messages keep their order.
    patience: seconds for which a database that went away is waited for; then `DatabaseAway` is raised.
    """
    waiting = Patience(store, patience)
    run = _Run(store, channels, prices, resolve, sender, courtesy, at, time.monotonic(), waiting)
    tally: Counter[str] = Counter()
    swept = run.unit(lambda tx: sweeping.sweep(tx, at, stale_after=STALE_AFTER, give_up_after=len(BACK_OFF) + 1))
    expired = run.unit(lambda tx: sweeping.expire(tx, run.local_date(at)))
    after = 0
    while (left := limit - _handled(tally)) > 0 and tally.total() < limit * LOOKED_AT:
        rows = run.unit(lambda tx, left=left, after=after: _claim(run, tx, left, after, shard))  # type: ignore[misc]
        if not rows:
            break
        after = rows[-1].id  # what goes back into the queue is for the next run
        for row in rows:
            tally[_deliver_one(run, row)] += 1
            if on_progress is not None:
                on_progress(_handled(tally))
    report = DeliveryReport(expired=expired, swept=swept.requeued, down=tuple(run.down), **tally)
    return replace(report, held=report.held + swept.held, failed=report.failed + swept.failed)


def _claim(run: _Run, tx: Transaction, left: int, after: int, shard: tuple[int, int]) -> list[ClaimedRow]:
    moment = run.moment()
    restored.hold(tx, moment)
    return outbox.claim(tx, moment, run.local_date(moment), min(CLAIM, left), after=after, shard=shard)


def _handled(tally: Counter[str]) -> int:
    return tally.total() - tally["waiting"]


def _deliver_one(run: _Run, row: ClaimedRow) -> str:
    """How the row ended, as the report counts it."""
    prepared = _look_again(run, row)
    if isinstance(prepared, str):
        return prepared
    row, resolved = prepared
    try:
        rendered = render(resolved.message, resolved.language)
    except Exception as error:  # noqa: BLE001  # one broken template must not stop the other mails
        return _try_later(run, row, f"cannot be rendered: {type(error).__name__}")
    envelope = Envelope(
        run.sender, resolved.address, rendered, message_id(row, run.sender), run.moment(), resolved.slips
    )
    try:
        receipt = run.channels[resolved.channel].send(envelope)
    except SendNever as error:
        return _refused(run, row, resolved, str(error))
    except SendLater as error:
        if isinstance(error, ChannelDown):
            run.down[resolved.channel] = None
        return _try_later(run, row, str(error))
    except Exception as error:  # noqa: BLE001  # whatever it was, the mail may have left
        why = str(error) if isinstance(error, SendUncertain) else f"sending broke off: {type(error).__name__}"
        return _uncertain(run, row, resolved.channel, why)
    _record(run, row, resolved, rendered, receipt)
    return "sent"


def _look_again(run: _Run, row: ClaimedRow) -> tuple[ClaimedRow, Resolved] | str:
    """The row and its resolution, or how it ended instead."""
    try:
        return run.unit(lambda tx: _resolved(run, tx, row))
    except StoreFailed:
        raise  # the row is not to blame: it stays claimed, and the next run sweeps it up
    except NotificationError as error:
        return _try_later(run, row, str(error))
    except Exception as error:  # noqa: BLE001  # one broken row must not stop the others
        return _try_later(run, row, f"cannot be made: {type(error).__name__}")


def _resolved(run: _Run, tx: Transaction, row: ClaimedRow) -> tuple[ClaimedRow, Resolved] | str:
    at = run.moment()
    mine = outbox.renew(tx, row, at)
    if mine is None:
        return "skipped"
    resolution = _resolution(run, tx, mine, at)
    if isinstance(resolution, Resolved) and not mine.to_household:
        inbox.put(tx, mine, at)  # there it can be read, whatever becomes of the mail
    match resolution:
        case Resolved(channel=channel) if channel in run.down:
            outbox.postpone(tx, mine, at + DOWN_FOR, "its channel does not work just now")
            return "waiting"
        case Resolved(channel=channel) if channel not in run.channels:
            outbox.hold(tx, mine, f"not set up here: {channel}", may_have_left=False)
            return "held"
        case Resolved():
            return mine, resolution
        case Postponed(until, why):
            outbox.postpone(tx, mine, until, why)
            return "postponed"
        case Withheld(why, for_human=True):
            outbox.hold(tx, mine, why, may_have_left=False)
            return "held"
        case Withheld(why):
            outbox.withhold(tx, mine, why)
            return "withheld"


def _resolution(run: _Run, tx: Transaction, row: ClaimedRow, at: datetime) -> Resolution:
    postponed = _courteous(run, tx, row, at) if row.to_household else None
    if postponed is not None:
        return postponed
    resolution = run.resolve(tx, row, at)
    match resolution:
        case Resolved(message, had_contact_attempt=tried) if message.demand and not demand_allowed(tried):
            return Withheld("a demand before any human contact attempt", for_human=True)
    return resolution


def _courteous(run: _Run, tx: Transaction, row: ClaimedRow, at: datetime) -> Postponed | None:
    courtesy = run.courtesy
    opens = courtesy.quiet.next_allowed(at, courtesy.is_holiday)
    if opens > at:
        return Postponed(opens, "quiet hours")
    moments = outbox.household_send_moments(tx, row.recipient_id, at - WEEK - timedelta(days=1), before_id=row.id)
    dates = [run.local_date(moment) for moment in moments]
    today = run.local_date(at)
    if not over_cap(dates, today, courtesy.cap):
        return None
    free = next_under_cap(dates, today, courtesy.cap)
    return Postponed(courtesy.quiet.opening_of(free, courtesy.is_holiday), "enough messages this week")


def _try_later(run: _Run, row: ClaimedRow, why: str) -> str:
    if row.attempts >= len(BACK_OFF):
        run.unit(lambda tx: outbox.record_never(tx, row, why))
        return "failed"
    run.unit(lambda tx: outbox.record_later(tx, row, run.moment() + BACK_OFF[row.attempts], why))
    return "later"


def _refused(run: _Run, row: ClaimedRow, resolved: Resolved, why: str) -> str:
    """It never leaves by this way: by another one at the next run if there is one, else a human sees it."""
    return run.unit(lambda tx: _record_refusal(run, tx, row, resolved, why))


def _record_refusal(run: _Run, tx: Transaction, row: ClaimedRow, resolved: Resolved, why: str) -> str:
    if row.to_household:
        at = run.moment()
        tracking.record(
            tx, row.id, "refused", at, reference=f"send {row.attempts}", detail=why[:100], channel=resolved.channel
        )
        if resolved.others and row.attempts < len(BACK_OFF):
            outbox.record_later(tx, row, at, f"{resolved.channel}: {why}")
            return "later"
    outbox.record_never(tx, row, why)
    return "failed"


def _uncertain(run: _Run, row: ClaimedRow, channel: str, why: str) -> str:
    # What is paid for, and rings in somebody's pocket, is tried once more and not six times.
    again = row.attempts == 0 or not run.prices.get(channel)
    if not row.legal and again:
        return _try_later(run, row, why)
    run.unit(lambda tx: outbox.hold(tx, row, why, may_have_left=True))
    return "held"


def _record(run: _Run, row: ClaimedRow, resolved: Resolved, rendered: Rendered, receipt: Receipt) -> None:
    on = run.local_date(receipt.accepted_at)
    proof = outbox.Proof(
        channel=run.channels[resolved.channel].name,
        address=resolved.address,
        subject=rendered.subject,
        body=rendered.short if resolved.channel == "sms" else rendered.text,
        message_id=receipt.message_id,
        accepted_at=receipt.accepted_at,
        reply=receipt.reply,
        way=resolved.channel,
        pieces=receipt.pieces,
        cents=receipt.pieces * run.prices.get(resolved.channel, 0),
        month=on.year * 12 + on.month - 1,
    )
    run.unit(lambda tx: _record_sent(tx, row, resolved, proof, receipt))


def _record_sent(tx: Transaction, row: ClaimedRow, resolved: Resolved, proof: outbox.Proof, receipt: Receipt) -> None:
    outbox.record_sent(tx, row, proof)
    if receipt.reference:
        at, name = receipt.accepted_at, receipt.reference
        tracking.record(tx, row.id, "accepted", at, reference=name, channel=resolved.channel)


def message_id(row: ClaimedRow, sender: str) -> str:
    """The same for every attempt of a row, so that a repeat can be recognised; tells nothing of the recipient."""
    mark = sha256(f"{row.id}|{row.case_id}|{row.rule}|{row.due_on}|{row.recipient}".encode()).hexdigest()[:12]
    return f"ponte.{row.id:09d}.{mark}@{sender.rpartition('@')[2]}"
