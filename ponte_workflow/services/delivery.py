"""Send what waits in the outbox: claim, look again, render, send with no transaction open, record."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from hashlib import sha256

from notifications.channels import Channel, Envelope, Receipt
from notifications.errors import ChannelDown, NotificationError, SendLater, SendNever, SendUncertain
from notifications.message import Message
from notifications.payment_slip import PaymentSlip
from notifications.policy import WEEK, IsHoliday, QuietHours, demand_allowed, next_under_cap, over_cap
from notifications.rendering import Rendered, render
from ponte_workflow.store import outbox
from ponte_workflow.store.engine import Store, Transaction
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


@dataclass(frozen=True, slots=True)
class Resolved:
    """Who it goes to and what it says, read just before sending. A demand without a contact attempt is held."""

    message: Message
    language: str
    address: str
    had_contact_attempt: bool = False
    slip: PaymentSlip | None = None  # printed below a letter


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


@dataclass(frozen=True, slots=True)
class Courtesy:
    """When a household may be written to, and how often in seven days."""

    is_holiday: IsHoliday
    quiet: QuietHours = NIGHTS_AND_SUNDAYS
    cap: int = 2


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """Counts of one run; `channel_down` says that it stopped early because the channel does not work."""

    sent: int = 0
    later: int = 0
    postponed: int = 0
    withheld: int = 0
    held: int = 0
    failed: int = 0
    skipped: int = 0  # withdrawn or taken by another process between claim and sending
    expired: int = 0
    swept: int = 0  # left by a dead process and queued again
    channel_down: bool = False

    @property
    def handled(self) -> int:
        """Rows looked at in this run."""
        return self.sent + self.later + self.postponed + self.withheld + self.held + self.failed + self.skipped


@dataclass(frozen=True, slots=True)
class _Run:
    store: Store
    channel: Channel
    resolve: Resolver
    sender: str
    courtesy: Courtesy
    at: datetime
    begun: float

    def moment(self) -> datetime:
        """`at` plus the time that the run has taken: a slow server moves us into the quiet hours."""
        return self.at + timedelta(seconds=time.monotonic() - self.begun)

    def local_date(self, at: datetime) -> date:
        return self.courtesy.quiet.local_date(at)


def deliver(
    store: Store,
    channel: Channel,
    resolve: Resolver,
    *,
    sender: str,
    courtesy: Courtesy,
    at: datetime,
    limit: int,
    on_progress: Progress | None = None,
) -> DeliveryReport:
    """Send up to `limit` rows that are ready at `at` (aware).

    Opens its own transactions: none is open while the channel works. `resolve` reads names and addresses inside one.
    `on_progress` gets the number of rows handled so far. Rows never raise: what went wrong stands in their `why`.
    """
    run = _Run(store, channel, resolve, sender, courtesy, at, time.monotonic())
    tally: Counter[str] = Counter()
    with store.transaction() as tx:
        swept = outbox.sweep(tx, at, stale_after=STALE_AFTER, give_up_after=len(BACK_OFF) + 1)
        expired = outbox.expire(tx, run.local_date(at))
    down = False
    while not down and (left := limit - tally.total()) > 0:
        with store.transaction() as tx:
            moment = run.moment()
            rows = outbox.claim(tx, moment, run.local_date(moment), min(CLAIM, left))
        if not rows:
            break
        down = _deliver_rows(run, rows, tally, on_progress)
    report = DeliveryReport(expired=expired, swept=swept.requeued, channel_down=down, **tally)
    return replace(report, held=report.held + swept.held, failed=report.failed + swept.failed)


def _deliver_rows(run: _Run, rows: list[ClaimedRow], tally: Counter[str], on_progress: Progress | None) -> bool:
    """Whether the channel is down; then the rows not yet tried are given back."""
    for index, row in enumerate(rows):
        outcome, down = _deliver_one(run, row)
        tally[outcome] += 1
        if on_progress is not None:
            on_progress(tally.total())
        if down:
            with run.store.transaction() as tx:
                outbox.release(tx, rows[index + 1 :])
            return True
    return False


def _deliver_one(run: _Run, row: ClaimedRow) -> tuple[str, bool]:
    prepared = _look_again(run, row)
    if isinstance(prepared, str):
        return prepared, False
    row, resolved = prepared
    try:
        rendered = render(resolved.message, resolved.language)
    except Exception as error:  # noqa: BLE001  # one broken template must not stop the other mails
        return _try_later(run, row, f"cannot be rendered: {type(error).__name__}"), False
    envelope = Envelope(
        run.sender, resolved.address, rendered, message_id(row, run.sender), run.moment(), resolved.slip
    )
    try:
        receipt = run.channel.send(envelope)
    except SendNever as error:
        with run.store.transaction() as tx:
            outbox.record_never(tx, row, str(error))
        return "failed", False
    except SendLater as error:
        return _try_later(run, row, str(error)), isinstance(error, ChannelDown)
    except Exception as error:  # noqa: BLE001  # whatever it was, the mail may have left
        why = str(error) if isinstance(error, SendUncertain) else f"sending broke off: {type(error).__name__}"
        return _uncertain(run, row, why), False
    _record(run, row, resolved.address, rendered, receipt)
    return "sent", False


def _look_again(run: _Run, row: ClaimedRow) -> tuple[ClaimedRow, Resolved] | str:
    """The row and its resolution, or how it ended instead."""
    try:
        with run.store.transaction() as tx:
            at = run.moment()
            mine = outbox.renew(tx, row, at)
            if mine is None:
                return "skipped"
            resolution = _resolution(run, tx, mine, at)
            match resolution:
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
    except NotificationError as error:
        return _try_later(run, row, str(error))
    except Exception as error:  # noqa: BLE001  # one broken row must not stop the others
        return _try_later(run, row, f"cannot be made: {type(error).__name__}")


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
    with run.store.transaction() as tx:
        if row.attempts >= len(BACK_OFF):
            outbox.record_never(tx, row, why)
            return "failed"
        outbox.record_later(tx, row, run.moment() + BACK_OFF[row.attempts], why)
    return "later"


def _uncertain(run: _Run, row: ClaimedRow, why: str) -> str:
    if not row.legal:
        return _try_later(run, row, why)
    with run.store.transaction() as tx:
        outbox.hold(tx, row, why, may_have_left=True)
    return "held"


def _record(run: _Run, row: ClaimedRow, address: str, rendered: Rendered, receipt: Receipt) -> None:
    proof = outbox.Proof(
        channel=run.channel.name,
        address=address,
        subject=rendered.subject,
        body=rendered.text,
        message_id=receipt.message_id,
        accepted_at=receipt.accepted_at,
        reply=receipt.reply,
    )
    with run.store.transaction() as tx:
        outbox.record_sent(tx, row, proof)


def message_id(row: ClaimedRow, sender: str) -> str:
    """The same for every attempt of a row, so that a repeat can be recognised; tells nothing of the recipient."""
    mark = sha256(f"{row.id}|{row.case_id}|{row.rule}|{row.due_on}|{row.recipient}".encode()).hexdigest()[:12]
    return f"ponte.{row.id:09d}.{mark}@{sender.rpartition('@')[2]}"
