"""The book of plans: split by creditor, signed by every side, a chain, payments with their history; pages, API."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select

from ponte_workflow.errors import NeedsMissing
from ponte_workflow.services import instalments, plan_book, undoing
from ponte_workflow.store.cases import CaseRow
from ponte_workflow.store.engine import Store, Transaction
from ponte_workflow.store.plan_views import PlanSeen
from ponte_workflow.store.schema.money import account, creditor, movement
from tests.builders import MONDAY, Team, create_team
from tests.integration.programs import program
from tests.integration.standing_cases import walk
from tests.site import Site

PLAN: dict[str, Any] = {
    "total": 30_001,
    "instalments": 3,
    "first_due_on": MONDAY + timedelta(days=10),
    "signed_by_household": True,
    "signed_by_landlord": True,
}


@pytest.fixture
def team(store: Store) -> Iterator[Team]:
    yield create_team(store)


class Ledger:
    """Books movements on the tenancy of a case."""

    def __init__(self, tx: Transaction, row: CaseRow) -> None:
        self.tx, self.row, self.numbers = tx, row, 0

    def owe(self, name: str, item: str, cents: int, on: date = MONDAY - timedelta(days=30)) -> None:
        self.book(name, item, cents, on, payment=False)

    def book(self, name: str, item: str, cents: int, on: date, *, payment: bool = True, iuv: str | None = None) -> None:
        run = self.tx.connection.execute
        owner = run(select(creditor.c.id).where(creditor.c.name == name)).scalar()
        if owner is None:
            owner = run(insert(creditor).values(name=name).returning(creditor.c.id)).scalar_one()
        found = (account.c.tenancy_id == self.row.tenancy_id, account.c.item == item, account.c.creditor_id == owner)
        own = run(select(account.c.id).where(*found)).scalar()
        if own is None:
            values = {"tenancy_id": self.row.tenancy_id, "item": item, "creditor_id": owner}
            own = run(insert(account).values(values).returning(account.c.id)).scalar_one()
        self.numbers += 1
        run(
            insert(movement).values(
                account_id=own,
                creditor_id=owner,
                external_id=f"{self.row.code}/{self.numbers}",
                booked_on=on,
                effective_on=on,
                cents=cents,
                is_payment=payment,
                cause="-",
                iuv=iuv,
            )
        )


def negotiating(team: Team, tx: Transaction) -> tuple[CaseRow, Ledger]:
    row = walk(team, tx, "active", "wanda", on=MONDAY)
    ledger = Ledger(tx, row)
    ledger.owe("ALER", "canone", 20_001)
    ledger.owe("Condominio", "spese", 10_000)
    return row, ledger


def plans_of(team: Team, tx: Transaction, row: CaseRow) -> tuple[PlanSeen, ...]:
    return plan_book.book(tx, team.occasion(tx, "wanda"), row.code).plans


def test_where_two_creditors_are_owed_both_sign_and_each_has_its_part(team: Team) -> None:
    with team.store.transaction() as tx:
        row, _ledger = negotiating(team, tx)
        with pytest.raises(NeedsMissing, match="administrator must sign"), tx.savepoint():
            team.do(tx, "wanda", row.code, "agree_plan", **PLAN)
        team.do(tx, "wanda", row.code, "agree_plan", **PLAN, signed_by_administrator=True, signed_how="paper")
        (plan,) = plans_of(team, tx, row)
        assert [(one.side, one.how) for one in plan.signatures] == [
            ("household", "paper"),
            ("landlord", "paper"),
            ("administrator", "paper"),
        ]
        assert (plan.policy, plan.tolerance_days) == ("current_first", 7)
        assert [dict(one.parts) for one in plan.instalments] == [
            {"ALER": 6_667, "Condominio": 3_333},
            {"ALER": 6_667, "Condominio": 3_333},
            {"ALER": 6_667, "Condominio": 3_334},
        ]
        assert sum(one.cents for one in plan.instalments) == PLAN["total"]


def test_each_creditors_money_pays_its_own_part_and_a_payment_sent_back_heals_with_history(team: Team) -> None:
    with team.store.transaction() as tx:
        row, ledger = negotiating(team, tx)
        team.do(tx, "wanda", row.code, "agree_plan", **PLAN, signed_by_administrator=True)
        due = PLAN["first_due_on"]
        ledger.book("ALER", "canone", -9_000, due, iuv="A1")
        instalments.settle(tx, due + timedelta(days=1))
        assert [one.paid_cents for one in plans_of(team, tx, row)[0].instalments] == [6_667, 2_333, 0]
        ledger.book("Condominio", "spese", -3_333, due)
        instalments.settle(tx, due + timedelta(days=2))
        assert plans_of(team, tx, row)[0].instalments[0].status == "paid"
        ledger.book("ALER", "canone", 9_000, due + timedelta(days=12), iuv="A1")  # the bank sent it back
        back = due + timedelta(days=13)
        instalments.settle(tx, back)
        (plan,) = plans_of(team, tx, row)
        assert plan.instalments[0].status == "missed"
        ended = [one for one in plan.allocations if one.until_on == back]
        assert [(one.number, one.cents, one.reference) for one in ended] == [(1, 6_667, "A1"), (2, 2_333, "A1")]
        ledger.book("ALER", "canone", -9_000, due + timedelta(days=5), iuv="A1")  # credited after all, back-dated
        instalments.settle(tx, back + timedelta(days=1))
        (plan,) = plans_of(team, tx, row)
        assert (plan.instalments[0].status, plan.instalments[0].paid_on) == ("paid", due + timedelta(days=5))
        standing = [one for one in plan.allocations if one.until_on is None]
        assert sum(one.cents for one in standing) == plan.paid_cents == 12_333


def test_a_renegotiated_plan_is_linked_to_the_one_it_replaces_and_an_undo_brings_that_back(team: Team) -> None:
    with team.store.transaction() as tx:
        row, _ledger = negotiating(team, tx)
        sides = {"signed_by_administrator": True}
        team.do(tx, "wanda", row.code, "agree_plan", **PLAN, **sides)
        team.do(tx, "wanda", row.code, "renegotiate", reason="hours cut")
        team.do(tx, "wanda", row.code, "agree_plan", **PLAN | {"instalments": 6}, **sides)
        new, old = plans_of(team, tx, row)
        assert [(one.version, one.replaces, one.status) for one in (new, old)] == [
            (2, 1, "active"),
            (1, None, "replaced"),
        ]
        # The household hears of a plan by a message that waits: nothing has left, so it can be taken back.
        undoing.undo(tx, team.occasion(tx, "wanda"), row.code)
        (back,) = plans_of(team, tx, row)
        assert (back.version, back.status) == (1, "active")


def test_the_book_opens_on_the_page_and_in_the_interface(site: Site) -> None:
    with site.ponte.store.transaction() as tx:
        row, ledger = negotiating(site.team, tx)
        site.team.do(tx, "wanda", row.code, "agree_plan", **PLAN, signed_by_administrator=True, signed_how="digital")
        ledger.book("ALER", "canone", -6_667, PLAN["first_due_on"])
        instalments.settle(tx, PLAN["first_due_on"] + timedelta(days=9))
    wanda = site.signed_in("wanda")
    listed = wanda.get("/plans").text
    assert row.code in listed and "300.01" in listed
    assert (
        row.code in wanda.get("/plans?standing=late").text and row.code not in wanda.get("/plans?standing=settled").text
    )
    refused = wanda.get("/plans?standing=nonsense")
    assert refused.status_code == 422 and "nonsense" in refused.text
    page = wanda.get(f"/cases/{row.code}/plans").text
    assert "Condominio" in page and "66.67" in page
    with site.ponte.store.transaction() as tx:
        told = plan_book.listed(tx, site.team.occasion(tx, "wanda"))
        assert [(one.code, one.missed, one.paid_cents) for one in told] == [(row.code, 1, 6_667)]
        assert plan_book.listed(tx, site.team.occasion(tx, "wanda"), first=1) == ()
    one = program(site, "wanda")
    (item,) = one.get("/plans", params={"standing": "late"}).json()["items"]
    assert (item["code"], item["total_cents"], item["missed"]) == (row.code, 30_001, 1)
    (plan,) = one.get(f"/cases/{row.code}/plans").json()["plans"]
    assert plan["allocations"][0]["cents"] == 6_667 and plan["signatures"][0]["how"] == "digital"
