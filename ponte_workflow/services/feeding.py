"""A calendar feed for somebody's own calendar program: their appointments and tasks, by case codes alone.

Whoever knows the address reads it, so it holds no name, no place and no text; it can be revoked at any time.
"""

import secrets
from datetime import UTC, datetime, timedelta

from icalendar import Calendar, Event

from ponte_workflow.clock import ROME
from ponte_workflow.errors import NotAllowed, NotFound
from ponte_workflow.i18n import LANGUAGES, use_language
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services.accounts import token_hash
from ponte_workflow.services.casework import Occasion
from ponte_workflow.services.meeting import midnight
from ponte_workflow.services.pathways import Pathways
from ponte_workflow.services.permissions import CASEWORKERS, require
from ponte_workflow.services.rights import actor_for, sight
from ponte_workflow.store import appointments, feeds, network, todos, worklists
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.feeds import FeedRow

BACK, AHEAD = 31, 400  # days around today
TOUCH = timedelta(minutes=5)


def make(tx: Transaction, who: Occasion) -> str:
    """A new secret for the actor's feed, shown this once; the one before leads nowhere any more."""
    require(who.actor, "casework")
    if who.actor.staff_id is None:
        raise NotAllowed(_("A calendar belongs to somebody: say who acts"))
    token = secrets.token_urlsafe(32)
    feeds.make(tx, who.actor.staff_id, token_hash(token), who.at)
    return token


def revoke(tx: Transaction, who: Occasion) -> bool:
    """The actor's feed leads nowhere any more; False when there was none."""
    return feeds.revoke(tx, who.actor.staff_id or 0, who.at) > 0


def mine(tx: Transaction, who: Occasion) -> FeedRow | None:
    """The actor's feed, without its secret."""
    return feeds.of_staff(tx, who.actor.staff_id or 0)


def read(tx: Transaction, pathways: Pathways, token: str, at: datetime) -> tuple[FeedRow, bytes]:
    """The feed behind a secret as an iCalendar file; `NotFound` for an unknown or revoked one, or a leaver's."""
    found = feeds.by_token(tx, token_hash(token))
    everybody = network.members(tx)
    member = everybody.get(found.staff_id) if found else None
    if found is None or member is None or not member.active or not member.roles & CASEWORKERS:
        raise NotFound(_("There is no calendar at this address: it was revoked, or never was"))
    use_language(member.language if member.language in LANGUAGES else "it")
    on = at.astimezone(ROME).date()
    actor = actor_for(member, everybody, on)
    calendar = Calendar()
    calendar.add("prodid", "-//Ponte//agenda//")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", _("Ponte: agenda"))
    seen = sight(actor)
    span = (midnight(on - timedelta(days=BACK)), midnight(on + timedelta(days=AHEAD)))
    for one in appointments.coming(tx, *span, staff_ids=actor.covers, sight=seen):
        if one.status == "cancelled":
            continue
        event = Event()
        event.add("uid", f"appointment-{one.id}@ponte")
        event.add("dtstamp", at.astimezone(UTC))
        event.add("dtstart", one.starts_at)
        event.add("dtend", one.starts_at + timedelta(minutes=one.minutes))
        event.add("summary", _("Appointment {code}").format(code=one.code))
        calendar.add_component(event)
    asked = [one for one in todos.open_for(tx, seen, actor.roles, actor.covers, member.id) if one.due_on]
    own = todos.own(tx, [member.id])
    ids = {one.case_id for one in asked} | {one.case_id for one in own if one.case_id is not None}
    codes = {one.case.id: one.case.code for one in worklists.in_order(tx, list(ids))}
    dated = [(f"task-{one.id}", one.due_on, codes[one.case_id]) for one in asked]
    dated += [(f"todo-{one.id}", one.due_on, codes.get(one.case_id or 0, "")) for one in own]
    for uid, due_on, code in dated:
        if due_on is None:
            continue
        event = Event()
        event.add("uid", f"{uid}@ponte")
        event.add("dtstamp", at.astimezone(UTC))
        event.add("dtstart", due_on)
        event.add("summary", _("Task {code}").format(code=code).strip())
        event.add("transp", "TRANSPARENT")  # a day on which something is due is no day on which one is busy
        calendar.add_component(event)
    return found, calendar.to_ical()


def is_news(feed: FeedRow, at: datetime) -> bool:
    """Whether that it was read is worth noting: every few minutes at most."""
    return feed.read_at is None or at - feed.read_at >= TOUCH


def was_read(tx: Transaction, feed: FeedRow, at: datetime) -> None:
    """Note that it was read."""
    feeds.was_read(tx, feed.id, at)
