"""pagoPA notices and receipts: issued once, printed on the letter, read once, counted until the landlord has booked them."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from ponte_workflow.errors import BadInput, NeedsMissing, NotAllowed
from ponte_workflow.services import instalments, notices, plan_book
from ponte_workflow.services.delivery import Resolved
from ponte_workflow.services.wording import Writer
from ponte_workflow.store import cases, outbox
from ponte_workflow.store.engine import Store, Transaction
from ponte_workflow.store.outbox import ClaimedRow
from states.pagopa import Body, OwnIssuer, Wanted, is_notice, iuv_of
from tests.builders import MONDAY, Team, create_team
from tests.integration.standing_cases import add_landlord, walk
from tests.integration.test_plan_book import PLAN, Ledger
from tests.site import Site

ISSUER = OwnIssuer((Body("ALER", "00000000001", "47"),))
DUE: date = PLAN["first_due_on"]
MORNING = datetime(2026, 11, 5, 9, tzinfo=UTC)
HEAD = "receiptId,creditorReferenceId,paymentAmount,paymentDateTime\n"


@pytest.fixture
def team(store: Store) -> Iterator[Team]:
    team = create_team(store)
    with store.transaction() as tx:
        add_landlord(tx)
    yield team


def signed(team: Team, tx: Transaction, **changes: Any) -> tuple[cases.CaseRow, Ledger]:
    row = walk(team, tx, "active", "wanda", on=MONDAY)
    ledger = Ledger(tx, row)
    ledger.owe("ALER", "canone", 30_001)
    team.do(tx, "wanda", row.code, "agree_plan", **PLAN | changes)
    return row, ledger


def issued(team: Team, tx: Transaction, row: cases.CaseRow) -> list[str]:
    who = team.occasion(tx, "wanda")
    notices.issue(tx, who, row.code, ISSUER)
    return [one.notice_number for one in notices.of_case(tx, who, row.code)]


def read(team: Team, tx: Transaction, *lines: str, head: str = HEAD) -> notices.ReceiptsRead:
    return notices.read_receipts(tx, team.occasion(tx, "lidia"), head + "\n".join(lines) + "\n")


def statuses(team: Team, tx: Transaction, row: cases.CaseRow) -> list[str]:
    plan = plan_book.book(tx, team.occasion(tx, "wanda"), row.code).plans[0]
    return [one.status for one in plan.instalments]


def test_each_instalment_has_one_notice_however_often_it_is_asked_for(team: Team) -> None:
    with team.store.transaction() as tx:
        row, _ledger = signed(team, tx)
        numbers = issued(team, tx, row)
        assert len(set(numbers)) == 3 and all(is_notice(number) for number in numbers)
        assert issued(team, tx, row) == numbers
        other, _ledger = signed(team, tx)
        assert not set(issued(team, tx, other)) & set(numbers)


def test_without_a_plan_without_a_right_and_with_a_broken_issuer_nothing_is_issued(team: Team) -> None:
    class Broken:
        def issue(self, wanted: Wanted) -> tuple[str, str]:
            return "347000000000000099", "00000000001"

    with team.store.transaction() as tx:
        bare = walk(team, tx, "active", "wanda", on=MONDAY)
        with pytest.raises(NeedsMissing, match="signed plan"):
            notices.issue(tx, team.occasion(tx, "wanda"), bare.code, ISSUER)
        row, _ledger = signed(team, tx)
        with pytest.raises(BadInput, match="wrong check digits"):
            notices.issue(tx, team.occasion(tx, "wanda"), row.code, Broken())
        with pytest.raises(NotAllowed):
            notices.issue(tx, team.occasion(tx, "vera"), row.code, ISSUER)
        assert notices.of_case(tx, team.occasion(tx, "wanda"), row.code) == ()
        nobody = notices.issue(tx, team.occasion(tx, "wanda"), row.code, OwnIssuer(()))
        assert nobody == notices.Issued(0, ("ALER",))


def test_a_receipt_pays_its_own_instalment_and_the_landlords_booking_takes_its_place(team: Team) -> None:
    with team.store.transaction() as tx:
        row, ledger = signed(team, tx)
        iuv = iuv_of(issued(team, tx, row)[1])  # the second one, before the first: the reference decides
        done = read(team, tx, f"R1,{iuv},100.00,{DUE - timedelta(days=3)}T10:00:00")
        assert (done.new, done.known, done.findings) == (1, 0, ())
        instalments.settle(tx, DUE)
        assert statuses(team, tx, row) == ["due", "paid", "due"]
        ledger.book("ALER", "canone", -10_000, DUE + timedelta(days=1), iuv=iuv)
        instalments.settle(tx, DUE + timedelta(days=2))
        plan = plan_book.book(tx, team.occasion(tx, "wanda"), row.code).plans[0]
        assert [one.paid_cents for one in plan.instalments] == [0, 10_000, 0], "paid once, not twice"
        assert len([one for one in plan.allocations if one.until_on is None]) == 1


def test_the_same_file_twice_changes_nothing_and_a_changed_receipt_is_told(team: Team) -> None:
    with team.store.transaction() as tx:
        row, _ledger = signed(team, tx)
        iuv = iuv_of(issued(team, tx, row)[0])
        line = f"R1,{iuv},100.00,{DUE}T10:00:00"
        assert read(team, tx, line).new == 1
        again = read(team, tx, line, line)
        assert (again.new, again.known, again.findings) == (0, 2, ())
        changed = read(team, tx, line.replace("100.00", "99.00"))
        assert changed.new == 0 and "the first one stands" in changed.findings[0].why


def test_what_cannot_be_read_is_told_by_line_and_the_rest_goes_on(team: Team) -> None:
    with team.store.transaction() as tx:
        row, _ledger = signed(team, tx)
        iuv = iuv_of(issued(team, tx, row)[0])
        done = read(
            team,
            tx,
            "R1,99999999999999999,100.00,2026-11-19",
            f",{iuv},100.00,2026-11-19",
            f"R2,{iuv},ten,2026-11-19",
            f"R3,{iuv},0.00,2026-11-19",
            f"R4,{iuv},50.00,yesterday",
            "R5,a b,50.00,2026-11-19",
            f"R6,{iuv},50.00,2026-11-19T23:30:00+00:00",
        )
        told = {one.line: (one.kept, one.why.partition(":")[0]) for one in done.findings}
        assert told == {
            2: (True, "creditorReferenceId"),
            3: (False, "receiptId"),
            4: (False, "paymentAmount"),
            5: (False, "paymentAmount"),
            6: (False, "paymentDateTime"),
            7: (False, "creditorReferenceId"),
            8: (True, "paymentAmount"),
        }
        assert done.new == 2
        (lost,) = notices.unmatched(tx, team.occasion(tx, "lidia"))
        assert lost.receipt_id == "R1", "nothing is lost"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("", "is empty", id="empty"),
        pytest.param("receiptId,paymentAmount\nR1,1.00\n", "missing: creditorReferenceId", id="a column is missing"),
    ],
)
def test_a_file_that_is_none_is_refused(team: Team, text: str, says: str) -> None:
    with team.store.transaction() as tx, pytest.raises(BadInput, match=says):
        notices.read_receipts(tx, team.occasion(tx, "lidia"), text)


def test_semicolons_and_italian_amounts_are_read_too(team: Team) -> None:
    with team.store.transaction() as tx:
        done = read(team, tx, "R1;X1;1.234,56;2026-11-19", head=HEAD.replace(",", ";"))
        assert done.new == 1
        assert notices.unmatched(tx, team.occasion(tx, "lidia"))[0].cents == 123_456


def test_the_letter_of_an_instalment_carries_its_notice_and_the_code_can_be_read(team: Team) -> None:
    with team.store.transaction() as tx:
        row, _ledger = signed(team, tx)
        number = issued(team, tx, row)[0]
        person = min(cases.persons(tx, row.household_id))
        claimed = claimed_row(tx, row, person)
        writer = Writer(team.pathways, "Office", "030", 7)
        found = writer(tx, claimed, MORNING)
        assert isinstance(found, Resolved) and found.slips
        assert found.slips[0].qr_text == f"PAGOPA|002|{number}|00000000001|10000"


def test_with_two_creditors_the_letter_carries_both_notices(team: Team) -> None:
    both = OwnIssuer((Body("ALER", "00000000001", "47"), Body("AMMINISTRATORE", "00000000002", "48")))
    with team.store.transaction() as tx:
        row = walk(team, tx, "active", "wanda", on=MONDAY)
        ledger = Ledger(tx, row)
        ledger.owe("ALER", "canone", 20_000)
        ledger.owe("AMMINISTRATORE", "spese", 10_001)
        team.do(tx, "wanda", row.code, "agree_plan", **PLAN | {"signed_by_administrator": True})
        notices.issue(tx, team.occasion(tx, "wanda"), row.code, both)
        found = Writer(team.pathways, "Office", "030", 7)(
            tx, claimed_row(tx, row, min(cases.persons(tx, row.household_id))), MORNING
        )
        assert isinstance(found, Resolved)
        assert {one.creditor for one in found.slips} == {"ALER", "AMMINISTRATORE"}
        instalment = plan_book.book(tx, team.occasion(tx, "wanda"), row.code).plans[0].instalments[0]
        assert sum(one.cents for one in found.slips) == instalment.cents


def claimed_row(tx: Transaction, row: cases.CaseRow, person: int) -> ClaimedRow:
    outbox.queue(
        tx,
        outbox.OutboxRow(
            rule="instalment/1",
            due_on=DUE,
            recipient=f"person:{person}",
            message="instalment_due",
            kind="inform",
            delivery="direct",
            case_id=row.id,
            data={"due_on": DUE, "cents": 10_000},
        ),
    )
    return next(one for one in outbox.claim(tx, MORNING, MORNING.date(), 50) if one.rule == "instalment/1")


def test_a_file_of_receipts_is_read_on_the_page_and_the_findings_are_shown(site: Site) -> None:
    lidia = site.signed_in("lidia")
    content = (HEAD + "R1,X1,10.00,2026-11-02\nR2,X1,ten,2026-11-02\n").encode()
    page = lidia.post("/administration/receipts", files={"file": ("a.csv", content, "text/csv")})
    assert page.status_code == 200 and "New receipts: 1" in page.text and "paymentAmount" in page.text
    assert "R1" in lidia.get("/administration/receipts").text
    broken = lidia.post("/administration/receipts", files={"file": ("a.csv", b"\xff\xfe", "text/csv")})
    assert broken.status_code == 422 and "UTF-8" in broken.text
    assert lidia.post("/administration/receipts").status_code == 422
    assert site.signed_in("wanda").get("/administration/receipts").status_code == 403


RT = """<?xml version="1.0" encoding="UTF-8"?>
<RT xmlns="http://www.digitpa.gov.it/schemas/2011/Pagamenti/"><versioneOggetto>6.2.0</versioneOggetto>
<identificativoMessaggioRicevuta>{id}</identificativoMessaggioRicevuta>
<datiPagamento><codiceEsitoPagamento>{outcome}</codiceEsitoPagamento><importoTotalePagato>{amount}</importoTotalePagato>
<identificativoUnivocoVersamento>{iuv}</identificativoUnivocoVersamento>
<datiSingoloPagamento><singoloImportoPagato>{amount}</singoloImportoPagato>
<dataEsitoSingoloPagamento>2026-11-27</dataEsitoSingoloPagamento></datiSingoloPagamento></datiPagamento></RT>"""
SEND_RT = """<paSendRTReq xmlns="http://pagopa-api.pagopa.gov.it/pa/paForNode.xsd"><receipt><receiptId>{id}</receiptId>
<creditorReferenceId>{iuv}</creditorReferenceId><paymentAmount>{amount}</paymentAmount><outcome>OK</outcome>
<paymentDateTime>2026-11-27T10:30:00</paymentDateTime></receipt></paSendRTReq>"""


@pytest.mark.parametrize("form", [pytest.param(RT, id="RT"), pytest.param(SEND_RT, id="paSendRT")])
def test_a_receipt_is_read_from_the_xml_of_pagopa_once(team: Team, form: str) -> None:
    with team.store.transaction() as tx:
        row, _ledger = signed(team, tx)
        iuv = iuv_of(issued(team, tx, row)[0])
        cents = plan_book.book(tx, team.occasion(tx, "wanda"), row.code).plans[0].instalments[0].cents
        xml = form.format(id="R-1", iuv=iuv, amount=f"{cents // 100}.{cents % 100:02d}", outcome="0")
        who = team.occasion(tx, "lidia")
        assert notices.read_receipts(tx, who, xml) == notices.ReceiptsRead(1, 0, ())
        assert notices.read_receipts(tx, who, "\ufeff" + xml) == notices.ReceiptsRead(0, 1, ())
        instalments.settle(tx, date(2026, 11, 28))
        assert statuses(team, tx, row)[0].startswith("paid")


@pytest.mark.parametrize(
    ("xml", "sentence"),
    [
        pytest.param("<RT><datiPagamento/></RT>", "missing: receiptId", id="no receipt"),
        pytest.param("<RT><open></RT>", "cannot be read", id="broken"),
        pytest.param("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "defines entities", id="entities"),
        pytest.param(RT.format(id="R-2", iuv="1", amount="1.00", outcome="1"), "nothing was paid", id="not paid"),
    ],
)
def test_an_xml_that_is_no_receipt_says_why(team: Team, xml: str, sentence: str) -> None:
    with team.store.transaction() as tx, pytest.raises(BadInput, match=sentence):
        notices.read_receipts(tx, team.occasion(tx, "lidia"), xml)
