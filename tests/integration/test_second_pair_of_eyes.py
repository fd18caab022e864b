"""Four eyes: over money (excused breaches, write-offs, what an undo brings back) and over referrals."""

import pytest
from sqlalchemy import select, update

from ponte_workflow.errors import NeedsMissing, NotAllowed
from ponte_workflow.services import casework, undoing
from ponte_workflow.store.cases import CaseRow
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.schema.money import instalment, payment_plan
from tests.builders import create_ledger
from tests.integration.desk import DAY, TODAY, referred
from tests.integration.standing_cases import walk
from tests.site import Site


def breached(site: Site, tx: Transaction) -> CaseRow:
    """A case whose plan was breached: four instalments, two of them missed."""
    row = walk(site.team, tx, "active", "wanda", on=TODAY - 150 * DAY)
    create_ledger(tx, row.tenancy_id, on=TODAY, due_on=TODAY - 200 * DAY, cents=40_000)
    first = TODAY - 120 * DAY
    row = site.team.do(
        tx,
        "wanda",
        row.code,
        "agree_plan",
        TODAY - 140 * DAY,
        total=40_000,
        instalments=8,
        first_due_on=first,
        signed_by_household=True,
        signed_by_landlord=True,
    )
    plan = select(payment_plan.c.id).where(payment_plan.c.case_id == row.id)
    tx.connection.execute(
        update(instalment)
        .where(instalment.c.plan_id.in_(plan), instalment.c.number <= 2)
        .values(status="missed", paid_cents=0)
    )
    row = site.team.do(tx, None, row.code, "instalment_late", TODAY)
    return site.team.do(tx, None, row.code, "breach", TODAY)


def statuses(tx: Transaction, row: CaseRow) -> list[str]:
    plan = select(payment_plan.c.id).where(payment_plan.c.case_id == row.id)
    query = select(instalment.c.status).where(instalment.c.plan_id.in_(plan)).order_by(instalment.c.number)
    return list(tx.connection.execute(query).scalars())[:3]


def test_four_eyes_excuse_a_breach_and_an_undo_brings_the_missed_instalments_back(site: Site) -> None:
    with site.ponte.store.transaction() as tx:
        row = breached(site, tx)
        with pytest.raises(NeedsMissing):
            site.team.do(tx, "sara", row.code, "excuse", TODAY)
        site.team.do(tx, "sara", row.code, "propose_excuse", TODAY, reason="illness")
        with pytest.raises(NotAllowed, match="a colleague has to take this one"):
            site.team.do(tx, "sara", row.code, "excuse", TODAY)
        row = site.team.do(tx, "lidia", row.code, "excuse", TODAY)
        assert statuses(tx, row) == ["excused", "excused", "due"] and "active.payment.paying" in row.configuration
        undoing.undo(tx, site.team.occasion(tx, "lidia", TODAY), row.code)
        assert statuses(tx, row) == ["missed", "missed", "due"]
        site.team.do(tx, "lidia", row.code, "refuse_excuse", TODAY, reason="no papers")
        with pytest.raises(NeedsMissing):
            site.team.do(tx, "lidia", row.code, "excuse", TODAY)


def test_four_eyes_write_off_what_is_left_and_nothing_of_it_is_asked_for_any_more(site: Site) -> None:
    with site.ponte.store.transaction() as tx:
        row = breached(site, tx)
        site.team.do(tx, "sara", row.code, "propose_write_off", TODAY, reason="nothing to live on")
        with pytest.raises(NotAllowed):
            site.team.do(tx, "sara", row.code, "write_off", TODAY)
        row = site.team.do(tx, "lidia", row.code, "write_off", TODAY)
        assert "active.payment.settled" in row.configuration
        plan = select(payment_plan.c.status).where(payment_plan.c.case_id == row.id)
        assert tx.connection.execute(plan).scalars().all() == ["written_off"]
        undoing.undo(tx, site.team.occasion(tx, "lidia", TODAY), row.code)
        assert tx.connection.execute(plan).scalars().all() == ["active"]
    page = site.signed_in("lidia").get("/supervision/decisions?kind=proposals").text
    assert row.code in page and "Write off what is left of the plan" in page


def test_whoever_proposed_a_referral_does_not_accept_it(site: Site) -> None:
    store, team = site.ponte.store, site.team
    with store.transaction() as tx:
        code = referred(site, tx).code
    with store.transaction() as tx, pytest.raises(NotAllowed, match="a colleague has to take this one"):
        team.do(tx, "wanda", code, "accept_referral", TODAY)
    with store.transaction() as tx:
        _standing, possible = casework.why(tx, team.occasion(tx, "wanda", TODAY), code)
        mine = next(p for p in possible if p.trigger == "accept_referral")
        assert not mine.ready and [failure.name for failure in mine.missing] == ["four_eyes"]
        _standing, possible = casework.why(tx, team.occasion(tx, "sara", TODAY), code)
        assert next(p for p in possible if p.trigger == "accept_referral").ready
        # Whoever proposed it may take it back by a refusal.
        assert next(p for p in possible if p.trigger == "refuse_referral").ready
    assert "was your step" in site.signed_in("wanda").get(f"/cases/{code}").text
    assert "was your step" not in site.signed_in("sara").get(f"/cases/{code}").text
    shown = site.signed_in("sara").get("/supervision/decisions?kind=proposals").text
    assert f"/cases/{code}/do/accept_referral" in shown and "Wanda" in shown
    with store.transaction() as tx:
        assert team.do(tx, "sara", code, "accept_referral", TODAY).configuration == ("closed.referred",)


def test_a_proposal_that_was_taken_back_binds_nobody(site: Site) -> None:
    store, team = site.ponte.store, site.team
    with store.transaction() as tx:
        code = referred(site, tx).code
        undoing.undo(tx, team.occasion(tx, "wanda", TODAY), code)
        again = {"receiving_service": "x", "reason": "y", "household_agrees": True}
        team.do(tx, "sara", code, "refer", TODAY, **again)
    with store.transaction() as tx, pytest.raises(NotAllowed):
        team.do(tx, "sara", code, "accept_referral", TODAY)
    shown = site.signed_in("sara").get("/supervision/decisions?kind=proposals").text
    assert "is for a colleague: you proposed it" in shown and f"/cases/{code}/do/accept_referral" not in shown
    with store.transaction() as tx:
        assert team.do(tx, "wanda", code, "accept_referral", TODAY).closed_on == TODAY
