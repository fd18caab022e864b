"""The dead man's switch: which night should have its certificate by now and has none, whoever is dead meanwhile."""

from datetime import date, datetime, time, timedelta

from ponte_workflow.clock import ROME
from ponte_workflow.store import alerts as kept
from ponte_workflow.store.engine import Transaction

BEGINS = time(3, 30)  # flows/schedules.py
CERTIFIED_BY = time(6)  # in Rome: the night begins at half past three and takes minutes
LONGEST_NIGHT = timedelta(hours=2)


def due_night(at: datetime) -> date:
    """The newest night that must be certified at this moment: today's from six in the morning on, before it yesterday's."""
    local = at.astimezone(ROME)
    return local.date() if local.time() >= CERTIFIED_BY else local.date() - timedelta(days=1)


def missing(tx: Transaction, at: datetime, *, from_the_first_day: bool = True) -> date | None:
    """The business date of the night that is missed at this moment; None when all is well.

    from_the_first_day: an installation in which no night ever ran misses one as well, from the first morning after its
    first person on; a worker that nobody started is found that way.
    """
    now, due = kept.nights(tx), due_night(at)
    if now.running is not None and now.running_since is not None and at - now.running_since >= LONGEST_NIGHT:
        return max(now.running, due)
    if now.last_completed is not None and now.last_completed >= due:
        return None
    if now.running is not None and at.astimezone(ROME).time() < CERTIFIED_BY:
        return None  # it is at work, and catches up with what was missed
    if now.ever:
        first = now.last_completed or now.running
        return due if first is not None and first <= due else None
    begins = datetime.combine(due, BEGINS, tzinfo=ROME)
    return due if from_the_first_day and now.people_since is not None and now.people_since < begins else None


def note(tx: Transaction, at: datetime) -> date | None:
    """Write down that a night is missed, once for each; the date, or None."""
    day = missing(tx, at)
    if day is not None:
        kept.add(tx, subject(day), at)
    return day


def note_failed(tx: Transaction, day: date, at: datetime) -> None:
    """Write down that a run of that night failed, once, unless the night is certified all the same."""
    last = kept.nights(tx).last_completed
    if last is None or last < day:
        kept.add(tx, subject(day), at)


def subject(day: date) -> str:
    """How alerts call a night that is missed."""
    return f"night/{day}"
