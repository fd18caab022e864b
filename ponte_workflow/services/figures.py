"""What a case's guards ask from outside it: the arrears, the instalments, the person proposed as case worker."""

from collections.abc import Mapping
from datetime import date

from ponte_workflow.errors import InvalidField
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services import arrears, instalments
from ponte_workflow.store import plan_money
from ponte_workflow.store.cases import CaseRow
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.network import Member, members
from states.document import TriggerSpec
from states.instalments import PlanStanding
from states.pathway import Pathway
from states.snapshot import Value

SIGNING = "agree_plan"  # whoever is owed has to sign

Figures = dict[str, int | str | bool]


def figures_of(tx: Transaction, row: CaseRow, pathway: Pathway, on: date) -> Figures:
    """Arrears class by the ledgers and the standing of the payment plan that day."""
    figures: Figures = {"arrears_class": arrears.class_of(tx, row.tenancy_id, on, pathway.document.detection)}
    if pathway.household.trigger(row.configuration, SIGNING) is not None:
        figures["creditors_owed"] = len(plan_money.owed(tx, row.id, on))
    return figures | plan_figures(tx, row.id, on)


def plan_figures(tx: Transaction, case_id: int, on: date) -> Figures:
    """The standing of the active plan; nothing when there is none."""
    standing = instalments.standings(tx, [case_id], on).get(case_id)
    return {} if standing is None else standing_figures(standing)


def standing_figures(standing: PlanStanding) -> Figures:
    """The same from a standing that is at hand."""
    figures: Figures = {} if standing.next_due_on is None else {"next_due_on": standing.next_due_on.isoformat()}
    return figures | {
        "on_time_in_a_row": standing.on_time_in_a_row,
        "missed_in_a_row": standing.missed_in_a_row,
        "missed_total": standing.missed_total,
        "plan_settled": standing.settled,
    }


def assignee(
    tx: Transaction, row: CaseRow, spec: TriggerSpec | None, fields: Mapping[str, Value]
) -> tuple[Member | None, Figures]:
    """The member of staff that a `staff` field names, and whether they may take this case."""
    name = next((name for name, field in spec.fields.items() if field.type == "staff"), None) if spec else None
    username = fields.get(name) if name else None
    if username is None:
        return None, {}
    member = next((m for m in members(tx).values() if m.username == username), None)
    if member is None:
        raise InvalidField(_("Nobody has the username {name}: see ponte user list").format(name=username))
    fits = member.active and "case_worker" in member.roles and row.quarter_id in member.quarters
    return member, {"assignee_works_here": fits}
