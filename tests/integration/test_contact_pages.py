"""Contacts on the case page, the inbox, costs by month, and the commands for them."""

import re
from typing import Any

import pytest
from sqlalchemy import select, update

from notifications.errors import ChannelDown
from ponte_workflow.errors import BadInput, InvalidField, NotAllowed, NotFound
from ponte_workflow.services import bouncing, contacts, costing, inboxes
from ponte_workflow.services.contacts import Mended
from ponte_workflow.store import cases, network, outbox, tracking
from ponte_workflow.store.outbox import OutboxRow, Proof
from ponte_workflow.store.schema.messages import evidence
from ponte_workflow.store.schema.messages import inbox as inbox_table
from ponte_workflow.store.schema.neighbourhood import contact
from ponte_workflow.store.schema.network import access, staff
from tests.integration.contact_cases import NOW, TODAY, open_one, send, tell
from tests.integration.outbox_rows import Tray
from tests.site import Site
from tests.unit.test_bounces import dsn


def kept(site: Site, person_id: int) -> dict[str, Any]:
    with site.ponte.store.transaction() as tx:
        rows = tx.connection.execute(select(contact).where(contact.c.person_id == person_id)).all()
        return {row.channel: (tx.cipher.decrypt(row.value), row.preferred, row.wrong_on) for row in rows}


def test_a_case_worker_mends_a_contact_and_the_page_shows_it(site: Site) -> None:
    code, person = open_one(site, email="old@example.org")
    browser = site.signed_in("wanda")
    form = {"person": person, "kind": "phone", "value": "340 123 4567", "preferred": "yes", "consent": "yes"}
    answer = browser.post(f"/cases/{code}/contacts", data=form)
    assert answer.status_code == 303 and answer.headers["location"] == f"/cases/{code}#contacts"
    assert kept(site, person)["phone"] == ("+393401234567", True, None)
    shown = browser.get(f"/cases/{code}").text
    assert "Contact kept." in shown and "+393401234567" in shown and "preferred" in shown
    assert "telephone — changed, the person wants messages there" in shown, "what happened says so"
    with site.ponte.store.transaction() as tx:
        whats = tx.connection.execute(select(access.c.what).order_by(access.c.id)).scalars().all()
        assert "contacts.mend" in whats


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        pytest.param({"kind": "phone", "value": "34O 123"}, "Telephone: this is no number", id="no number"),
        pytest.param({"kind": "email", "value": "a b@example.org"}, "Address: this is no mail address", id="no address"),
        pytest.param({"kind": "email", "value": "a@localhost"}, "the part after the @", id="half a domain"),
        pytest.param({"kind": "pec", "value": "x" * 300}, "at most 200", id="too long"),
        pytest.param({"kind": "phone", "value": "030 2978911", "preferred": "yes"}, "is a landline", id="a landline"),
        pytest.param({"kind": "pec", "value": "", "preferred": "yes"}, "has no such contact (PEC)", id="no such way"),
        pytest.param({"kind": "pec", "value": "", "consent": "yes"}, "has no such contact (PEC)", id="a yes to nothing"),
        pytest.param({"kind": "email", "value": "a@example.org", "preferred": "yes", "consent": "no"}, "choose one", id="both"),
        pytest.param({"kind": "fax", "value": "1"}, "choose among", id="another kind"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_the_field_and_what_would_do(
    site: Site, form: dict[str, str], sentence: str
) -> None:
    code, person = open_one(site, email="old@example.org")
    browser = site.signed_in("wanda")
    assert browser.post(f"/cases/{code}/contacts", data={"person": person, **form}).status_code == 303
    assert sentence in re.sub(r"&#?\w+;", " ", browser.get(f"/cases/{code}").text)
    assert kept(site, person) == {"email": ("old@example.org", False, None)}


def test_an_emptied_field_takes_a_contact_away_and_the_landlords_list_does_not_bring_it_back(site: Site) -> None:
    from ponte_workflow.store import people as register
    from ponte_workflow.store.people import PersonRow

    code, person = open_one(site, email="old@example.org")
    browser = site.signed_in("wanda")
    browser.post(f"/cases/{code}/contacts", data={"person": person, "kind": "email", "value": ""})
    assert kept(site, person)["email"] == ("", False, None)
    with site.ponte.store.transaction() as tx:
        row = cases.by_code(tx, code)
        line = PersonRow(
            "x", 1, "Prova", "Persona1", "F", "1985-05-01", "", "intestatario", "333", "old@example.org", "it"
        )
        register.upsert(tx, {(row.household_id, 1): line})
    assert kept(site, person)["email"][0] == "" and kept(site, person)["phone"][0] == "333"
    assert "old@example.org" not in browser.get(f"/cases/{code}").text


def test_others_neither_see_the_forms_nor_may_send_them(site: Site) -> None:
    code, person = open_one(site, email="a@example.org")
    with site.ponte.store.transaction() as tx:
        for username, error in (("gino", NotAllowed), ("rita", NotAllowed)):
            with pytest.raises(error):
                contacts.mend(
                    tx, site.team.occasion(tx, username, TODAY), code, person, "email", Mended("b@example.org")
                )
        with pytest.raises(NotFound):
            contacts.mend(
                tx, site.team.occasion(tx, "wanda", TODAY), code, person + 999, "email", Mended("b@example.org")
            )
        with pytest.raises(InvalidField, match="address of the home"):
            contacts.mend(tx, site.team.occasion(tx, "wanda", TODAY), code, person, "letter", Mended("via 1"))
    assert kept(site, person) == {"email": ("a@example.org", False, None)}


def test_one_wish_at_a_time_and_a_no_ends_it(site: Site) -> None:
    code, person = open_one(site, email="a@example.org")
    with site.ponte.store.transaction() as tx:
        who = site.team.occasion(tx, "wanda", TODAY)
        contacts.mend(tx, who, code, person, "email", Mended(preferred=True))
        contacts.mend(tx, who, code, person, "letter", Mended(preferred=True))
    assert [one[1] for one in kept(site, person).values()] == [False, True]
    with site.ponte.store.transaction() as tx:
        contacts.mend(tx, site.team.occasion(tx, "wanda", TODAY), code, person, "letter", Mended(consent="no"))
    assert [one[1] for one in kept(site, person).values()] == [False, False]


# --- Inbox --------------------------------------------------------------------------------------------------------


def test_every_notice_lies_in_the_inbox_until_it_is_read(site: Site) -> None:
    code, _person = open_one(site)
    with site.ponte.store.transaction() as tx:
        case_id = cases.by_code(tx, code).id
    tell(
        site,
        "wanda",
        "stall",
        kind="remind",
        delivery="digest",
        case_id=case_id,
        message="digest",
        data={"since": TODAY},
    )
    with site.ponte.store.transaction() as tx:
        from ponte_workflow.store import digests

        wanda = network.member_by_username(tx, "wanda").id
        assert digests.gather(tx, f"staff:{wanda}", TODAY, NOW) == 1
    tell(site, "wanda", "stale/1")
    assert send(site).sent == 2
    assert send(site).sent == 0
    browser = site.signed_in("wanda")
    assert re.search(r"Inbox \(2<span", browser.get("/").text), "the header counts"
    shown = browser.get("/inbox").text
    assert shown.count("data-row") == 2 and "nothing happens in this case" in shown and code in shown
    assert "Prova" not in shown, "no names"
    (newest,) = re.findall(r'name="up_to" value="(\d+)"', shown)
    first = re.findall(r'name="notice" value="(\d+)"', shown)[0]
    assert browser.post("/inbox/mark", data={"notice": [first], "to": "read"}).status_code == 303
    assert browser.get("/inbox?unread=yes").text.count("data-row") == 1
    browser.post("/inbox/mark", data={"notice": [first], "to": "unread"})
    tell(site, "wanda", "stale/2")
    send(site)
    assert browser.post("/inbox/all-read", data={"up_to": newest}).status_code == 303
    assert "Inbox (1<span" in browser.get("/").text, "what came since the list was looked at stays unread"


def test_nobody_marks_the_notices_of_others(site: Site) -> None:
    tell(site, "wanda", "stale/1")
    send(site)
    with site.ponte.store.transaction() as tx:
        number = tx.connection.execute(select(inbox_table.c.id)).scalar_one()
        assert inboxes.mark(tx, site.team.occasion(tx, "walter", TODAY), [number], read=True) == 0
        assert inboxes.notices(tx, site.team.occasion(tx, "walter", TODAY)).rows == ()
        with pytest.raises(NotAllowed):
            inboxes.notices(tx, site.team.occasion(tx, None, TODAY))


def test_without_a_mail_address_the_notice_is_read_in_ponte_and_none_is_held(site: Site) -> None:
    number = tell(site, "wanda", "stale/1")
    with site.ponte.store.transaction() as tx:
        tx.connection.execute(update(staff).where(staff.c.username == "wanda").values(email=None))
    tray = Tray()
    assert send(site, tray).sent == 1 and tray.tries == 0
    with site.ponte.store.transaction() as tx:
        proof = tx.connection.execute(select(evidence).where(evidence.c.outbox_id == number)).one()
        assert proof.way == "inbox"
    assert "(1<span" in site.signed_in("wanda").get("/inbox").text


def test_notices_are_read_in_ponte_while_the_mail_server_is_down(site: Site) -> None:
    for n in range(3):
        tell(site, "wanda", f"stale/{n}")
    assert send(site, Tray(ChannelDown("no server"))).waiting == 2
    assert "Inbox (3<span" in site.signed_in("wanda").get("/").text


def test_a_hundred_notices_make_two_pages(site: Site) -> None:
    for n in range(60):
        tell(site, "wanda", f"stale/{n}")
    send(site)
    browser = site.signed_in("wanda")
    assert [browser.get(f"/inbox?page={n}").text.count("data-row") for n in (1, 2, 3)] == [50, 10, 0]


# --- Costs --------------------------------------------------------------------------------------------------------


def sent(
    site: Site, code: str, person: int, n: int, *, way: str, month: int, pieces: int = 1, cents: int = 0
) -> list[int]:
    """Rows that left by a way in a month."""
    found = []
    with site.ponte.store.transaction() as tx:
        case_id = cases.by_code(tx, code).id
        for number in range(n):
            row_id = outbox.queue(
                tx,
                OutboxRow(
                    rule=f"{way}/{month}/{number}", due_on=TODAY, recipient=f"person:{person}", message="pip_ready_to_sign",
                    kind="inform", delivery="direct", case_id=case_id,
                ),
            )  # fmt: skip
            assert row_id is not None
            claimed = outbox.claim(tx, NOW, TODAY, 100)
            mine = next(row for row in claimed if row.id == row_id)
            proof = Proof("x", "a", "s", "b", f"m{row_id}", NOW, "ok", way=way, pieces=pieces, cents=cents, month=month)
            outbox.record_sent(tx, mine, proof)
            found.append(row_id)
    return found


def test_costs_by_month_and_channel_on_the_page_in_the_file_and_from_the_service(site: Site) -> None:
    code, person = open_one(site)
    month = TODAY.year * 12 + TODAY.month - 1
    first, second, _third = sent(site, code, person, 3, way="sms", month=month, pieces=2, cents=14)
    sent(site, code, person, 2, way="letter", month=month - 1, cents=125)
    sent(site, code, person, 1, way="email", month=month - 30)
    with site.ponte.store.transaction() as tx:
        tracking.record(tx, first, "delivered", NOW, reference="a", channel="sms")
        tracking.record(tx, first, "delivered", NOW, reference="b", channel="sms")
        tracking.record(tx, second, "bounced", NOW, reference="a", channel="sms")
        found = costing.costs_by_month(tx, site.team.occasion(tx, "sara", TODAY))
        assert [(c.channel, c.messages, c.pieces, c.cents, c.delivered, c.came_back) for c in found] == [
            ("sms", 3, 6, 42, 1, 1),
            ("letter", 2, 2, 250, 0, 0),
        ]
        assert len(costing.costs_by_month(tx, site.team.occasion(tx, "sara", TODAY), 36)) == 3
        with pytest.raises(NotAllowed):
            costing.costs_by_month(tx, site.team.occasion(tx, "wanda", TODAY))
        with pytest.raises(BadInput):
            costing.costs_by_month(tx, site.team.occasion(tx, "sara", TODAY), 0)
    browser = site.signed_in("sara")
    page = browser.get("/supervision/costs").text
    assert page.count("data-row") == 2 and "€2.92" in page
    lines = browser.get("/supervision/costs.csv").content.decode("utf-8-sig").splitlines()
    assert lines[0].startswith("month;channel") and lines[1] == f"{TODAY:%Y-%m};SMS;3;6;42;1;1"
    assert "Prova" not in page and code not in page


def test_the_newest_mails_that_came_back_are_listed_with_what_was_wrong(site: Site) -> None:
    with site.ponte.store.transaction() as tx:
        bouncing.take(tx, b"", NOW)
        bouncing.take(tx, dsn(), NOW)
    shown = site.signed_in("sara").get("/supervision/costs").text
    assert "cannot be read" in shown and "empty" in shown and "about no message of ours" in shown and "5.1.1" in shown
    assert "maria.rossi" not in shown


def test_the_households_own_file_holds_its_wishes_and_what_became_of_its_messages(site: Site) -> None:
    code, person = open_one(site, email="a@example.org")
    number = sent(site, code, person, 1, way="sms", month=0)[0]
    with site.ponte.store.transaction() as tx:
        tracking.record(tx, number, "delivered", NOW, reference="a", channel="sms")
        contacts.mend(tx, site.team.occasion(tx, "wanda", TODAY), code, person, "email", Mended(consent="yes"))
    told = site.signed_in("sara").get(f"/cases/{code}/export.json").json()
    (mail,) = told["persons"][0]["reached"]
    assert (mail["channel"], mail["consent_on"]) == ("email", TODAY.isoformat())
    (message,) = told["messages"]
    assert message["by"] == "SMS" and message["became"][0]["what"] == "delivered"


# --- Alerts -------------------------------------------------------------------------------------------------------


# --- API ----------------------------------------------------------------------------------------------------------


def test_a_program_mends_a_contact_once_and_reads_inbox_and_costs(site: Site) -> None:
    from tests.integration.programs import program

    code, person = open_one(site, email="old@example.org")
    tell(site, "wanda", "stale/1")
    send(site)
    wanda, sara = program(site, "wanda"), program(site, "sara")
    asked = {"person_id": person, "kind": "phone", "value": "340 1234567", "consent": "yes"}
    first = wanda.post(f"/cases/{code}/contacts", json=asked, headers={"idempotency-key": "k1"})
    again = wanda.post(f"/cases/{code}/contacts", json=asked, headers={"idempotency-key": "k1"})
    assert first.status_code == again.status_code == 200 and again.headers["idempotent-replayed"] == "true"
    phone = next(c for c in first.json()["persons"][0]["contacts"] if c["kind"] == "phone")
    assert (phone["value"], phone["consent"], phone["takes_sms"]) == ("+393401234567", "yes", True)
    refused = wanda.post(f"/cases/{code}/contacts", json=asked | {"value": "34O"}, headers={"idempotency-key": "k2"})
    assert refused.status_code == 422 and "Telephone" in refused.json()["detail"]
    assert wanda.get("/inbox?unread=true").json()["unread"] == 1
    assert sara.get("/costs").json()["items"][0]["channel"] == "email"
    assert wanda.get("/costs").status_code == 403
