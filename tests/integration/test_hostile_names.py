"""A household whose name is markup, brought in by the landlord's file: every page and mail shows it as text."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from notifications.rendering import render
from ponte_workflow import clock
from ponte_workflow.services import casework
from ponte_workflow.services.delivery import Resolved, Resolver
from ponte_workflow.services.importing.formats import COLUMNS
from ponte_workflow.store import cases, digests, outbox
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.outbox import ClaimedRow
from ponte_workflow.store.schema.neighbourhood import tenancy
from tests.integration.hostile import Look, foul
from tests.integration.ledger_files import DATA, bring_in
from tests.integration.route_table import pages
from tests.integration.standing_cases import STAFF_OF, TODAY, adult_of, things_of
from tests.site import Site

SURNAME = "<b>Rossi</b>{{7*7}}"


@dataclass
class Household:
    """A case of that household, led by wanda."""

    site: Site
    things: dict[str, str]


@pytest.fixture
def rossi(site: Site, tmp_path: Path) -> Household:
    """Brought in as it would be, and in the care of wanda."""
    line = f"800001;1;{SURNAME};Anna;F;01/01/1951;;intestatario;3330000001;anna@example.org;it"
    people = tmp_path / "nuclei.csv"
    people.write_text("\r\n".join([";".join(COLUMNS["households"]), line, ""]), encoding="cp1252", newline="")
    report = bring_in(site.ponte.store, DATA / "patrimonio.csv", people, rejects=tmp_path)
    assert {one.file: one.refused for one in report.files} == {"patrimonio.csv": 0, "nuclei.csv": 0}
    team = site.team
    with site.ponte.store.transaction() as tx:
        home = tx.connection.execute(select(tenancy).where(tenancy.c.code == "800001")).one()
        system = team.occasion(tx, None, TODAY)
        ids = {"tenancy_id": home.id, "household_id": home.household_id, "quarter_id": home.quarter_id}
        row = casework.open_case(tx, system, pathway="sanpolino", why={"class": "contained"}, **ids)
        team.do(tx, "sara", row.code, "assign", TODAY, case_worker="wanda")
        team.do(tx, "wanda", row.code, "confirm", TODAY, cause="dismissal", objective=True, transitory=True)
        return Household(site, things_of(tx, row))


def test_every_page_shows_the_name_as_text(rossi: Household) -> None:
    shown_on: set[str] = set()
    wrong: list[str] = []
    for username in STAFF_OF.values():
        if username == "leo":
            continue  # the landlord has nobody signed in here
        browser = rossi.site.signed_in(username)
        for page in pages(rossi.site.app):
            if page.method != "GET" or page.api:
                continue
            answer = browser.get(page.address(**rossi.things))
            if not answer.headers.get("content-type", "").startswith("text/html"):
                continue
            if "<b>Rossi" in answer.text or foul(answer):
                wrong.append(f"{username}: {page.id} {foul(answer)}")
            if SURNAME in Look(answer.text).words:
                shown_on.add(page.path)
    assert not wrong
    assert {"/", "/cases", "/cases/{code}", "/cases/{code}/print", "/cases/{code}/do/{trigger}"} <= shown_on


@pytest.mark.parametrize("text", ["<b>Rossi", "rossi", "Anna <b>rossi"])
def test_the_search_shows_it_as_text(rossi: Household, text: str) -> None:
    answer = rossi.site.signed_in("wanda").post("/search", data={"text": text})
    assert "<b>Rossi" not in answer.text and not foul(answer)
    assert answer.status_code in (200, 303)


def test_the_name_is_found_as_it_is_written(rossi: Household) -> None:
    answer = rossi.site.signed_in("wanda").post("/search", data={"text": SURNAME})
    assert answer.headers.get("location") == f"/cases/{rossi.things['code']}"


def test_every_mail_shows_it_as_text(rossi: Household) -> None:
    """To the household, to the supervisor about a death, and the digest of a worker whose alarm rang."""
    mails = list(_mails(rossi))
    assert {"first_meeting_invitation", "household_member_deceased", "digest"} <= {name for name, _html, _text in mails}
    for name, html, text in mails:
        assert "<b>Rossi" not in html and "&lt;b&gt;Rossi&lt;/b&gt;{{7*7}}" in html, name
        assert SURNAME in text, name


def _mails(rossi: Household) -> Iterator[tuple[str, str, str]]:
    site, at = rossi.site, clock.now()
    writer = site.ponte.writer()
    with site.ponte.store.transaction() as tx:
        row = cases.by_code(tx, rossi.things["code"])
        noted = outbox.OutboxRow(
            rule="engagement.to_contact/contact/first",
            due_on=TODAY,
            recipient=f"staff:{row.assigned_to}",
            message="digest",
            kind="remind",
            delivery="digest",
            case_id=row.id,
            data={"since": (TODAY - timedelta(days=9)).isoformat()},
        )
        assert outbox.queue(tx, noted)
        digests.gather(tx, f"staff:{row.assigned_to}", TODAY, clock.now())
        direct = outbox.claim(tx, at, TODAY, 20)
        yield from _words(direct, tx, writer, at)
        site.team.do(tx, "wanda", row.code, "decease", TODAY, person=adult_of(tx, row), reason="in hospital")
        yield from _words(outbox.claim(tx, at, TODAY, 20), tx, writer, at)


def _words(
    claimed: Iterable[ClaimedRow], tx: Transaction, writer: Resolver, at: datetime
) -> Iterator[tuple[str, str, str]]:
    for row in claimed:
        made = writer(tx, row, at)
        if isinstance(made, Resolved):
            rendered = render(made.message, made.language)
            yield row.message, rendered.html, rendered.text
