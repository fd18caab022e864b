"""The directory of services around us, and the referrals to them that one may see."""

from collections.abc import Sequence
from dataclasses import dataclass

from ponte_workflow.errors import BadInput
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services.casework import Occasion
from ponte_workflow.services.permissions import require
from ponte_workflow.services.rights import sight
from ponte_workflow.services.worktray import trace_list
from ponte_workflow.store import local_services, network
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.local_services import ReferralRow, ServiceRow
from states.document import Text

MANAGING = "services.manage"
MOST = 200
KINDS = {
    "health": Text(it="Salute", en="Health"),
    "addiction": Text(it="Dipendenze", en="Addiction"),
    "family": Text(it="Famiglia e minori", en="Family and children"),
    "legal": Text(it="Aiuto legale", en="Legal help"),
    "debt": Text(it="Debiti", en="Debts"),
    "work": Text(it="Lavoro", en="Work"),
    "training": Text(it="Formazione e italiano", en="Training and Italian"),
    "food": Text(it="Cibo e beni", en="Food and goods"),
    "social": Text(it="Servizio sociale", en="Social service"),
    "other": Text(it="Altro", en="Other"),
}
STATUSES = {
    "proposed": Text(it="in attesa di risposta", en="waits for an answer"),
    "accepted": Text(it="accettato", en="accepted"),
    "refused": Text(it="rifiutato", en="refused"),
    "done": Text(it="concluso", en="done"),
    "revoked": Text(it="revocato", en="revoked"),
}
WAYS = {"handover": Text(it="passaggio", en="handover"), "alongside": Text(it="affiancato", en="alongside")}


@dataclass(frozen=True, slots=True)
class Entry:
    """A service as somebody writes it down; `quarters`: codes of those that it serves, none: all."""

    name: str
    kind: str
    contact: str = ""
    address: str = ""
    opening_hours: str = ""
    languages: str = ""
    quarters: Sequence[str] = ()
    active: bool = True


def listed(
    tx: Transaction, who: Occasion, *, kind: str = "", quarter: str = "", text: str = "", closed: bool = False
) -> tuple[ServiceRow, ...]:
    """The directory by name; `closed`: with the services that are no longer active."""
    require(who.actor, "casework")
    if kind and kind not in KINDS:
        raise BadInput(_("kind: “{kind}” is none of {kinds}").format(kind=kind, kinds=", ".join(KINDS)))
    quarter_id = network.quarter_by_code(tx, quarter).id if quarter else None
    found = local_services.services(
        tx, kind=kind or None, quarter_id=quarter_id, text=text.strip(), active=not closed, limit=MOST
    )
    return tuple(found)


def one(tx: Transaction, who: Occasion, service_id: int) -> ServiceRow:
    """One entry of the directory."""
    require(who.actor, "casework")
    return local_services.service(tx, service_id)


def put(tx: Transaction, who: Occasion, entry: Entry, service_id: int | None = None) -> int:
    """A new entry (None), or another form of one; returns its number. Refused with the field and what would do."""
    require(who.actor, MANAGING)
    if service_id is not None:
        local_services.service(tx, service_id)
    if entry.kind not in KINDS:
        raise BadInput(_("kind: “{kind}” is none of {kinds}").format(kind=entry.kind, kinds=", ".join(KINDS)))
    name = _line("name", entry.name, 160, needed=True)
    same = local_services.service_named(tx, name)
    if same is not None and same != service_id:
        raise BadInput(_("name: {name} is in the directory already, as number {n}").format(name=name, n=same))
    return local_services.put_service(
        tx,
        service_id,
        [network.quarter_by_code(tx, code).id for code in entry.quarters],
        name=name,
        kind=entry.kind,
        contact=_line("contact", entry.contact, 200),
        address=_line("address", entry.address, 200),
        opening_hours=_line("opening_hours", entry.opening_hours, 200),
        languages=_line("languages", entry.languages, 200),
        active=entry.active,
        updated_at=who.at,
        updated_by=who.actor.staff_id,
    )


def referrals(tx: Transaction, who: Occasion, *, waiting: bool) -> tuple[ReferralRow, ...]:
    """Referrals of the cases that the actor may see: those that wait the longest first, or the answered ones. Traced."""
    require(who.actor, "casework")
    trace_list(tx, who, "referrals")
    return tuple(local_services.referrals(tx, sight(who.actor), waiting=waiting, limit=MOST))


def _line(field: str, text: str, longest: int, *, needed: bool = False) -> str:
    plain = " ".join(text.split())
    if (needed and not plain) or len(plain) > longest or (plain and not plain.isprintable()):
        raise BadInput(_("{field}: 1 to {n} characters, without control characters").format(field=field, n=longest))
    return plain
