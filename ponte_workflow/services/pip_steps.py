"""What the steps of a person's own machine do to PIPs and placements, and how an undo takes it back."""

from collections.abc import Mapping
from datetime import date, datetime

from ponte_workflow.store import pips, placements
from ponte_workflow.store.cases import CaseRow
from ponte_workflow.store.engine import Transaction


def perform(
    tx: Transaction,
    row: CaseRow,
    what: str,
    person_id: int,
    given: Mapping[str, object],
    *,
    by: int | None,
    on: date,
    at: datetime,
    history_id: int,
) -> None:
    """What a step of the person's own machine does to documents and placements. `given`: the fields of the step."""
    match what:
        case "propose_pip":
            pips.propose(tx, row.id, person_id, on, history_id)
        case "sign_pip":
            how = str(given.get("signed_how") or "paper")
            pips.sign(tx, row.id, person_id, _day(given, "pip_signed_on", on), how, by=by, history_id=history_id)
        case "vary_pip":
            pips.vary(tx, row.id, person_id, at=at, by=by, history_id=history_id)
        case "begin_placement":
            placements.begin(
                tx,
                row.id,
                person_id,
                history_id,
                employer=given.get("employer"),
                vat_number=given.get("vat_number"),
                kind=given.get("placement_kind"),
                weekly_hours=given.get("weekly_hours"),
                wage_band=given.get("wage_band"),
                tutor=given.get("tutor"),
                starts_on=_day(given, "placed_on", on),
            )
        case "check_placement":
            outcome = str(given["placement_check"])
            placements.check(tx, row.id, person_id, on, outcome, by=by, history_id=history_id)
        case "end_placement":
            reason = str(given.get("end_reason") or "other")
            placements.end(tx, row.id, person_id, _day(given, "ended_on", on), reason, history_id)


def _day(given: Mapping[str, object], name: str, otherwise: date) -> date:
    value = given.get(name)
    return value if isinstance(value, date) else otherwise


def take_back(tx: Transaction, history_id: int) -> None:
    """An undo of that history entry."""
    pips.take_back(tx, history_id)
    placements.take_back(tx, history_id)
