"""Administration, what is only read: pathways with findings and overlays, messages with samples, the audit trail."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text, update

from notifications.registry import MESSAGES
from ponte_workflow import clock
from ponte_workflow.services import audit_trail
from ponte_workflow.store import access
from ponte_workflow.store.schema.casework import history
from ponte_workflow.store.schema.network import staff
from tests.builders import create_tenancy
from tests.site import Site, make_site

PATHWAYS, MAILS, AUDIT = "/administration/pathways", "/administration/messages", "/administration/audit"
PAGES = {
    PATHWAYS: (("lidia", "sara", "ada"), ("wanda", "gino")),
    f"{PATHWAYS}/sanpolino": (("lidia", "sara", "ada"), ("wanda",)),
    f"{PATHWAYS}/sanpolino/picture": (("lidia", "sara", "ada"), ("wanda",)),
    MAILS: (("lidia", "sara", "ada"), ("wanda", "vera")),
    f"{MAILS}/plan_signed": (("lidia", "sara", "ada"), ("wanda",)),
    f"{MAILS}/plan_signed/it/html": (("lidia", "sara", "ada"), ("wanda",)),
    AUDIT: (("lidia", "ada"), ("sara", "wanda")),
}


@pytest.mark.parametrize("path", PAGES)
def test_pages_are_for_those_who_may(site: Site, path: str) -> None:
    let_in, refused = PAGES[path]
    for username in let_in:
        assert site.signed_in(username).get(path).status_code == 200, username
    for username in refused:
        assert site.signed_in(username).get(path).status_code == 403, username
    assert site.visitor().get(path).status_code == 303


def test_overlays_stand_beside_their_base(site: Site) -> None:
    page = site.signed_in("sara").get(PATHWAYS).text
    rows = {
        re.sub(r"<wbr>", "", m[0]): re.sub(r"<[^>]+>|\s+", " ", m[1])
        for m in re.findall(r'<code class="small">(.*?)</code></td>(.*?)</tr>', page, re.S)
    }
    path = "household.states.engagement.states.to_contact.clocks.contact.alarms.neighbours.after"
    assert " ".join(rows[path].split()) == "20 differs 15 as the base", rows[path]
    creditors = " ".join(rows["creditors.spese"].split())
    assert creditors.endswith("differs AMMINISTRATORE CONDOMINIO") and "as the base" in creditors
    assert "name" not in rows and "version" not in rows and "extends" not in rows


def test_a_pathway_has_picture_table_and_the_cases_of_each_version(site: Site) -> None:
    with site.ponte.store.transaction() as tx:
        for _n in range(2):
            site.team.open_case(tx)
    ada = site.signed_in("ada")
    page = ada.get(f"{PATHWAYS}/sanpolino").text
    assert "engagement.to_contact" in page and "Must not be used" not in page
    assert re.search(r"<td>1 <code.*?</td><td>.*?</td><td class=\"num\">2</td><td class=\"num\">0</td>", page, re.S)
    picture = ada.get(f"{PATHWAYS}/sanpolino/picture")
    assert picture.headers["content-type"] == "image/svg+xml" and picture.text.startswith("<svg")
    assert "style=" not in picture.text and " on" not in re.sub(r">[^<]*<", "><", picture.text)
    assert "default-src 'none'" in picture.headers["content-security-policy"]
    assert "unsafe-inline" not in ada.get(PATHWAYS).headers["content-security-policy"]
    assert ada.get(f"{PATHWAYS}/nowhere").status_code == 404


def test_findings_of_a_broken_document_name_file_line_and_mend(store: Any, tmp_path: Path) -> None:
    folder = tmp_path / "pathways"
    folder.mkdir()
    (folder / "broken.yaml").write_text(
        'name: broken\nversion: 1\nextends: un_ponte_sul_blu\ntitle: {it: "<script>x", en: x}\n'
        "household:\n  states:\n    engagement: {initial: <b>nowhere</b>}\n"
    )
    made = make_site(store, tmp_path / "home", pathways=folder)
    ada = made.signed_in("ada")
    page = ada.get(f"{PATHWAYS}/broken").text
    assert "Must not be used" in page and "broken.yaml, line 7" in page and "<b>nowhere" not in page
    assert "finding" in ada.get(PATHWAYS).text
    assert ada.get(f"{PATHWAYS}/broken/picture").status_code == 404
    (folder / "broken.yaml").write_text(
        'name: broken\nversion: 1\nextends: un_ponte_sul_blu\ntitle: {it: "<script>x", en: "<script>alert(1)"}\n'
    )
    page = ada.get(f"{PATHWAYS}/broken").text
    assert "Must not be used" not in page, "the file is read as it stands now"
    assert "<script>alert" not in page and "&lt;script&gt;alert(1)" in page
    made.close()


@pytest.mark.parametrize("name", MESSAGES)
def test_every_message_is_previewed_in_every_language(site: Site, name: str) -> None:
    ada = site.signed_in("ada")
    page = ada.get(f"{MAILS}/{name}").text
    for language in ("it", "en"):
        assert f'<pre class="plain" lang="{language}">' in page and f"{MAILS}/{name}/{language}/html" in page
        answer = ada.get(f"{MAILS}/{name}/{language}/html")
        policy = answer.headers["content-security-policy"]
        assert "sandbox" in policy and "default-src 'none'" in policy and "script-src" not in policy
        assert answer.text.startswith("<!DOCTYPE html>") and "Nome" in answer.text
        assert answer.headers["x-frame-options"] == "DENY"
    assert "<!DOCTYPE html>" not in page and "&lt;!DOCTYPE html&gt;" in page
    assert "Rossi" not in page and "Bianchi" not in page and not re.search(r"\[\w+ \w+\]|\[(?!stato)\w+\]", page)


def test_a_message_or_language_that_is_not_there(site: Site) -> None:
    ada = site.signed_in("ada")
    for path in (f"{MAILS}/nothing", f"{MAILS}/plan_signed/fr/html", f"{MAILS}/%3Cscript%3E"):
        assert ada.get(path).status_code == 404


def traced(site: Site, n: int, **values: Any) -> None:
    with site.ponte.store.transaction() as tx:
        for _n in range(n):
            access.record(
                tx,
                **{"staff_id": None, "at": clock.now(), "what": "case.show", "household_id": None, "detail": "P-1"}
                | values,
            )


def rows_of(page: str) -> list[str]:
    body = page.partition("<tbody>")[2].partition("</tbody>")[0]
    return [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in re.findall(r"<tr>(.*?)</tr>", body, re.S)]


def test_the_trail_tells_who_looked_at_whom_by_codes_alone(site: Site) -> None:
    with site.ponte.store.transaction() as tx:
        row = site.team.open_case(tx)
        site.team.do(tx, "sara", row.code, "assign", case_worker="wanda")
        tx.connection.execute(update(staff).where(staff.c.username == "wanda").values(name="<script>alert(1)</script>"))
        (code, name) = tx.connection.execute(
            text("SELECT h.code, p.surname FROM household h JOIN person p ON p.household_id = h.id")
        ).one()
    assert site.signed_in("wanda").get(f"/cases/{row.code}").status_code == 200
    lidia = site.signed_in("lidia")
    page = lidia.get(AUDIT, params={"what": "case.show"}).text
    (line,) = rows_of(page)
    assert "wanda" in line and "case seen" in line and code in line and row.code in line
    assert name not in page and "<script>alert" not in page
    for wanted in ({"household": row.code}, {"household": code}, {"person": "wanda", "what": "case.show"}):
        assert line in rows_of(lidia.get(AUDIT, params=wanted).text)
    assert rows_of(lidia.get(AUDIT, params={"household": "P-999999"}).text) == []
    assert rows_of(lidia.get(AUDIT, params={"person": "gino"}).text) == []


def test_the_trail_is_narrowed_by_days_of_rome(site: Site) -> None:
    midnight = clock.now().astimezone(clock.ROME).replace(hour=0, minute=0, second=0, microsecond=0)
    traced(site, 1, at=midnight, detail="first minute")
    traced(site, 1, at=midnight - timedelta(minutes=1), detail="last minute")
    today, before = midnight.date().isoformat(), (midnight - timedelta(days=1)).date().isoformat()
    ada = site.signed_in("ada")
    assert [
        "first minute" in one for one in rows_of(ada.get(AUDIT, params={"what": "case.show", "first": today}).text)
    ] == [True]
    assert [
        "last minute" in one for one in rows_of(ada.get(AUDIT, params={"what": "case.show", "last": before}).text)
    ] == [True]


def test_pages_of_fifty_go_on_where_the_last_one_ended(site: Site) -> None:
    tenancy = {}
    with site.ponte.store.transaction() as tx:
        tenancy = create_tenancy(tx)
    traced(site, 120, household_id=tenancy["household_id"])
    ada, path, seen = site.signed_in("ada"), f"{AUDIT}?what=case.show", []
    while path:
        page = ada.get(path).text
        traced(site, 3)  # new entries meanwhile move nothing
        seen.append(len(rows_of(page)))
        following = re.search(rf'"({AUDIT}\?[^"]*before=\d+)"', page)
        path = following.group(1).replace("&amp;", "&") if following else ""
    assert seen == [50, 50, 20]


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        pytest.param({"household": "\0"}, 422, id="NUL"),
        pytest.param({"what": "a\0"}, 422, id="NUL as a use"),
        pytest.param({"person": "nobody\0"}, 404, id="nobody"),
        pytest.param({"first": "yesterday"}, 422, id="no date"),
        pytest.param({"first": "2026-11-20", "last": "2026-11-02"}, 422, id="the wrong way round"),
        pytest.param({"first": "0001-01-01", "last": "9999-12-31"}, 200, id="all of time"),
        pytest.param({"household": "' OR 1=1 --"}, 200, id="injection"),
        pytest.param({"household": "x" * 1000}, 422, id="long"),
        pytest.param({"before": "-1"}, 422, id="no place"),
        pytest.param({"before": "9" * 30}, 422, id="no such place"),
    ],
)
def test_odd_filters_are_answered_with_a_sentence(site: Site, wanted: dict[str, str], status: int) -> None:
    assert site.signed_in("ada").get(AUDIT, params=wanted).status_code == status


def test_the_verification_counts_and_finds_what_was_changed(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    with site.ponte.store.transaction() as tx:
        code = site.team.open_case(tx).code
        site.team.do(tx, "sara", code, "assign", case_worker="wanda")
    ada = site.signed_in("ada")
    page = ada.post(f"{AUDIT}/verify").text
    assert "Everything holds" in page and "<b>1</b> cases" in page
    with site.ponte.store.transaction() as tx:
        tx.connection.execute(text("DROP TRIGGER history_no_update" + (" ON history" if tx.is_postgresql else "")))
        tx.connection.execute(update(history).where(history.c.seq == 1).values(data='{"<script>": 1}'))
    page = ada.post(f"{AUDIT}/verify").text
    assert "Something does not hold" in page and "entry 1" in page and '<script>"' not in page
    assert site.signed_in("sara").post(f"{AUDIT}/verify").status_code == 403
    assert len(rows_of(ada.get(AUDIT, params={"what": "audit.verify"}).text)) == 2
    monkeypatch.setattr(audit_trail, "MOST", 0)
    assert "ponte audit verify" in ada.get(AUDIT).text and f"{AUDIT}/verify" not in ada.get(AUDIT).text
    refused = ada.post(f"{AUDIT}/verify")
    assert refused.status_code == 422 and "ponte audit verify" in refused.text
