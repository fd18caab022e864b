"""Imports through the pages: what may come in, what is shown before anything is done, and refused lines mended."""

import csv
import io
import re
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from sqlalchemy import func, select, text
from starlette.testclient import TestClient

from ponte_workflow import clock
from ponte_workflow.services.importing.arriving import LARGE
from ponte_workflow.services.importing.formats import COLUMNS
from ponte_workflow.store import network
from ponte_workflow.store.schema.network import access
from tests.integration.ledger_files import DATA, ledger_line
from tests.site import Site, make_site

IMPORTS = "/administration/imports"
HOMES = (DATA / "patrimonio.csv").read_bytes()
LEDGER_HEAD = ";".join(COLUMNS["ledger"])


def count(site: Site, table: str) -> int:
    with site.ponte.store.reading() as tx:
        return int(tx.connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def traces(site: Site, what: str) -> list[tuple[int | None, str]]:
    with site.ponte.store.reading() as tx:
        rows = tx.connection.execute(select(access.c.household_id, access.c.detail).where(access.c.what == what))
        return [(row.household_id, row.detail) for row in rows]


def folders(site: Site) -> list[Path]:
    place = site.ponte.settings.folder / "uploads"
    return sorted(place.iterdir()) if place.exists() else []


def send(browser: TestClient, *files: tuple[str, bytes]) -> Any:
    return browser.post(IMPORTS, files=[("file", (name, content, "text/csv")) for name, content in files])


def ledger(*lines: str) -> bytes:
    return "\r\n".join([LEDGER_HEAD, *lines, ""]).encode()


def bring_in(browser: TestClient, *files: tuple[str, bytes]) -> str:
    """Upload and confirm: the page that tells what the import did."""
    where = send(browser, *files).headers["location"]
    answer = browser.post(f"{IMPORTS}/confirm", data={"of": where.partition("of=")[2]})
    assert answer.status_code == 303, answer.text
    return str(browser.get(answer.headers["location"]).text)


def table_of(page: str) -> dict[str, str]:
    """The fields of the mending form as a browser would send them."""
    found = dict(re.findall(r'<input name="(\d+-\d+)" value="([^"]*)"', page))
    hidden = dict(re.findall(r'<input type="hidden" name="(of|version|page)" value="([^"]*)"', page))
    return {name: value.replace("&#39;", "'").replace("&amp;", "&") for name, value in (hidden | found).items()}


def test_pages_are_for_those_who_import(site: Site) -> None:
    with site.ponte.store.transaction() as tx:
        network.add_staff(
            tx,
            username="leo",
            name="Leo",
            partner_code="aler",
            roles=("landlord",),
            email=None,
            language="it",
            at=clock.now(),
        )
    front = site.signed_in("leo").get("/administration").text
    assert IMPORTS in front and "/administration/users" not in front, (
        "a landlord's people find the imports, and no more"
    )
    for username, status in (("lidia", 200), ("ada", 200), ("leo", 200), ("sara", 403), ("wanda", 403), ("gino", 403)):
        browser = site.signed_in(username)
        assert browser.get(IMPORTS).status_code == status
        assert send(browser, ("a.csv", b"")).status_code == (422 if status == 200 else 403)
        for path in ("upload", "mend"):
            assert browser.get(f"{IMPORTS}/{path}").status_code == (303 if status == 200 else 403)
        for path in ("confirm", "discard", "mend"):
            answer = browser.post(f"{IMPORTS}/{path}", data={"of": "0" * 32, "0-0": "x"})
            assert answer.status_code == (404 if status == 200 else 403), path


def test_a_preview_tells_what_would_happen_and_does_nothing(site: Site) -> None:
    ada = site.signed_in("ada")
    households = (DATA / "nuclei.csv").read_bytes()
    answer = send(ada, ("nuclei.csv", households), ("patrimonio <b>.csv", HOMES))
    assert answer.status_code == 303
    page = ada.get(answer.headers["location"]).text
    # The households are read after the dwellings they live in, which are nowhere yet.
    assert re.search(r"<b>14</b> new", page) and re.search(r"<b>21</b> new", page)
    assert "patrimonio &lt;b&gt;.csv" in page and "<b>.csv" not in page
    assert "COD_UI, EDIFICIO" in page and "800001" in page
    assert count(site, "dwelling") == count(site, "person") == count(site, "import_file") == 0
    (folder,) = folders(site)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.rglob("*.csv")} == {0o600}
    assert not (site.ponte.rejects).exists()


def test_confirming_imports_once(site: Site) -> None:
    ada = site.signed_in("ada")
    upload = send(ada, ("patrimonio.csv", HOMES)).headers["location"].partition("of=")[2]
    assert site.signed_in("lidia").get(f"{IMPORTS}/upload?of={upload}").status_code == 404, "somebody else's upload"
    assert ada.post(f"{IMPORTS}/confirm", data={"of": upload}).status_code == 303
    assert count(site, "dwelling") == 14
    assert "What the import did" in ada.get(f"{IMPORTS}/upload?of={upload}").text
    again = ada.post(f"{IMPORTS}/confirm", data={"of": upload})
    assert again.status_code == 422 and "imported already" in again.text
    assert count(site, "import_file") == 1
    assert [path.name for path in folders(site)[0].iterdir()] == ["upload.json"], "the data are gone"
    assert "patrimonio.csv" in ada.get(IMPORTS).text
    assert traces(site, "import.run") == [(None, f"upload:{upload[:8]} new:14 refused:0")]


def test_discarding_leaves_nothing(site: Site) -> None:
    ada = site.signed_in("ada")
    upload = send(ada, ("patrimonio.csv", HOMES)).headers["location"].partition("of=")[2]
    assert ada.post(f"{IMPORTS}/discard", data={"of": upload}).status_code == 303
    assert folders(site) == [] and count(site, "dwelling") == 0
    assert ada.get(f"{IMPORTS}/upload?of={upload}").status_code == 404


def archive(**parts: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name, content in parts.items():
            made.writestr(name, content)
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        pytest.param("../../x.csv", HOMES, "no file name has", id="a path"),
        pytest.param("..\\x.csv", HOMES, "no file name has", id="a path of Windows"),
        pytest.param("x\u202evsc.csv", HOMES, "no file name has", id="right-to-left override"),
        pytest.param("x.exe", HOMES, "only .csv and .xlsx", id="another ending"),
        pytest.param("csv", HOMES, "only .csv and .xlsx", id="no ending"),
        pytest.param("x.csv", b"", "is empty", id="empty"),
        pytest.param("x.csv", HOMES + b"a\0b", "no text", id="NUL"),
        pytest.param("x.csv", "COD_UI;".encode("utf-16"), "no text", id="UTF-16"),
        pytest.param("x.csv", b"\x89PNG\r\n\x1a\n" + b"x" * 50, "not a header", id="a picture"),
        pytest.param("x.csv", archive(**{"xl/workbook.xml": b"<x/>"}), "Name it .xlsx", id="a spreadsheet as CSV"),
        pytest.param("x.csv", b"a;b\n1;2\n", "not a header", id="another table"),
        pytest.param("x.csv", LEDGER_HEAD.encode() + b"\r\n" + b"x" * 1_000_000, "line 2 is too long", id="a 1 MB field"),
        pytest.param("x.csv", b"x" * 1_000_000, "line 1 is too long", id="a 1 MB header"),
        pytest.param("x.xlsx", HOMES, "no .xlsx spreadsheet", id="CSV as a spreadsheet"),
        pytest.param("x.xlsx", archive(hello=b"x"), "no .xlsx spreadsheet", id="another archive"),
        pytest.param("x.xlsx", archive(**{"xl/workbook.xml": b"<x"}), "no .xlsx spreadsheet", id="a broken spreadsheet"),
    ],
)  # fmt: skip
def test_what_is_no_file_of_the_landlords_is_refused_with_a_sentence(
    site: Site, name: str, content: bytes, said: str
) -> None:
    answer = send(site.signed_in("ada"), (name, content))
    assert answer.status_code == 422 and said in answer.text
    assert str(site.ponte.settings.folder) not in answer.text, "no path of the machine"
    assert folders(site) == [] and count(site, "import_file") == 0
    assert not list(site.ponte.settings.folder.parent.rglob("x*.csv"))


def test_one_wrong_file_keeps_the_others_out(site: Site) -> None:
    assert send(site.signed_in("ada"), ("patrimonio.csv", HOMES), ("x.csv", b"a;b\n")).status_code == 422
    assert folders(site) == []


def test_no_file_at_all(site: Site) -> None:
    ada = site.signed_in("ada")
    for answer in (ada.post(IMPORTS), ada.post(IMPORTS, data={"file": "x"}), send(ada, ("", b""))):
        assert answer.status_code == 422 and "Choose at least one file" in answer.text
    assert ada.post(IMPORTS, content=b"--x\r\n", headers={"content-type": "multipart/form-data"}).status_code == 422
    assert (
        ada.post(IMPORTS, content=b"junk", headers={"content-type": "multipart/form-data; boundary=x"}).status_code
        == 422
    )


def test_the_size_is_counted_while_it_comes(store: Any, tmp_path: Path) -> None:
    made = make_site(store, tmp_path / "home", upload_megabytes=1)
    answer = send(made.signed_in("ada"), ("x.csv", HOMES + b"\n" * 1_200_000))
    assert answer.status_code == 413 and "larger than 1 megabytes" in answer.text
    assert folders(made) == []
    assert send(made.signed_in("ada"), ("x.csv", HOMES)).status_code == 303
    made.close()


def test_a_large_file_is_left_to_the_console(site: Site) -> None:
    ada = site.signed_in("ada")
    line = ledger_line("1", charged="1,00").encode() + b"\r\n"
    content = LEDGER_HEAD.encode() + b"\r\n" + line * (LARGE // len(line) + 1)
    where = send(ada, ("big.csv", content)).headers["location"]
    page = ada.get(where).text
    (folder,) = folders(site)
    half = content[: len(content) // 2 + 100]
    assert "take too long for a page" in ada.get(send(ada, ("a.csv", half), ("b.csv", half)).headers["location"]).text
    assert f"ponte import {folder}/files/big.csv" in page and f"{IMPORTS}/confirm" not in page
    assert ada.post(f"{IMPORTS}/confirm", data={"of": folder.name}).status_code == 422
    assert count(site, "import_file") == 0


def test_a_spreadsheet_comes_in_like_a_csv(site: Site) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(COLUMNS["dwellings"])
    sheet.append(["UI1", "Torre", "San Polo", "Via 1", None, 3, 800001, date(2020, 5, 1), 210.5, 0.1 + 0.2])
    sheet.append([None])
    sheet.append(["UI2", "Torre", "San Polo", "Via; 2", "A", "4", None, None, None, None])
    sheet.append(["UI3", "Torre", "San Polo", "Via 3", "A", "4", "800002", "yesterday", "1,00", "1,00"])
    out = io.BytesIO()
    book.save(out)
    page = bring_in(site.signed_in("ada"), ("case.xlsx", out.getvalue()))
    assert re.search(r"<b>2</b> new", page) and re.search(r"<b>1</b> refused", page)
    assert re.search(r">5</td><td[^>]*>&#39;yesterday&#39; is not a date", page), "the row number of the sheet"
    with site.ponte.store.reading() as tx:
        row = tx.connection.execute(text("SELECT code, starts_on, rent_cents, service_cents FROM tenancy")).one()
        assert (row.code, str(row.starts_on), row.rent_cents, row.service_cents) == ("800001", "2020-05-01", 21_050, 30)
        assert tx.connection.execute(text("SELECT address FROM dwelling WHERE code = 'UI2'")).scalar() == "Via; 2"


def test_a_mended_line_becomes_a_movement(site: Site) -> None:
    ada = site.signed_in("ada")
    bring_in(ada, ("patrimonio.csv", HOMES))
    page = bring_in(ada, ("rate.csv", ledger(
        ledger_line("1", charged="x,10"), ledger_line("2", charged="5,00"),
        ledger_line("3", item="ACQUA", charged="1,00"), ledger_line("4", code="999999", charged="1,00"),
        "5;800001;X;<script>alert(1)</script>;{{7*7}}", '6;800001;"X;CANONE;ALER;01/05/2026;10/05/2026;PROVA;3,00;;',
    )))  # fmt: skip
    assert count(site, "movement") == 1
    link = re.search(rf'href="({IMPORTS}/mend\?of=[0-9a-f]+)"', page)
    assert link is not None
    text_ = ada.get(link.group(1)).text
    assert "<script>alert(1)" not in text_ and "&lt;script&gt;alert(1)" in text_ and "{{7*7}}" in text_
    assert re.search(r'name="0-8" value="x,10"[^>]*aria-invalid="true"', text_), "the reason points at the field"
    form = table_of(text_)
    places = {value: name.partition("-")[0] for name, value in form.items() if name.endswith("-0")}
    assert list(places) == ["1", "3", "4", "5", "6"], "in the order of the file"
    assert form[f"{places['6']}-5"] == "01/05/2026", "the line with an open quotation mark was taken apart"
    form |= {f"{places['1']}-8": "7,10", f"{places['3']}-3": "spese", f"{places['4']}-1": "nobody"}
    answer = ada.post(f"{IMPORTS}/mend", data=form | {"drop": places["5"]})
    assert answer.status_code == 303
    after = ada.get(answer.headers["location"]).text
    assert "3 lines imported. 1 line was refused again. 1 line left out." in after
    assert count(site, "movement") == 4
    (left,) = site.ponte.rejects.glob("*.csv")
    with left.open(encoding="utf-8", newline="") as stream:
        (row,) = csv.DictReader(stream, delimiter=";")
    assert (row["ID_MOVIMENTO"], row["COD_UTENTE"], row["RIGA"]) == ("4", "nobody", "5")
    assert "unknown tenancy nobody" in row["MOTIVO"]
    assert left.stat().st_mode & 0o777 == 0o600
    old = ada.post(f"{IMPORTS}/mend", data=form)
    assert old.status_code == 409 and count(site, "movement") == 4, "the indexes of an old page mean other lines"
    form = table_of(ada.get(link.group(1)).text) | {"0-1": "800002"}
    assert ada.post(f"{IMPORTS}/mend", data=form).headers["location"] == IMPORTS
    assert count(site, "movement") == 5
    assert list(site.ponte.rejects.glob("*.csv")) == []
    assert ada.get(link.group(1)).status_code == 404
    assert [path for path in folders(site) if path.name.startswith("mending")] == []


def test_mending_one_page_leaves_the_lines_of_the_others(site: Site) -> None:
    ada = site.signed_in("ada")
    bring_in(ada, ("patrimonio.csv", HOMES))
    bring_in(ada, ("l.csv", ledger(*(ledger_line(str(n), charged="x") for n in range(205)))))
    key = re.search(r"mend\?of=([0-9a-f]+)", ada.get(IMPORTS).text)
    assert key is not None
    second = f"{IMPORTS}/mend?of={key.group(1)}&page=2"
    form = table_of(ada.get(second).text)
    assert sum(name.endswith("-8") for name in form) == 5
    form |= {name: "1,00" for name in form if name.endswith("-8")}
    assert ada.post(f"{IMPORTS}/mend", data=form).status_code == 303
    assert count(site, "movement") == 5
    first = table_of(ada.get(f"{IMPORTS}/mend?of={key.group(1)}").text)
    assert sum(name.endswith("-8") for name in first) == 200
    first |= {name: "1,00" for name in first if name.endswith("-8")}
    assert ada.post(f"{IMPORTS}/mend", data=first).headers["location"] == IMPORTS
    assert count(site, "movement") == 205


@pytest.mark.parametrize("value", ["a\0b", "' OR 1=1 --", "x" * 1_000_000, "line\r\nbreak;y", "\u202e"], ids=repr)
def test_hostile_fields_are_refused_or_kept_as_text(site: Site, value: str) -> None:
    ada = site.signed_in("ada")
    bring_in(ada, ("patrimonio.csv", HOMES))
    bring_in(ada, ("l.csv", ledger(ledger_line("1", charged="x"))))
    key = re.search(r"mend\?of=([0-9a-f]+)", ada.get(IMPORTS).text)
    assert key is not None
    form = table_of(ada.get(f"{IMPORTS}/mend?of={key.group(1)}").text)
    answer = ada.post(f"{IMPORTS}/mend", data=form | {"0-8": value})
    assert answer.status_code in (303, 422) and count(site, "movement") == 0
    (left,) = site.ponte.rejects.glob("*.csv")
    with left.open(encoding="utf-8", newline="") as stream:
        assert len(list(csv.reader(stream, delimiter=";"))) == 2


def test_whoever_looks_at_rows_leaves_a_trace_for_each_household(site: Site) -> None:
    ada = site.signed_in("ada")
    bring_in(ada, ("patrimonio.csv", HOMES))
    where = send(ada, ("nuclei.csv", (DATA / "nuclei.csv").read_bytes())).headers["location"]
    before = len(traces(site, "import.preview"))
    ada.get(where)
    seen = traces(site, "import.preview")[before:]
    assert seen and all(household is not None for household, _detail in seen)
    bring_in(ada, ("l.csv", ledger(ledger_line("1", charged="x"))))
    key = re.search(r"mend\?of=([0-9a-f]+)", ada.get(IMPORTS).text)
    assert key is not None
    ada.get(f"{IMPORTS}/mend?of={key.group(1)}")
    with site.ponte.store.reading() as tx:
        home = tx.connection.execute(text("SELECT household_id FROM tenancy WHERE code = '800001'")).scalar()
    assert traces(site, "import.rejects") == [(home, f"rejects:{key.group(1)[:8]}")]


def test_an_address_never_becomes_a_path(site: Site) -> None:
    ada = site.signed_in("ada")
    bring_in(ada, ("patrimonio.csv", HOMES))
    secret = site.ponte.settings.folder / "upload.json"
    secret.write_text("{}")
    for odd in ("..", "../", "%2e%2e", "a" * 32, "\0"):
        assert ada.get(f"{IMPORTS}/upload", params={"of": odd}).status_code == 404
        assert ada.get(f"{IMPORTS}/mend", params={"of": odd}).status_code == 404
        assert ada.post(f"{IMPORTS}/discard", data={"of": odd}).status_code == 404
    assert secret.exists() and len(folders(site)) == 1


def test_the_list_goes_on_by_pages(site: Site) -> None:
    from ponte_workflow.store.ledger import open_import
    from ponte_workflow.store.schema.money import import_file

    with site.ponte.store.transaction() as tx:
        for n in range(53):
            open_import(tx, name=f"old-{n}.csv", kind="ledger", sha256="0" * 64, at=clock.now())
        assert tx.connection.execute(select(func.count()).select_from(import_file)).scalar() == 53
    ada = site.signed_in("ada")
    first = ada.get(IMPORTS).text
    assert first.count("old-") == 50 and "not finished" in first
    following = re.search(rf"{IMPORTS}\?before=\d+", first)
    assert following is not None
    assert ada.get(following.group()).text.count("old-") == 3
