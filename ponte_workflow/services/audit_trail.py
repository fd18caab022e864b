"""Who looked at what, and whether the histories are unbroken: codes and counts, never a household's name."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from ponte_workflow.clock import ROME
from ponte_workflow.errors import BadInput
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services import auditing
from ponte_workflow.services.auditing import Report
from ponte_workflow.services.casework import Occasion
from ponte_workflow.services.permissions import require
from ponte_workflow.store import access, network, trails
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.network import Member
from ponte_workflow.store.trails import Trail

PERMISSION = "audit"
PAGE = 50
MOST = 2000  # cases that a request verifies: each history is read and replayed


@dataclass(frozen=True, slots=True)
class Wanted:
    """The filters; an empty one is none. `household`: the code of a household or of its case."""

    username: str = ""
    what: str = ""
    household: str = ""
    first: date | None = None
    last: date | None = None


@dataclass(frozen=True, slots=True)
class TrailPage:
    """Some entries, the id after which older ones follow (None: no more), and everybody by id."""

    rows: tuple[Trail, ...]
    following: int | None
    staff: dict[int, Member]


def use_names() -> dict[str, str]:
    """Every use case that leaves a trace, in words, in the order of a list."""
    names = {
        "case.show": _("case seen"),
        "case.history": _("history of a case seen"),
        "case.special": _("confidential notes seen"),
        "case.form": _("form of a case opened"),
        "case.list": _("list of cases"),
        "case.triggers": _("steps of a case asked for by a program"),
        "events": _("events read by a program"),
        "worktray": _("my work"),
        "search": _("search"),
        "stalled": _("list of stalled cases"),
        "rehearsal": _("rehearsal of the night"),
        "message.preview": _("message read before it leaves"),
        "glass.open": _("case opened with a reason"),
        "glass.read": _("reason of an opened case read"),
        "supervision.stalled": _("supervision: stalled cases"),
        "supervision.escalated": _("supervision: escalated cases"),
        "supervision.unassigned": _("supervision: cases without a worker"),
        "supervision.proposals": _("supervision: proposals"),
        "import.preview": _("rows of an upload seen"),
        "import.run": _("files imported"),
        "import.rejects": _("refused lines seen"),
        "import.mend": _("refused lines mended"),
        "people.change": _("user or organisation changed"),
        "account.sign_in": _("signed in"),
        "account.single_sign_on": _("single sign-on bound or freed"),
        "account.password": _("password set"),
        "account.second_factor": _("second factor set or removed"),
        "account.recovery_codes": _("recovery codes made"),
        "account.locked": _("locked after wrong tries"),
        "account.unlock": _("unlocked"),
        "audit.verify": _("chains verified"),
    }
    return dict(sorted(names.items(), key=lambda item: item[1]))


def look(tx: Transaction, who: Occasion, wanted: Wanted, before: int | None) -> TrailPage:
    """A page of the trace."""
    require(who.actor, PERMISSION)
    staff = network.members(tx)
    staff_id = network.member_by_username(tx, wanted.username).id if wanted.username else None
    household_id = _household(tx, wanted.household) if wanted.household else None
    if wanted.household and household_id is None:
        return TrailPage((), None, staff)
    if wanted.first and wanted.last and wanted.last < wanted.first:
        raise BadInput(_("The last day comes before the first"))
    if not wanted.what.isprintable():
        raise BadInput(_("Choose a use from the list"))
    found = trails.trails(
        tx,
        PAGE + 1,
        before=before,
        staff_id=staff_id,
        what=wanted.what or None,
        household_id=household_id,
        # The ends of the calendar have no midnight in another time zone, and nothing was traced there.
        since=_midnight(wanted.first) if wanted.first and wanted.first.year > 1 else None,
        until=_midnight(wanted.last + timedelta(days=1)) if wanted.last and wanted.last.year < date.max.year else None,
    )
    return TrailPage(tuple(found[:PAGE]), found[PAGE - 1].id if len(found) > PAGE else None, staff)


def too_many_to_verify(tx: Transaction, who: Occasion) -> int | None:
    """How many cases there are, when they are more than a request verifies; else None."""
    require(who.actor, PERMISSION)
    n = trails.case_count(tx)
    return n if n > MOST else None


def verify(tx: Transaction, who: Occasion) -> Report:
    """Check chains, replay, certificates and balances; that it was done leaves a trace. Use with a reading transaction."""
    if (n := too_many_to_verify(tx, who)) is not None:
        raise BadInput(_("{n} cases are too many for a page: use “ponte audit verify” at the console").format(n=n))
    report = auditing.verify(tx, who.pathways)
    detail = f"cases:{report.checked['cases']} found:{len(report.found)}"
    access.record(tx, staff_id=who.actor.staff_id, at=who.at, what="audit.verify", household_id=None, detail=detail)
    return report


def checked_name(name: str) -> str:
    """What was counted, in words."""
    return {
        "cases": _("cases"),
        "history entries": _("history entries"),
        "certificates": _("certificates of nights"),
    }.get(name, name)


def _household(tx: Transaction, code: str) -> int | None:
    code = code.strip()
    if not code.isprintable() or len(code) > 40:
        raise BadInput(_("Give the code of a household or of a case, for example P-000123"))
    return trails.household_id(tx, code)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, ROME)
