"""`ponte letters` and `ponte pec`: from the printer to the post, and what comes into the certified mailbox."""

import os
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from ponte_workflow import clock
from ponte_workflow.bootstrap import open_ponte
from ponte_workflow.cli.context import As, AsJson, On, acting, print_json, print_table, read_date
from ponte_workflow.errors import PonteError
from ponte_workflow.i18n import gettext as _
from ponte_workflow.i18n import ngettext
from ponte_workflow.services import certified_mail
from ponte_workflow.services import letters as letter_work
from ponte_workflow.services.letter_words import kind_name, mail_why, posting_csv, posting_pdf, status_name
from ponte_workflow.services.message_words import message_name, why_words
from ponte_workflow.store.certified import Arrived
from ponte_workflow.store.sheets import Sheet

letters = typer.Typer(help="Letters: print, post, returned", no_args_is_help=True)
pec = typer.Typer(help="Certified mail: read the mailbox, list what a person has to look at", no_args_is_help=True)
Numbers = Annotated[list[int], typer.Argument(help="Letters, as `letters list` numbers them", min=1)]
Day = Annotated[str | None, typer.Option("--day", help="The day it happened, YYYY-MM-DD (default: today)")]


class MailboxNotSet(PonteError):
    """No certified mailbox is set."""


@letters.command("list")
def letters_list(
    status: Annotated[str, typer.Argument(help="waiting, printed, posted or returned")] = "waiting",
    page: Annotated[int, typer.Option(min=1, help="Fifty on each")] = 1,
    username: As = None,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """The letters of the cases that one may see."""
    with acting(username, on) as act:
        shown = letter_work.overview(act.tx, act.who, status, page)
    if as_json:
        print_json({"counts": shown.counts, "letters": [_sheet(row) for row in shown.rows]})
        return
    print_table(
        _("Letters: {status} ({n})").format(status=status_name(status), n=shown.counts[status]),
        (_("no."), _("case"), _("addressee"), _("message"), _("since"), _("batch")),
        [(r.number, r.case_code, r.address[0], message_name(r.message), r.status_at, r.batch_id) for r in shown.rows],
        empty=_("No letter here."),
    )


@letters.command("print")
def letters_print(
    number: Annotated[list[int] | None, typer.Argument(help="These letters; left out: all that wait")] = None,
    to: Annotated[Path | None, typer.Option(help="Folder for the files (default: PONTE_HOME/letters)")] = None,
    username: As = None,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """One PDF of the letters that wait, a list for the post beside it; they count as printed."""
    with acting(username, on) as act:
        done = letter_work.print_batch(act.tx, act.who, number or None)
        files: list[Path] = []
        if done.batch_id is not None:
            found, rows = letter_work.batch(act.tx, act.who, done.batch_id)
            folder = to or act.ponte.settings.folder / "letters"
            name = f"batch-{done.batch_id:05d}"
            files = [
                _write(folder / f"{name}.pdf", letter_work.batch_pdf(act.tx, act.who, done.batch_id)),
                _write(folder / f"{name}-post.csv", posting_csv(rows).encode("utf-8-sig")),
                _write(folder / f"{name}-post.pdf", posting_pdf(found, rows)),
            ]
    if as_json:
        print_json(
            {
                "batch": done.batch_id,
                "letters": list(done.numbers),
                "held": [{"letter": n, "why": why} for n, why in done.held],
                "waiting": done.left,
                "files": [str(path) for path in files],
            }
        )
        return
    if not done.numbers:
        typer.echo(_("No letter waits that may be printed."))
    else:
        words = ngettext("{n} letter printed, batch {batch}:", "{n} letters printed, batch {batch}:", len(done.numbers))
        typer.echo(words.format(n=len(done.numbers), batch=done.batch_id))
    for path in files:
        typer.echo(f"  {path}")
    if done.left:
        typer.echo(_("Still waiting: {n}.").format(n=done.left))
    for held, why in done.held:
        typer.echo(_("Held back: letter {number} ({why})").format(number=held, why=why_words(why)))


@letters.command("posted")
def letters_posted(
    number: Numbers, day: Day = None, username: As = None, on: On = None, as_json: AsJson = False
) -> None:
    """These letters were handed over to the post."""
    with acting(username, on) as act:
        marked = letter_work.posted(act.tx, act.who, number, _day(day, act.who.on))
    _tell(marked, as_json)


@letters.command("returned")
def letters_returned(
    number: Numbers,
    why: Annotated[str, typer.Option(help=", ".join(letter_work.REASONS))],
    day: Day = None,
    username: As = None,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """These letters came back."""
    with acting(username, on) as act:
        marked = letter_work.returned(act.tx, act.who, number, why, _day(day, act.who.on))
    _tell(marked, as_json)


@letters.command("undo")
def letters_undo(number: Numbers, username: As = None, on: On = None, as_json: AsJson = False) -> None:
    """The last mark of these letters was a mistake."""
    with acting(username, on) as act:
        marked = letter_work.take_back(act.tx, act.who, number)
    _tell(marked, as_json)


@pec.command("read")
def pec_read(
    limit: Annotated[int, typer.Option(min=1, help="At most so many mails")] = certified_mail.LIMIT,
    as_json: AsJson = False,
) -> None:
    """Read the certified mailbox: receipts find their messages, everything else waits for a person."""
    ponte = open_ponte()
    mailbox = ponte.pec_mailbox()
    if mailbox is None:
        raise MailboxNotSet(
            _("No certified mailbox is set: PONTE_PEC_IMAP_HOST, PONTE_PEC_ADDRESS, PONTE_PEC_PASSWORD")
        )
    found = certified_mail.read(ponte.store, mailbox, at=clock.now(), limit=limit)
    if as_json:
        print_json(found)
    else:
        typer.echo(
            _("Mails read: {read}; understood: {matched}; for a person: {people}; known already: {known}").format(
                read=found.read, matched=found.matched, people=found.for_people, known=found.known
            )
        )
    if found.down is not None:
        raise PonteError(
            _("The certified mailbox cannot be read now ({why}): the next reading goes on").format(why=found.down)
        )


@pec.command("list")
def pec_list(
    state: Annotated[str, typer.Argument(help="open, matched or settled")] = "open",
    page: Annotated[int, typer.Option(min=1, help="Fifty on each")] = 1,
    username: As = None,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """What came into the certified mailbox; open: what no message was found for, or what cannot be read."""
    with acting(username, on) as act:
        shown = certified_mail.mails(act.tx, act.who, state, page)
    if as_json:
        print_json({"counts": shown.counts, "mails": [_mail(row) for row in shown.rows]})
        return
    print_table(
        _("Certified mail ({n})").format(n=shown.counts[state]),
        (_("no."), _("read at"), _("kind"), _("case"), _("why"), _("note")),
        [(r.id, r.received_at, kind_name(r.kind), r.case_code, mail_why(r.why), r.note) for r in shown.rows],
        empty=_("Nothing here."),
    )


@pec.command("settle")
def pec_settle(
    number: Annotated[int, typer.Argument(help="As `pec list` numbers it")],
    note: Annotated[str, typer.Option(help="What was done about it")],
    username: As = None,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """A person has seen to a mail that waited."""
    with acting(username, on) as act:
        certified_mail.settle(act.tx, act.who, number, note)
    if as_json:
        print_json({"id": number, "state": "settled"})
    else:
        typer.echo(_("Mail {number} is seen to.").format(number=number))


def _day(text: str | None, on: date) -> date:
    return on if text is None else read_date(text)


def _write(path: Path, content: bytes) -> Path:
    """For its owner's eyes only."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as handle:
        handle.write(content)
    return path


def _tell(marked: letter_work.Marked, as_json: bool) -> None:
    if as_json:
        print_json({"letters": list(marked.numbers), "refused": list(marked.refused)})
    elif marked.numbers:
        typer.echo(letter_work.marked_words(len(marked.numbers), ()))
    if marked.refused:
        raise PonteError("\n".join(marked.refused))


def _sheet(row: Sheet) -> dict[str, Any]:
    return {
        "letter": row.number,
        "case": row.case_code,
        "addressee": row.address[0],
        "message": row.message,
        "language": row.language,
        "status": row.status,
        "since": row.status_at,
        "batch": row.batch_id,
    }


def _mail(row: Arrived) -> dict[str, Any]:
    return {
        "id": row.id,
        "read_at": row.received_at,
        "kind": row.kind,
        "identifier": row.identifier,
        "case": row.case_code,
        "state": row.state,
        "why": row.why,
        "place": row.place,
        "whole": row.whole,
        "settled_at": row.settled_at,
        "settled_by": row.settled_by,
        "note": row.note,
    }
