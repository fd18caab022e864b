"""Letters and certified mail in words, and the list that goes to the post with a batch."""

import csv
import io
from collections.abc import Sequence

from notifications import letters as layout
from notifications.pec_receipts import Fault
from ponte_workflow.clock import ROME
from ponte_workflow.i18n import gettext as _
from ponte_workflow.i18n import language
from ponte_workflow.services import certified_mail
from ponte_workflow.services.letters import PdfImpossible
from ponte_workflow.store.sheets import Batch, Sheet

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def status_name(status: str) -> str:
    """Where a letter stands."""
    names = {
        "waiting": _("waits to be printed"),
        "printed": _("printed"),
        "posted": _("posted"),
        "returned": _("came back"),
    }
    return names.get(status, status)


def state_name(state: str) -> str:
    """Where a certified mail stands."""
    names = {"open": _("to look at"), "matched": _("understood"), "settled": _("seen to")}
    return names.get(state, state)


def kind_name(kind: str) -> str:
    """What a certified mail is."""
    names = {
        "accettazione": _("acceptance"),
        "non-accettazione": _("not accepted"),
        "presa-in-carico": _("taken in charge by the other provider"),
        "avvenuta-consegna": _("delivered"),
        "posta-certificata": _("a certified message to us"),
        "errore-consegna": _("could not be delivered"),
        "preavviso-errore-consegna": _("not delivered within twelve hours"),
        "rilevazione-virus": _("a virus was found"),
        "errore": _("an ordinary mail to us"),
        "": _("no kind given"),
    }
    return names.get(kind, kind)


def mail_why(why: str) -> str:
    """Why a certified mail waits for a person, and what to do."""
    names: dict[str, str] = {
        certified_mail.ANSWER: _("Somebody has written to us: read it and answer"),
        certified_mail.UNMATCHED: _("A receipt for a message that Ponte did not send: was it sent by hand?"),
        certified_mail.ANOTHER_ADDRESS: _("Delivered to an address that we did not write to: ask the provider"),
        certified_mail.LARGE: _("Too large: only its headers were read. Open it in the mailbox"),
        Fault.NOT_A_MAIL: _("It is no mail that can be read: look at it in the mailbox"),
        Fault.NO_DATICERT: _("No receipt (no daticert.xml): somebody has written, or it is broken. Read it"),
        Fault.TWO_DATICERTS: _("Two daticert.xml in one mail: ask the provider"),
        Fault.TOO_LARGE: _("Its daticert.xml is too large: ask the provider"),
        Fault.FORBIDDEN_XML: _("Its daticert.xml holds what none should: it may be an attack"),
        Fault.UNREADABLE_XML: _("Its daticert.xml cannot be read: read the mail itself"),
        Fault.UNKNOWN_KIND: _("A kind of receipt that Ponte does not know: read the mail itself"),
        Fault.UNKNOWN_ERROR: _("An error that Ponte does not know: read the mail itself"),
        Fault.MISSING: _("Something is missing in its daticert.xml: read the mail itself"),
        Fault.BAD_DATE: _("The date in its daticert.xml cannot be read: read the mail itself"),
        Fault.TOO_LONG: _("An identifier in its daticert.xml is too long: read the mail itself"),
        Fault.DISAGREES: _("Its header and its daticert.xml speak of different messages: ask the provider"),
    }
    return names.get(why, why)


def posting_rows(rows: Sequence[Sheet]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Head and rows of the list for the post: number, case code and address; nothing that says what is in the letter."""
    head = (_("No."), _("Ref."), _("Case"), _("Addressee"), _("Address"))
    return head, [
        (str(place), str(row.number), row.case_code, row.address[0], ", ".join(row.address[1:]))
        for place, row in enumerate(rows, 1)
    ]


def posting_csv(rows: Sequence[Sheet]) -> str:
    """The list as CSV with semicolons; a cell that a spreadsheet would take for a formula begins with an apostrophe."""
    head, body = posting_rows(rows)
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";")
    for line in (head, *body):
        writer.writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in line])
    return out.getvalue()


def posting_pdf(found: Batch, rows: Sequence[Sheet]) -> bytes:
    """The list as a PDF."""
    head, body = posting_rows(rows)
    try:
        return layout.table_pdf(posting_title(found), head, body, language())
    except layout.PangoMissing as error:
        raise PdfImpossible(_("No PDF can be made here, Pango is missing: take the CSV list")) from error


def posting_title(found: Batch) -> str:
    """What stands above the list."""
    day = found.printed_at.astimezone(ROME).strftime("%d/%m/%Y")
    return _("List for the post: batch {number} of {day}").format(number=found.id, day=day)
