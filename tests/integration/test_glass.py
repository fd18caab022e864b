"""Breaking the glass: a case is opened with a reason, for a while, and its supervisor is told."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from ponte_workflow import clock
from ponte_workflow.errors import BadInput, NotAllowed, NotFound
from ponte_workflow.services import casework, glass
from ponte_workflow.services.casework import Occasion
from ponte_workflow.services.delivery import Resolved
from ponte_workflow.services.glass import OpenAnyway
from ponte_workflow.services.rights import OutOfSight, actor_of
from ponte_workflow.services.wording import Writer
from ponte_workflow.store import access, cases, network, outbox
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.schema.accounts import break_glass
from ponte_workflow.store.schema.casework import cases as cases_table
from ponte_workflow.store.schema.messages import outbox as outbox_table
from tests.site import Site

REASON = "The household stands at the desk and wanda is ill"


def a_case(site: Site, worker: str | None = "wanda") -> str:
    """A case of Sanpolino, with a worker of the cooperative there."""
    with site.ponte.store.transaction() as tx:
        row = site.team.open_case(tx, email="casa@example.org")
        if worker:
            row = casework.assign(tx, site.team.occasion(tx, "sara"), row.code, worker)
        return row.code


def now(site: Site, tx: Transaction, username: str) -> Occasion:
    at = clock.now()
    return Occasion(actor_of(tx, username, clock.today(), at), clock.today(), at, site.ponte.pathways)


def told(tx: Transaction) -> list[str]:
    rows = tx.connection.execute(select(outbox_table.c.recipient).where(outbox_table.c.message == "glass_opened"))
    return list(rows.scalars())


def test_a_case_opened_with_a_reason_is_open_for_an_hour(site: Site) -> None:
    code, browser = a_case(site), site.signed_in("walter")
    answer = browser.get(f"/cases/{code}")
    assert answer.status_code == 403 and f'action="/cases/{code}/open-with-reason"' in answer.text
    answer = browser.post(f"/cases/{code}/open-with-reason", data={"reason": REASON})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/cases/{code}")
    assert browser.get(f"/cases/{code}").status_code == 200
    with site.ponte.store.transaction() as tx:
        tx.connection.execute(update(break_glass).values(until_at=clock.now() - timedelta(seconds=1)))
    assert browser.get(f"/cases/{code}").status_code == 403, "the hour is over"


def test_the_console_sees_the_opened_case_too(site: Site) -> None:
    code = a_case(site)
    with site.ponte.store.transaction() as tx:
        with pytest.raises(OutOfSight):
            casework.look(tx, now(site, tx, "walter"), code)
        glass.open_with_reason(tx, now(site, tx, "walter"), code, REASON)
        assert casework.look(tx, now(site, tx, "walter"), code).row.code == code
        with pytest.raises(OutOfSight):
            casework.look(tx, now(site, tx, "gino"), code)


def test_the_reason_is_kept_encrypted_the_view_is_traced_and_the_supervisor_told(site: Site) -> None:
    code = a_case(site)
    site.signed_in("walter").post(f"/cases/{code}/open-with-reason", data={"reason": REASON})
    with site.ponte.store.transaction() as tx:
        row = cases.by_code(tx, code)
        assert "desk" not in tx.connection.execute(select(break_glass.c.reason)).scalar_one()
        walter, sara = (network.member_by_username(tx, name).id for name in ("walter", "sara"))
        assert (walter, "glass.open") in [(who, what) for who, _at, what in access.of_household(tx, row.household_id)]
        assert told(tx) == [f"staff:{sara}"]
        claimed = outbox.claim(tx, clock.now(), clock.today(), 10)
        notice = next(one for one in claimed if one.message == "glass_opened")
        resolved = Writer(site.ponte.pathways, "office", "phone", 7)(tx, notice, clock.now())
    assert isinstance(resolved, Resolved) and resolved.address == "sara@example.org"
    assert REASON in str(resolved.message) and "Elefanti Volanti" in str(resolved.message)


def test_closing_the_case_does_not_take_the_news_back(site: Site) -> None:
    code = a_case(site)
    with site.ponte.store.transaction() as tx:
        row = glass.open_with_reason(tx, now(site, tx, "walter"), code, REASON)
        outbox.withdraw(tx, row.id, "closed", to_staff=True)
        status = tx.connection.execute(
            select(outbox_table.c.status).where(outbox_table.c.message == "glass_opened")
        ).scalar_one()
    assert status == "queued"


def test_a_supervisor_who_covers_nobody_tells_another_supervisor(site: Site) -> None:
    code = a_case(site)
    with site.ponte.store.transaction() as tx:
        glass.open_with_reason(tx, now(site, tx, "rita"), code, REASON)
        assert told(tx) == [f"staff:{network.member_by_username(tx, 'sara').id}"]


def test_whoever_covers_for_the_supervisor_does_not_look_over_their_own_shoulder(site: Site) -> None:
    code = a_case(site)
    with site.ponte.store.transaction() as tx:
        walter, sara, lidia = (network.member_by_username(tx, name) for name in ("walter", "sara", "lidia"))
        network.set_absence(tx, sara.id, clock.today(), None, walter.id)
        glass.open_with_reason(tx, now(site, tx, "walter"), code, REASON)
        assert told(tx) == [f"staff:{lidia.id}"]


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        pytest.param("", "Say why", id="none"),
        pytest.param("too short", "Say why", id="nine characters"),
        pytest.param("   \t         \n    ", "Say why", id="blanks are no reason"),
        pytest.param("\0" * 30, "Say why", id="control signs are none"),
        pytest.param("x" * 501, "Say why", id="too long"),
    ],
)
def test_without_a_reason_nothing_is_opened(site: Site, reason: str, said: str) -> None:
    code, browser = a_case(site), site.signed_in("walter")
    answer = browser.post(f"/cases/{code}/open-with-reason", data={"reason": reason})
    assert answer.status_code == 422 and said in answer.text
    assert browser.get(f"/cases/{code}").status_code == 403


def test_the_refusal_does_not_tell_whether_there_is_such_a_case(site: Site) -> None:
    code, browser = a_case(site), site.signed_in("walter")
    there, nowhere = browser.get(f"/cases/{code}"), browser.get("/cases/P-999999")
    assert there.status_code == nowhere.status_code == 403
    assert there.text.replace(code, "X") == nowhere.text.replace("P-999999", "X")
    assert "Prova" not in there.text
    wrong = [browser.post(f"/cases/{c}/open-with-reason", data={"reason": "short"}) for c in (code, "P-999999")]
    assert wrong[0].text.replace(code, "X") == wrong[1].text.replace("P-999999", "X")
    assert browser.post("/cases/P-999999/open-with-reason", data={"reason": REASON}).status_code == 404
    assert site.signed_in("lidia").get("/cases/P-999999").status_code == 404, "the lead sees every case there is"


def test_whoever_sees_the_case_anyway_gives_no_reason_and_is_not_reported(site: Site) -> None:
    code = a_case(site)
    for username in ("wanda", "sara", "lidia"):
        answer = site.signed_in(username).post(f"/cases/{code}/open-with-reason", data={"reason": REASON})
        assert answer.headers["location"] == f"/cases/{code}"
    with site.ponte.store.transaction() as tx:
        assert told(tx) == []
        with pytest.raises(OpenAnyway):
            glass.open_with_reason(tx, now(site, tx, "wanda"), code, REASON)
        with pytest.raises(BadInput, match="at most"):
            glass.open_with_reason(tx, now(site, tx, "walter"), code, REASON, minutes=100_000)


def test_an_administrator_opens_no_household(site: Site) -> None:
    code = a_case(site)
    browser = site.signed_in("ada")
    assert browser.post(f"/cases/{code}/open-with-reason", data={"reason": REASON}).status_code == 403
    assert "open-with-reason" not in browser.get(f"/cases/{code}").text
    with site.ponte.store.transaction() as tx, pytest.raises(NotAllowed):
        glass.open_with_reason(tx, now(site, tx, "ada"), code, REASON)


def test_more_than_ten_in_an_hour_are_too_many(site: Site) -> None:
    browser = site.signed_in("walter")
    codes = [a_case(site) for _n in range(3)]
    for n in range(10):
        browser.post(f"/cases/{codes[n % 2]}/open-with-reason", data={"reason": REASON})
    assert browser.post(f"/cases/{codes[2]}/open-with-reason", data={"reason": REASON}).status_code == 429
    assert browser.get(f"/cases/{codes[2]}").status_code == 403


def test_the_supervisor_sees_the_opening_and_marks_it(site: Site) -> None:
    code = a_case(site)
    site.signed_in("walter").post(f"/cases/{code}/open-with-reason", data={"reason": REASON})
    sara = site.signed_in("sara")
    text = sara.get("/supervision/glass").text
    assert REASON in text and code in text and "Walter" in text
    with site.ponte.store.transaction() as tx:
        opening = tx.connection.execute(select(break_glass.c.id)).scalar_one()
    assert sara.post(f"/supervision/glass/{opening}/seen").status_code == 303
    assert "/seen" not in sara.get("/supervision/glass").text
    with site.ponte.store.transaction() as tx:
        row = cases.by_code(tx, code)
        assert "glass.read" in [what for _who, _at, what in access.of_household(tx, row.household_id)]


def test_only_the_cases_own_supervisors_see_the_opening(site: Site) -> None:
    code = a_case(site)
    rita = site.signed_in("rita")
    rita.post(f"/cases/{code}/open-with-reason", data={"reason": REASON})
    with site.ponte.store.transaction() as tx:
        opening = tx.connection.execute(select(break_glass.c.id)).scalar_one()
    assert rita.get(f"/cases/{code}").status_code == 200
    assert REASON not in rita.get("/supervision/glass").text, "having opened it does not make it hers to supervise"
    assert rita.post(f"/supervision/glass/{opening}/seen").status_code == 404
    assert site.signed_in("wanda").get("/supervision/glass").status_code == 403
    assert site.signed_in("ada").get("/supervision/glass").status_code == 403
    assert REASON in site.signed_in("lidia").get("/supervision/glass").text


def test_nobody_marks_their_own_opening(site: Site) -> None:
    code = a_case(site, worker=None)
    with site.ponte.store.transaction() as tx:
        glass.open_with_reason(tx, now(site, tx, "rita"), code, REASON)
        opening = tx.connection.execute(select(break_glass.c.id)).scalar_one()
        # Her organisation takes the case over: now it is hers to supervise, but not this opening.
        row = cases.by_code(tx, code)
        partner = network.member_by_username(tx, "rita").partner_id
        tx.connection.execute(update(cases_table).where(cases_table.c.id == row.id).values(partner_id=partner))
        with pytest.raises(NotAllowed, match="yourself"):
            glass.mark_seen(tx, now(site, tx, "rita"), opening)
        with pytest.raises(NotFound):
            glass.mark_seen(tx, now(site, tx, "lidia"), opening + 1)
    assert "for somebody else to look at" in site.signed_in("rita").get("/supervision/glass").text
