"""The book of payment plans: every plan that a case has had, with where its payments went, and the plans of many cases."""

from dataclasses import dataclass

from ponte_workflow.errors import BadInput
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services.casework import Occasion, Standing, look
from ponte_workflow.services.permissions import require
from ponte_workflow.services.rights import leave_trace, sight
from ponte_workflow.services.worktray import trace_list
from ponte_workflow.store import notices, plan_views
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.notices import NoticeSeen
from ponte_workflow.store.plan_views import PlanRow, PlanSeen
from states.document import Text

MOST = 200
STANDINGS = {
    "all": Text(it="Tutti", en="All"),
    "late": Text(it="Con rate mancate", en="With missed instalments"),
    "settled": Text(it="Estinti", en="Settled"),
}
SIDES = {
    "household": Text(it="nucleo", en="household"),
    "landlord": Text(it="gestore", en="landlord"),
    "administrator": Text(it="amministratore del condominio", en="condominium's administrator"),
}
WAYS = {"paper": Text(it="su carta", en="on paper"), "digital": Text(it="con firma digitale", en="digitally")}
STATUSES = {
    "active": Text(it="in corso", en="running"),
    "replaced": Text(it="sostituito", en="replaced"),
    "settled": Text(it="estinto", en="settled"),
    "written_off": Text(it="condonato", en="written off"),
    "withdrawn": Text(it="annullato", en="taken back"),
}
POLICIES = {
    "oldest_first": Text(it="prima ciò che è scaduto da più tempo", en="whatever is due longest comes first"),
    "current_first": Text(
        it="prima affitto e spese scaduti, poi le rate", en="rent and charges due come before instalments"
    ),
    "plan_first": Text(it="prima le rate, poi affitto e spese", en="instalments come before rent and charges"),
}


@dataclass(frozen=True, slots=True)
class PlanBook:
    """The plans of one case, the newest first."""

    standing: Standing
    plans: tuple[PlanSeen, ...]
    notices: tuple[NoticeSeen, ...]


def book(tx: Transaction, who: Occasion, code: str) -> PlanBook:
    """Every plan of a case: terms, signatures, instalments, payments and what was found otherwise later. Traced."""
    require(who.actor, "casework")
    standing = look(tx, who, code)
    leave_trace(tx, who.actor, "case.plans", standing.row, who.at)
    return PlanBook(standing, plan_views.chain(tx, standing.row.id), tuple(notices.of_case(tx, standing.row.id)))


def listed(
    tx: Transaction, who: Occasion, standing: str = "all", *, first: int = 0, limit: int = MOST
) -> tuple[PlanRow, ...]:
    """The living plans of the open cases that the actor may see, those with most missed first, from `first` on. Traced."""
    require(who.actor, "casework")
    if standing not in STANDINGS:
        raise BadInput(_("standing: “{given}” is none of {known}").format(given=standing, known=", ".join(STANDINGS)))
    trace_list(tx, who, "plans")
    return tuple(plan_views.listed(tx, sight(who.actor), standing=standing, first=first, limit=limit))
