"""Letters through delivery, the printer and the post, and back: each mark once, named refusals, nothing lost."""

import io
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pypdf
import pytest
from sqlalchemy import select, update

from ponte_workflow.demo.post import letters_of_the_day
from ponte_workflow.errors import BadInput, NotAllowed, NotFound
from ponte_workflow.services import letters
from ponte_workflow.services.letter_words import posting_csv, posting_pdf
from ponte_workflow.store import access, left, tracking
from ponte_workflow.store.schema.messages import evidence, outbox
from ponte_workflow.store.schema.neighbourhood import dwelling, person
from ponte_workflow.store.schema.post import letter
from tests.integration.letter_cases import TODAY, WHEN, occasion, some_cases, write_letters
from tests.site import Site


def events(site: Site, number: int) -> list[tuple[str, str, str | None]]:
    with site.ponte.store.transaction() as tx:
        return [(one.kind, one.reference, one.detail) for one in tracking.of_messages(tx, [number]).get(number, [])]


def test_a_message_becomes_a_sheet_that_waits_encrypted(site: Site) -> None:
    code = some_cases(site, 1)[0]
    number = write_letters(site.ponte, [code])[0]
    with site.ponte.store.transaction() as tx:
        row = tx.connection.execute(select(letter)).one()
        proof = tx.connection.execute(select(evidence)).one()
        assert (row.outbox_id, row.status, row.marks) == (number, "waiting", 0)
        assert "<html" not in row.page and "<html" in tx.cipher.decrypt(row.page)
        assert proof.channel == "letter" and tx.cipher.decrypt(proof.address).splitlines()[0] == "Persona1 Prova"
        assert tx.connection.execute(select(outbox.c.status)).scalar() == "sent"
        shown = letters.overview(tx, occasion(site.team, tx, "sara"))
    assert [(one.number, one.case_code, one.address[0]) for one in shown.rows] == [(number, code, "Persona1 Prova")]
    assert shown.counts == {"waiting": 1, "printed": 0, "posted": 0, "returned": 0}
    assert events(site, number) == []


def test_the_way_of_a_letter_and_back_with_every_mark_kept(site: Site) -> None:
    numbers = write_letters(site.ponte, some_cases(site, 3))
    with site.ponte.store.transaction() as tx:
        sara = occasion(site.team, tx, "sara")
        done = letters.print_batch(tx, sara)
        assert (done.numbers, done.held, done.left) == (tuple(numbers), (), 0) and done.batch_id is not None
        assert letters.print_batch(tx, sara).numbers == ()
        assert letters.posted(tx, sara, numbers, TODAY).numbers == tuple(numbers)
        assert letters.returned(tx, sara, numbers[:1], "moved", TODAY).numbers == (numbers[0],)
        assert letters.overview(tx, sara).counts == {"waiting": 0, "printed": 0, "posted": 2, "returned": 1}
        assert letters.take_back(tx, sara, numbers[:1]).numbers == (numbers[0],)
        assert letters.returned(tx, sara, numbers[:1], "unknown", TODAY).numbers == (numbers[0],)
    assert events(site, numbers[0]) == [
        ("printed", "letter:1", "by:sara"),
        ("posted", "letter:2", "by:sara"),
        ("returned", "letter:3", "moved by:sara"),
        ("unknown", "letter:4", "undone:returned by:sara"),
        ("returned", "letter:5", "unknown by:sara"),
    ]


def test_a_day_told_later_keeps_the_order_of_what_happened(site: Site) -> None:
    number = write_letters(site.ponte, some_cases(site, 1))[0]
    with site.ponte.store.transaction() as tx:
        sara = occasion(site.team, tx, "sara")
        printing = replace(
            sara, at=datetime.combine(TODAY - timedelta(days=1), time(16), tzinfo=UTC), on=TODAY - timedelta(days=1)
        )
        letters.print_batch(tx, printing)
        assert letters.posted(tx, sara, [number], printing.on).numbers == (number,)
        case = letters.overview(tx, sara, "posted").rows[0]
        assert left.of_case(tx, case.case_id, after=0, limit=5)[0].state == "posted"
        tracking.record(tx, number, "accepted", printing.at - timedelta(days=2), reference="told late")
        assert left.of_case(tx, case.case_id, after=0, limit=5)[0].state == "posted"


def test_a_mistaken_print_goes_back_to_the_waiting_ones_and_out_of_its_batch(site: Site) -> None:
    number = write_letters(site.ponte, some_cases(site, 1))[0]
    with site.ponte.store.transaction() as tx:
        sara = occasion(site.team, tx, "sara")
        first = letters.print_batch(tx, sara).batch_id
        assert first is not None
        assert letters.take_back(tx, sara, [number]).numbers == (number,)
        assert letters.take_back(tx, sara, [number]).refused == (
            f"Letter {number} waits to be printed: there is no mark to take back",
        )
        with pytest.raises(NotFound):
            letters.batch(tx, sara, first)
        assert letters.print_batch(tx, sara).numbers == (number,)


def test_each_refusal_is_named_and_keeps_no_other_letter_back(site: Site) -> None:
    numbers = write_letters(site.ponte, some_cases(site, 3))
    with site.ponte.store.transaction() as tx:
        sara = occasion(site.team, tx, "sara")
        letters.print_batch(tx, sara, numbers[:2])
        letters.posted(tx, sara, numbers[:1], TODAY)
        marked = letters.posted(tx, sara, [*numbers, 999_999], TODAY)
        assert marked.numbers == (numbers[1],)
        assert marked.refused == (
            f"Letter {numbers[0]} is marked so already",
            f"Letter {numbers[2]} was not printed, or has come back: only a printed one can be posted",
            "Letter 999999 not found",
        )
        back = letters.returned(tx, sara, [numbers[2]], "moved", TODAY)
        assert back.refused == (f"Letter {numbers[2]} was not posted yet: mark it as posted first",)
        early = letters.returned(tx, sara, [numbers[0]], "moved", TODAY - timedelta(days=3))
        assert early.numbers == () and "the day lies before" in early.refused[0]
        with pytest.raises(BadInput, match="has not come yet"):
            letters.posted(tx, sara, numbers, TODAY + timedelta(days=1))
        with pytest.raises(BadInput, match="Why did it come back"):
            letters.returned(tx, sara, numbers, "eaten by a dog", TODAY)
        with pytest.raises(BadInput, match="Tick at least one"):
            letters.posted(tx, sara, [], TODAY)


def test_whom_nobody_may_write_to_any_more_gets_no_letter_out_of_the_printer(site: Site) -> None:
    numbers = write_letters(site.ponte, some_cases(site, 2))
    with site.ponte.store.transaction() as tx:
        sara = occasion(site.team, tx, "sara")
        dead = letters.overview(tx, sara).rows[0]
        tx.connection.execute(update(person).where(person.c.id == dead.person_id).values(deceased_on=TODAY))
        done = letters.print_batch(tx, sara)
        assert done.numbers == (numbers[1],) and done.left == 1
        assert done.held == ((numbers[0], "a death in the household: every message has stopped"),)
        tx.connection.execute(update(outbox).where(outbox.c.id == numbers[0]).values(status="withdrawn"))
        assert letters.overview(tx, sara).counts["waiting"] == 0, "what was withdrawn is no letter any more"


def test_a_batch_is_one_document_and_a_list_that_says_nothing_of_what_is_inside(site: Site) -> None:
    codes = some_cases(site, 3)
    with site.ponte.store.transaction() as tx:
        tx.connection.execute(update(dwelling).values(address="=HYPERLINK(1) 4"))
    numbers = write_letters(site.ponte, codes)
    with site.ponte.store.transaction() as tx:
        sara = occasion(site.team, tx, "sara")
        batch_id = letters.print_batch(tx, sara).batch_id
        assert batch_id is not None
        pdf = pypdf.PdfReader(io.BytesIO(letters.batch_pdf(tx, sara, batch_id)))
        found, rows = letters.batch(tx, sara, batch_id)
        listed = posting_csv(rows).splitlines()
        table = pypdf.PdfReader(io.BytesIO(posting_pdf(found, rows)))
    assert len(pdf.pages) == 3 and pdf.trailer["/Root"]["/MarkInfo"]["/Marked"]
    assert [f"Rif. {number}" in page.extract_text() for number, page in zip(numbers, pdf.pages, strict=True)] == [
        True
    ] * 3
    assert len(listed) == 4 and all(code in line for code, line in zip(codes, listed[1:], strict=True))
    assert "'=HYPERLINK(1) 4, A/1, 25100 Brescia BS" in listed[1] and "PIP" not in "".join(listed)
    assert codes[0] in table.pages[0].extract_text() and table.trailer["/Root"]["/MarkInfo"]["/Marked"]


def test_letters_are_for_those_who_may_and_of_cases_that_they_see(site: Site) -> None:
    mine = write_letters(site.ponte, some_cases(site, 1))
    theirs = write_letters(site.ponte, some_cases(site, 1, quarter="san_polo", worker="rita"))
    with site.ponte.store.transaction() as tx:
        wanda, sara, rita = (occasion(site.team, tx, name) for name in ("wanda", "sara", "rita"))
        with pytest.raises(NotAllowed):
            letters.overview(tx, wanda)
        with pytest.raises(NotAllowed):
            letters.posted(tx, wanda, mine, TODAY)
        assert [one.number for one in letters.overview(tx, sara).rows] == mine
        assert letters.posted(tx, sara, theirs, TODAY).refused == (f"Letter {theirs[0]} not found",)
        with pytest.raises(NotFound):
            letters.letter_page(tx, sara, theirs[0])
        batch_id = letters.print_batch(tx, sara).batch_id
        assert batch_id is not None
        with pytest.raises(NotFound):
            letters.batch_pdf(tx, rita, batch_id)


def test_a_letter_made_twice_is_one_sheet_and_a_printed_one_is_not_made_again(site: Site) -> None:
    number = write_letters(site.ponte, some_cases(site, 1))[0]
    again = update(outbox).where(outbox.c.id == number).values(status="queued", sent_at=None)
    with site.ponte.store.transaction() as tx:
        tx.connection.execute(again)
    write_letters(site.ponte, some_cases(site, 1))
    with site.ponte.store.transaction() as tx:
        sara = occasion(site.team, tx, "sara")
        assert letters.overview(tx, sara).counts["waiting"] == 2
        letters.print_batch(tx, sara)
        tx.connection.execute(again)
    write_letters(site.ponte, some_cases(site, 1))
    with site.ponte.store.transaction() as tx:
        assert letters.overview(tx, occasion(site.team, tx, "sara")).counts == {
            "waiting": 1,
            "printed": 2,
            "posted": 0,
            "returned": 0,
        }


def test_a_letter_that_cannot_be_posted_fails_for_people_to_see(site: Site) -> None:
    code = some_cases(site, 1)[0]
    with site.ponte.store.transaction() as tx:
        tx.connection.execute(update(dwelling).values(address="x" * 190))
    with pytest.raises(AssertionError):
        write_letters(site.ponte, [code])
    with site.ponte.store.transaction() as tx:
        row = tx.connection.execute(select(outbox)).one()
    assert row.status == "failed" and "too long for the window" in row.why


def test_looking_at_letters_leaves_traces(site: Site) -> None:

    number = write_letters(site.ponte, some_cases(site, 1))[0]
    with site.ponte.store.transaction() as tx:
        sara = occasion(site.team, tx, "sara")
        letters.letter_pdf(tx, sara, number)
        household = letters.overview(tx, sara).rows[0].household_id
        assert "letter.show" in [what for _staff, _at, what in access.of_household(tx, household)]


def test_the_demo_prints_posts_and_gets_some_back_the_same_way_every_time(site: Site) -> None:
    write_letters(site.ponte, some_cases(site, 12))
    tuesday = WHEN.date() + timedelta(days=1)
    days = [tuesday + timedelta(days=n) for n in range(9)]
    done = [letters_of_the_day(site.ponte, day, ("sara", "rita")) for day in days]
    assert done[0] == {"printed": 12, "posted": 0, "returned": 0} and done[1]["posted"] == 12
    assert sum(one["returned"] for one in done) >= 1
    folder = site.ponte.settings.folder / "letters"
    assert len(pypdf.PdfReader(folder / "batch-00001.pdf").pages) == 12
    assert all(path.stat().st_mode & 0o077 == 0 for path in folder.iterdir())
