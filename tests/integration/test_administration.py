"""Administration: users, organisations, absences, settings; who may, and what nobody may do to themselves."""

import re
from urllib.parse import quote

import pytest
from sqlalchemy import select, update
from starlette.testclient import TestClient

from ponte_workflow.services import accounts
from ponte_workflow.store import network, staffing
from ponte_workflow.store.accounts import credential_of
from ponte_workflow.store.engine import Store
from ponte_workflow.store.network import Member
from ponte_workflow.store.schema.network import access, staff
from tests.site import HOST, PASSWORD, Site, make_site

USERS = "/administration/users"
# page: who may see it, and somebody who may not
PAGES = {
    "/administration": (("lidia", "sara", "ada"), ("wanda", "gino")),
    USERS: (("lidia", "sara", "ada"), ("wanda", "vera")),
    f"{USERS}/wanda": (("lidia", "sara", "ada"), ("wanda",)),
    f"{USERS}/wanda/edit": (("lidia", "ada"), ("sara", "wanda")),
    "/administration/new-user": (("lidia", "ada"), ("sara", "gino")),
    "/administration/partners": (("lidia", "sara", "ada"), ("wanda",)),
    "/administration/partners/edit?of=la_rete": (("lidia", "ada"), ("sara", "wanda")),
    "/administration/absences": (("lidia", "sara", "ada"), ("wanda",)),
    "/administration/settings": (("lidia", "ada"), ("sara", "wanda")),
}


def member(site: Site, username: str) -> Member:
    with site.ponte.store.reading() as tx:
        return network.member_by_username(tx, username)


def details(site: Site, what: str = "people.change") -> list[str]:
    with site.ponte.store.reading() as tx:
        return list(
            tx.connection.execute(select(access.c.detail).where(access.c.what == what).order_by(access.c.id)).scalars()
        )


def form_of(site: Site, username: str, **other: object) -> dict[str, object]:
    one = member(site, username)
    return {"name": one.name, "partner": one.partner_code, "role": sorted(one.roles), "language": one.language} | other


@pytest.mark.parametrize("path", PAGES)
def test_pages_are_for_those_who_may(site: Site, path: str) -> None:
    let_in, refused = PAGES[path]
    for username in let_in:
        answer = site.signed_in(username).get(path)
        assert answer.status_code == 200, (username, answer.text)
        assert answer.headers["cache-control"] == "no-store"
    for username in refused:
        assert site.signed_in(username).get(path).status_code == 403, username
    assert site.visitor().get(path).status_code == 303


def test_the_front_page_shows_only_what_one_may(site: Site) -> None:
    sara, ada = (site.signed_in(name).get("/administration").text for name in ("sara", "ada"))
    assert "/administration/users" in sara and "/administration/settings" not in sara
    assert "/administration/settings" in ada and "/administration/audit" in ada


def test_somebody_new_comes_in_with_a_password_that_is_shown_once(site: Site) -> None:
    ada = site.signed_in("ada")
    form = {
        "username": "nina.new",
        "name": "Nina",
        "partner": "la_rete",
        "role": ["case_worker"],
        "email": "n@example.org",
    }
    assert ada.post("/administration/new-user", data=form).headers["location"] == f"{USERS}/nina.new"
    answer = ada.post(f"{USERS}/nina.new/password")
    found = re.search(r"<code>([a-z0-9]{4}(?:-[a-z0-9]{4}){4})</code>", answer.text)
    assert found is not None and answer.headers["cache-control"] == "no-store"
    password = found.group(1)
    assert password not in ada.get(f"{USERS}/nina.new").text and password not in " ".join(details(site))
    browser = site.visitor()
    assert browser.post("/sign-in", data={"username": "nina.new", "password": password}).status_code == 303
    assert browser.get("/").headers["location"] == "/account/password"
    assert [one.split(" ", 1)[1] for one in details(site)] == ["added roles:case_worker", "password"]
    assert "n@example.org" not in " ".join(details(site)) and "Nina" not in " ".join(details(site))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        pytest.param({"username": "Wanda"}, "is taken", id="taken in another case"),
        pytest.param({"username": "../x"}, "A username has", id="no path"),
        pytest.param({"username": "a\0b"}, "A username has", id="NUL"),
        pytest.param({"name": "\0"}, "A name has", id="NUL as a name"),
        pytest.param({"name": "x\u202eevil"}, "A name has", id="right-to-left override"),
        pytest.param({"name": " "}, "A name has", id="no name"),
        pytest.param({"role": ["king"]}, "Choose at least one role", id="unknown role"),
        pytest.param({"role": []}, "Choose at least one role", id="no role"),
        pytest.param({"partner": "' OR 1=1"}, "Partner", id="unknown partner"),
        pytest.param({"email": "a@b"}, "mail address", id="no mail address"),
        pytest.param({"email": "a@b.it\nBcc: c@d.it"}, "mail address", id="a second header"),
        pytest.param({"language": "xx"}, "language must be", id="no language of ours"),
    ],
)
def test_what_cannot_be_is_said_beside_the_form(site: Site, changed: dict[str, object], said: str) -> None:
    form = {"username": "nina", "name": "Nina", "partner": "la_rete", "role": ["case_worker"], "language": "it"}
    answer = site.signed_in("ada").post("/administration/new-user", data=form | changed)
    assert answer.status_code == 422 and said in answer.text
    with site.ponte.store.reading() as tx:
        assert len(network.members(tx)) == 8
    assert details(site) == []


def test_a_megabyte_in_a_field_is_refused(site: Site) -> None:
    form = {"username": "nina", "name": "N" * 1_000_000, "partner": "la_rete", "role": ["case_worker"]}
    assert site.signed_in("ada").post("/administration/new-user", data=form).status_code == 422
    assert details(site) == []


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "{{7*7}}", "' OR 1=1 --"])
def test_a_name_is_text_wherever_it_stands(site: Site, name: str) -> None:
    ada = site.signed_in("ada")
    assert ada.post(f"{USERS}/wanda/edit", data=form_of(site, "wanda", name=name)).status_code == 303
    for path in (USERS, f"{USERS}/wanda", f"{USERS}/wanda/edit", "/administration/absences"):
        text = ada.get(path).text
        assert "<script>alert" not in text and ">49<" not in text
        assert name.replace("<", "&lt;").replace(">", "&gt;").replace("'", "&#39;") in text
    assert name in member(site, "wanda").name


def test_editing_keeps_what_the_form_says_and_leaves_a_trace(site: Site) -> None:
    lidia = site.signed_in("lidia")
    form = form_of(
        site,
        "wanda",
        name="Wanda W",
        partner="la_rete",
        role=["case_worker", "supervisor"],
        email="w@example.org",
        language="en",
    )
    assert lidia.post(f"{USERS}/wanda/edit", data=form).status_code == 303
    one = member(site, "wanda")
    assert (one.name, one.partner_code, one.roles, one.language) == (
        "Wanda W",
        "la_rete",
        frozenset({"case_worker", "supervisor"}),
        "en",
    )
    assert "w@example.org" in lidia.get(f"{USERS}/wanda").text
    assert "w@example.org" not in site.signed_in("sara").get(f"{USERS}/wanda").text
    staff_id = one.id
    assert details(site) == [
        f"staff:{staff_id} roles case_worker,supervisor",
        f"staff:{staff_id} partner la_rete",
        f"staff:{staff_id} edited",
    ]


def test_another_organisation_ends_deputies_across_it(site: Site) -> None:
    ada = site.signed_in("ada")
    assert ada.post(f"{USERS}/wanda/absence", data={"first": "2026-01-01", "deputy": "walter"}).status_code == 303
    assert member(site, "wanda").deputy_id == member(site, "walter").id
    ada.post(f"{USERS}/walter/edit", data=form_of(site, "walter", partner="la_rete"))
    assert member(site, "wanda").deputy_id is None


def test_deactivating_ends_the_sessions_and_tells_of_the_open_cases(site: Site) -> None:
    with site.ponte.store.transaction() as tx:
        code = site.team.open_case(tx).code
        site.team.do(tx, "sara", code, "assign", case_worker="wanda")
    lidia, wanda = site.signed_in("lidia"), site.signed_in("wanda")
    assert "1 open case is assigned to them" in lidia.get(f"{USERS}/wanda").text
    assert "/cases?worker=wanda" in lidia.get(f"{USERS}/wanda").text
    assert "/cases?worker=wanda" not in site.signed_in("ada").get(f"{USERS}/wanda").text
    answer = lidia.post(f"{USERS}/wanda/deactivate")
    assert "1 open case is still theirs" in lidia.get(answer.headers["location"]).text
    assert wanda.get("/account").status_code == 303
    assert lidia.post(f"{USERS}/wanda/deactivate").status_code == 409
    assert lidia.post(f"{USERS}/wanda/password").status_code == 409
    lidia.post(f"{USERS}/wanda/reactivate")
    assert wanda.get("/account").status_code == 303, "the old session stays ended"
    assert site.signed_in("wanda").get("/account").status_code == 200


def test_nobody_deactivates_or_locks_out_themselves(site: Site) -> None:
    ada = site.signed_in("ada")
    assert ada.post(f"{USERS}/ada/deactivate").status_code == 409
    assert ada.post(f"{USERS}/ada/password").status_code == 409
    assert ada.post(f"{USERS}/ada/second-factor").status_code == 409
    answer = ada.post(f"{USERS}/ada/edit", data=form_of(site, "ada", role=["supervisor"]))
    assert answer.status_code == 409 and "Nobody gives a role to themselves" in answer.text
    lidia = site.signed_in("lidia")
    ada.post(f"{USERS}/lidia/edit", data=form_of(site, "lidia", role=["lead", "supervisor"]))
    answer = lidia.post(f"{USERS}/lidia/edit", data=form_of(site, "lidia", role=["supervisor"]))
    assert answer.status_code == 409 and "cannot take from yourself" in answer.text
    assert member(site, "ada").active and member(site, "ada").roles == {"admin"}
    assert member(site, "lidia").roles == {"lead", "supervisor"}


def test_the_last_active_lead_or_administrator_stays(site: Site) -> None:
    ada, lidia = site.signed_in("ada"), site.signed_in("lidia")
    assert lidia.post(f"{USERS}/ada/deactivate").status_code == 303
    assert ada.get(USERS).status_code == 303
    # The session of somebody who was deactivated meanwhile is gone; what is left is a lead's own account.
    with site.ponte.store.transaction() as tx:
        tx.connection.execute(update(staff).where(staff.c.username == "ada").values(active=True))
    ada = site.signed_in("ada")
    assert ada.post(f"{USERS}/lidia/edit", data=form_of(site, "lidia", role=["supervisor"])).status_code == 303
    assert lidia.get("/administration/new-user").status_code == 403, "rights end at once"
    assert ada.post(f"{USERS}/ada/edit", data=form_of(site, "ada", role=["supervisor"])).status_code == 409


def test_a_race_leaves_one_who_looks_after_people(site: Site) -> None:
    # Both act as managers when the second transaction begins; the service looks again inside it.
    from ponte_workflow.services import people

    store, team = site.ponte.store, site.team
    with store.reading() as tx:
        lidia, ada = team.occasion(tx, "lidia"), team.occasion(tx, "ada")
    with store.transaction() as tx:
        people.deactivate(tx, lidia, "ada")
    with store.transaction() as tx, pytest.raises(people.Protected, match="last active"):
        people.deactivate(tx, ada, "lidia")


def test_a_lock_and_a_second_factor_can_be_taken_away(site: Site) -> None:
    ada, visitor = site.signed_in("ada"), site.visitor()
    for _n in range(accounts.FREE_FAILURES + 1):
        visitor.post("/sign-in", data={"username": "wanda", "password": "wrong wrong wrong"})
    assert "Locked until" in ada.get(f"{USERS}/wanda").text
    ada.post(f"{USERS}/wanda/unlock")
    assert "Locked until" not in ada.get(f"{USERS}/wanda").text
    with site.ponte.store.transaction() as tx:
        wanda = network.member_by_username(tx, "wanda")
        from ponte_workflow.store.accounts import put_credential

        put_credential(tx, wanda.id, totp_secret="A" * 32, totp_confirmed=True)
    browser = site.signed_in("wanda")
    ada.post(f"{USERS}/wanda/second-factor")
    assert browser.get("/account").status_code == 303
    with site.ponte.store.reading() as tx:
        known = credential_of(tx, wanda.id)
    assert known is not None and not known.totp_confirmed and known.totp_secret is None


def test_supervisors_set_absences_of_their_own_people_only(site: Site) -> None:
    sara = site.signed_in("sara")
    away = {"first": "2026-11-02", "last": "2026-11-20", "deputy": "walter"}
    assert sara.post(f"{USERS}/wanda/absence", data=away).status_code == 303
    assert member(site, "wanda").deputy_id == member(site, "walter").id
    assert sara.post(f"{USERS}/rita/absence", data={"first": "2026-11-02"}).status_code == 403
    assert member(site, "rita").absent_from is None
    assert sara.post(f"{USERS}/wanda/absence", data={"back": "true"}).status_code == 303
    assert member(site, "wanda").absent_from is None
    assert site.signed_in("ada").post(f"{USERS}/rita/absence", data={"first": "2026-11-02"}).status_code == 303
    assert site.signed_in("wanda").post(f"{USERS}/wanda/absence", data=away).status_code == 403
    wanda = member(site, "wanda").id
    assert details(site)[:2] == [f"staff:{wanda} away 2026-11-02..2026-11-20", f"staff:{wanda} back"]


@pytest.mark.parametrize(
    ("form", "said"),
    [
        pytest.param({"first": "2026-11-20", "last": "2026-11-02"}, "before the first", id="the wrong way round"),
        pytest.param({"first": "2026-11-02", "deputy": "rita"}, "cannot cover", id="another organisation"),
        pytest.param({"first": "tomorrow"}, "is no date", id="no date"),
        pytest.param({}, "from which day", id="nothing"),
    ],
)
def test_an_absence_that_cannot_be(site: Site, form: dict[str, str], said: str) -> None:
    answer = site.signed_in("ada").post(f"{USERS}/wanda/absence", data=form)
    assert answer.status_code == 422 and said in answer.text
    assert member(site, "wanda").absent_from is None


def test_organisations_are_added_and_their_quarters_changed(site: Site) -> None:
    ada = site.signed_in("ada")
    form = {"code": "nuova", "name": "<b>Nuova</b>", "kind": "association", "quarter": ["sanpolino"]}
    assert ada.post("/administration/partners", data=form).status_code == 303
    assert "&lt;b&gt;Nuova" in ada.get("/administration/partners").text
    assert ada.post("/administration/partners", data=form).status_code == 422
    change = {"of": "nuova", "name": "Nuova", "kind": "agency", "quarter": ["san_polo"]}
    assert ada.post("/administration/partners/edit", data=change).status_code == 303
    with site.ponte.store.reading() as tx:
        (row,) = [one for one in staffing.partners(tx) if one.code == "nuova"]
        assert (row.name, row.kind, row.quarters) == (
            "Nuova",
            "agency",
            frozenset({network.quarter_by_code(tx, "san_polo").id}),
        )
    assert site.signed_in("sara").post("/administration/partners", data=form | {"code": "altra"}).status_code == 403
    assert ada.post("/administration/partners/edit", data=change | {"quarter": ["nowhere"]}).status_code == 404
    assert [one.split(" ", 1)[1] for one in details(site)] == ["added quarters:sanpolino", "edited quarters:san_polo"]


def test_settings_show_no_secret(store: Store, tmp_path: object) -> None:
    from pathlib import Path

    assert isinstance(tmp_path, Path)
    made = make_site(
        store,
        tmp_path / "home",
        smtp_password="hush-hush-hush",
        oidc_client_secret="another-hush",
        prefect_api_url="http://somebody:word@prefect.test/api?token=x",
        phone="030 1234567",
    )
    text = made.signed_in("ada").get("/administration/settings").text
    assert "hush" not in text and "word@" not in text and "token=x" not in text and "somebody" not in text
    assert "prefect.test/api" in text and "030 1234567" in text
    rows = {m[0]: m[1] for m in re.findall(r"<code>(PONTE_\w+)</code>(.*?)</tr>", text, re.S)}
    assert "the environment" in rows["PONTE_PHONE"] and "the default" in rows["PONTE_OFFICE"]
    assert "not set" not in rows["PONTE_SMTP_PASSWORD"] and "not set" in rows["PONTE_KEY"]
    made.close()


def test_an_odd_username_in_the_address_is_not_found(site: Site) -> None:
    ada: TestClient = site.signed_in("ada")
    for odd in ("nobody", "<script>", "a\0", "' OR 1=1"):
        answer = ada.get(f"{USERS}/{quote(odd, safe='')}")
        assert answer.status_code == 404 and "<script>alert" not in answer.text
    assert PASSWORD and HOST
