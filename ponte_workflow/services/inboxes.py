"""The inbox of a member of staff: what Ponte told them, read or not, about which case."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from ponte_workflow.errors import NotAllowed
from ponte_workflow.i18n import gettext as _
from ponte_workflow.i18n import language
from ponte_workflow.services.casework import Occasion
from ponte_workflow.services.digest_words import what_to_do
from ponte_workflow.services.message_words import message_name
from ponte_workflow.store import inbox
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.inbox import Notice

PAGE = 50


@dataclass(frozen=True, slots=True)
class NoticeShown:
    """One notice in words; it names a case by its code alone. code None: it is about no single case."""

    id: int
    at: datetime
    unread: bool
    kind: str  # remind, escalate, inform
    what: str
    due_on: date
    code: str | None


@dataclass(frozen=True, slots=True)
class InboxShown:
    """A page of notices, the newest first. newest: id of the newest one shown, 0 when there is none."""

    rows: tuple[NoticeShown, ...]
    total: int
    unread: int
    page: int

    @property
    def pages(self) -> int:
        """How many pages that makes."""
        return max(1, -(-self.total // PAGE))

    @property
    def newest(self) -> int:
        """Up to which everything can be marked as read without hiding what came meanwhile."""
        return max((row.id for row in self.rows), default=0)


def notices(tx: Transaction, who: Occasion, *, unread_only: bool = False, page: int = 1) -> InboxShown:
    """One page of one's own notices."""
    staff_id = _mine(who)
    found = inbox.listed(tx, staff_id, unread_only=unread_only, limit=PAGE, offset=(page - 1) * PAGE)
    unread = inbox.unread(tx, staff_id)
    total = unread if unread_only else inbox.how_many(tx, staff_id, unread_only=False)
    return InboxShown(tuple(_shown(tx, who, one) for one in found), total, unread, page)


def mark(tx: Transaction, who: Occasion, notice_ids: Collection[int], *, read: bool) -> int:
    """Mark notices of one's own as read or unread; those of others are left alone. How many."""
    return inbox.mark(tx, _mine(who), notice_ids, who.at if read else None) if notice_ids else 0


def mark_all(tx: Transaction, who: Occasion, up_to: int) -> int:
    """Mark everything up to that notice as read."""
    return inbox.mark_all(tx, _mine(who), up_to, who.at)


def _mine(who: Occasion) -> int:
    if who.actor.staff_id is None:
        raise NotAllowed(_("An inbox belongs to somebody: say who acts"))
    return who.actor.staff_id


def _shown(tx: Transaction, who: Occasion, one: Notice) -> NoticeShown:
    what = message_name(one.message)
    if one.rule == "stall":
        what = _("nothing happens in this case")
    else:
        pathway = None if one.pathway_version_id is None else who.pathways.pinned(tx, one.pathway_version_id)
        say = what_to_do(tx, pathway, one.rule)
        what = say.in_(language()) if say else what
    return NoticeShown(one.id, one.at, one.read_at is None, one.kind, what, one.due_on, one.code)
