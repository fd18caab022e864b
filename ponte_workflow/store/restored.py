"""A database that was brought back from a backup: what may have left after that was made does not leave again by itself."""

from datetime import date, datetime, timedelta

from sqlalchemy import and_, inspect, or_, select, update

from ponte_workflow.clock import ROME
from ponte_workflow.store import alerts
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.outbox import changed
from ponte_workflow.store.schema.messages import alert, outbox

KIND = "restored"
WHY = "restored from a backup: it may have left after that was made"
REMEMBERED = timedelta(days=14)  # the nights of the lost days are made again as soon as somebody runs one
# Legal ones above all, and whatever goes to a household; what staff hears twice harms nobody.
MEANT = and_(outbox.c.delivery == "direct", or_(outbox.c.legal, outbox.c.recipient.like("person:%")))


def mark(tx: Transaction, backup_at: datetime, at: datetime) -> int:
    """Just after a restore: hold what waits, remember the days that were lost, and tell whoever runs Ponte. How many."""
    if inspect(tx.connection).has_table("alert"):  # a backup of the first versions has none
        alerts.add(tx, f"{KIND}/{backup_at.astimezone(ROME).date()}/{at.astimezone(ROME).date()}", at)
    waits = and_(MEANT, outbox.c.status.in_(("queued", "claimed")))
    return changed(tx, update(outbox).where(waits).values(status="held", why=WHY, claimed_at=backup_at))


def hold(tx: Transaction, at: datetime) -> int:
    """Hold what a night of the lost days has queued again; how many. What a person has decided to send is let go."""
    known = select(alert.c.subject).where(alert.c.subject.startswith(f"{KIND}/"), alert.c.at >= at - REMEMBERED)
    count = 0
    for subject in tx.connection.execute(known).scalars().all():
        first, last = (date.fromisoformat(day) for day in subject.split("/")[1:])
        lost = and_(outbox.c.status == "queued", outbox.c.why.is_(None), outbox.c.due_on.between(first, last))
        count += changed(tx, update(outbox).where(MEANT, lost).values(status="held", why=WHY, claimed_at=at))
    return count
