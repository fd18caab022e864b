"""The pages of letters and certified mail: the whole way by forms, what each role reaches, and no more questions for more rows."""

import csv
import io
import re

import pypdf
from starlette.testclient import TestClient

from notifications.channels.imap import Found, Place
from notifications.pec_receipts import Kind
from ponte_workflow import clock
from ponte_workflow.services import certified_mail
from tests.integration.letter_cases import TODAY, some_cases, write_letters
from tests.integration.programs import program
from tests.integration.test_queries import asked
from tests.pec_mails import receipt
from tests.site import Site


def said(browser: TestClient, answer_path: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", browser.get(answer_path).text).split())


def test_the_whole_way_of_a_letter_by_forms(site: Site) -> None:
    codes = some_cases(site, 3)
    numbers = write_letters(site.ponte, codes)
    browser = site.signed_in("sara")
    assert "3 letters, the oldest first" in said(browser, "/letters")
    one = pypdf.PdfReader(io.BytesIO(browser.get(f"/letters/{numbers[0]}/letter.pdf").content))
    assert "Persona1 Prova" in one.pages[0].extract_text()

    printed = browser.post("/letters/print", data={"letter": numbers[:2]})
    assert printed.status_code == 303 and printed.headers["location"] == "/letters/batches/1"
    batch = said(browser, "/letters/batches/1")
    assert "2 letters are in this batch. Still waiting: 1." in batch and codes[0] in batch and codes[2] not in batch
    pdf = browser.get("/letters/batches/1/letters.pdf")
    assert pdf.headers["content-type"] == "application/pdf" and "batch-00001.pdf" in pdf.headers["content-disposition"]
    assert len(pypdf.PdfReader(io.BytesIO(pdf.content)).pages) == 2
    listed = browser.get("/letters/batches/1/post.csv").content.decode("utf-8-sig")
    assert [row[2] for row in csv.reader(io.StringIO(listed), delimiter=";")][1:] == codes[:2]
    assert browser.get("/letters/batches/1/post.pdf").content.startswith(b"%PDF")

    everything = browser.post("/letters/print", data={"everything": "yes"})
    assert everything.headers["location"] == "/letters/batches/2"
    posted = browser.post("/letters/posted", data={"letter": numbers, "day": TODAY.isoformat()})
    assert posted.headers["location"] == "/letters?status=printed"
    assert "3 letters marked." in said(browser, "/letters?status=posted")
    browser.post("/letters/returned", data={"letter": [numbers[1]], "why": "moved", "day": TODAY.isoformat()})
    assert "1 letter marked." in said(browser, "/letters?status=returned")
    browser.post("/letters/undo", data={"letter": [numbers[1]], "status": "returned"})
    assert "No letter here." in said(browser, "/letters?status=returned")


def test_wrong_forms_are_refused_with_a_sentence(site: Site) -> None:
    numbers = write_letters(site.ponte, some_cases(site, 1))
    browser = site.signed_in("sara")
    for path, form, sentence in (
        ("/letters/print", {}, "Tick at least one letter, or print all"),
        ("/letters/posted", {"letter": numbers, "day": "soon"}, "soon is no date: write YYYY-MM-DD"),
        ("/letters/returned", {"letter": numbers, "why": "x"}, "Why did it come back?"),
        ("/letters/undo", {}, "Tick at least one letter"),
    ):
        answer = browser.post(path, data=form)
        assert answer.status_code == 422 and sentence in answer.text, path
    answer = browser.post("/letters/posted", data={"letter": numbers})
    assert answer.status_code == 303
    assert "only a printed one can be posted" in said(browser, "/letters")
    assert browser.get("/letters/batches/77").status_code == 404
    assert browser.get("/letters/999999/html").status_code == 404
    assert browser.get("/letters?status=lost").status_code == 422


def test_who_may_not_print_letters_reaches_none_of_it(site: Site) -> None:
    number = write_letters(site.ponte, some_cases(site, 1))[0]
    site.signed_in("sara").post("/letters/print", data={"everything": "yes"})
    for username in ("wanda", "vera", "gino", "ada"):
        browser = site.signed_in(username)
        for path in ("/letters", f"/letters/{number}/letter.pdf", f"/letters/{number}/html", "/letters/batches/1"):
            assert browser.get(path).status_code == 403, (username, path)
        assert browser.post("/letters/posted", data={"letter": [number]}).status_code == 403
    elsewhere = site.signed_in("rita")
    for path in (f"/letters/{number}/letter.pdf", "/letters/batches/1/letters.pdf", "/letters/batches/1/post.csv"):
        assert elsewhere.get(path).status_code == 404, path
    assert "Prova" not in elsewhere.get("/letters?status=printed").text


def test_a_letter_shown_in_the_browser_runs_nothing(site: Site) -> None:
    number = write_letters(site.ponte, some_cases(site, 1))[0]
    answer = site.signed_in("sara").get(f"/letters/{number}/html")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "sandbox" in policy and "Persona1 Prova" in answer.text


def test_more_letters_ask_no_more_of_the_database(site: Site) -> None:
    browser, store = site.signed_in("sara"), site.ponte.store
    write_letters(site.ponte, some_cases(site, 3))
    browser.post("/letters/print", data={"everything": "yes"})
    write_letters(site.ponte, some_cases(site, 2))
    paths = ("/letters", "/letters?status=printed", "/letters/batches/1")
    few = [len(asked(store, browser, path)) for path in paths]
    write_letters(site.ponte, some_cases(site, 30))
    browser.post("/letters/print", data={"everything": "yes"})
    write_letters(site.ponte, some_cases(site, 30))
    assert [len(asked(store, browser, path)) for path in paths[:2]] == few[:2]
    assert len(asked(store, browser, "/letters/batches/2")) == few[2]


def test_certified_mail_that_waits_is_read_as_a_file_and_seen_to(site: Site) -> None:
    evil = b"From: a@example.org\r\nContent-Type: text/html\r\n\r\n<script>alert(1)</script>"
    with site.ponte.store.transaction() as tx:
        certified_mail.take_in(tx, Found(Place(1, 1), evil), clock.now())
        certified_mail.take_in(tx, Found(Place(1, 2), receipt(Kind.ACCEPTED, about="x@y")), clock.now())
    browser = site.signed_in("lidia")
    page = said(browser, "/certified-mail")
    assert "2 certified mails" in page and "A receipt for a message that Ponte did not send" in page
    answer = browser.get("/certified-mail/1/raw")
    assert answer.content == evil and answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == 'attachment; filename="pec-1.eml"'
    assert browser.post("/certified-mail/1/settle", data={"note": ""}).status_code == 422
    assert browser.post("/certified-mail/1/settle", data={"note": "called back"}).status_code == 303
    assert "called back lidia" in said(browser, "/certified-mail?state=settled")
    assert browser.get("/certified-mail/77/raw").status_code == 404
    for username in ("sara", "wanda", "ada"):
        for path in ("/certified-mail", "/certified-mail/1/raw"):
            assert site.signed_in(username).get(path).status_code == 403


def test_a_program_reads_what_became_of_the_messages_of_a_case(site: Site) -> None:
    code = some_cases(site, 1)[0]
    number = write_letters(site.ponte, [code])[0]
    site.signed_in("sara").post("/letters/print", data={"everything": "yes"})
    told = program(site, "wanda", ["cases:read"]).get(f"/cases/{code}/messages").json()
    assert told["next"] is None and [one["id"] for one in told["items"]] == [number]
    one = told["items"][0]
    assert (one["message"], one["channel"], one["state"]) == ("pip_ready_to_sign", "letter", "printed")
    assert [(event["kind"], event["detail"]) for event in one["events"]] == [("printed", "by:sara")]
    assert "Prova" not in str(told)
    assert program(site, "rita", ["cases:read"]).get(f"/cases/{code}/messages").status_code == 404
