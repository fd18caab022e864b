"""The organisations that take part, and the quarters in which each works: what their people may see follows from it."""

import re
from collections.abc import Collection

from ponte_workflow.errors import BadInput, not_found
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services.casework import Occasion
from ponte_workflow.services.permissions import require
from ponte_workflow.store import access, network, staffing
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.staffing import PartnerLine

KINDS = ("landlord", "municipality", "cooperative", "agency", "association")
_CODE = re.compile(r"[a-z][a-z0-9_]{0,39}")  # as pathways may name it


def kind_name(kind: str) -> str:
    """A kind of organisation in words."""
    names = {
        "landlord": _("landlord"),
        "municipality": _("municipality"),
        "cooperative": _("cooperative"),
        "agency": _("agency"),
        "association": _("association"),
    }
    return names.get(kind, kind)


def partners(tx: Transaction, who: Occasion) -> tuple[PartnerLine, ...]:
    """Every organisation."""
    require(who.actor, "people.read")
    return staffing.partners(tx)


def add(tx: Transaction, who: Occasion, code: str, name: str, kind: str, quarters: Collection[str]) -> None:
    """A new organisation; `quarters`: codes."""
    require(who.actor, "people.manage")
    code = code.strip()
    if not _CODE.fullmatch(code):
        raise BadInput(_("A code begins with a letter and has up to 40 lower-case letters, digits and underscores"))
    if code in network.partner_codes(tx):
        raise BadInput(_("The code {code} is taken").format(code=code))
    partner_id = network.add_partner(tx, code, _name(name, kind), kind, quarters)
    _trace(tx, who, partner_id, "added", quarters)


def edit(tx: Transaction, who: Occasion, code: str, name: str, kind: str, quarters: Collection[str]) -> None:
    """Another name, kind, or other quarters: from now on its people see the cases of those."""
    require(who.actor, "people.manage")
    partner_id = network.partner_codes(tx).get(code)
    if partner_id is None:
        raise not_found(_("Partner"), code)
    staffing.update_partner(tx, partner_id, name=_name(name, kind), kind=kind)
    staffing.set_quarters(tx, partner_id, [network.quarter_by_code(tx, one).id for one in quarters])
    _trace(tx, who, partner_id, "edited", quarters)


def _name(name: str, kind: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > 200 or not name.isprintable():
        raise BadInput(_("An organisation's name has 1 to 200 characters, without control characters"))
    if kind not in KINDS:
        raise BadInput(_("Unknown kind of partner: {kind}").format(kind=kind))
    return name


def _trace(tx: Transaction, who: Occasion, partner_id: int, what: str, quarters: Collection[str]) -> None:
    detail = f"partner:{partner_id} {what} quarters:{','.join(sorted(quarters))}"
    access.record(tx, staff_id=who.actor.staff_id, at=who.at, what="people.change", household_id=None, detail=detail)
