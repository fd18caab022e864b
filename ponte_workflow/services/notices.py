"""pagoPA notices for the instalments of a plan, and receipts of what was paid with them, each read once."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from ponte_workflow.clock import ROME
from ponte_workflow.errors import BadInput, NeedsMissing
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services.casework import Occasion, look
from ponte_workflow.services.permissions import require
from ponte_workflow.services.rights import leave_trace
from ponte_workflow.store import notices as store
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.notices import NoticeSeen, Receipt
from states.document import FieldSpec, Text
from states.fields import Unreadable, read_value
from states.pagopa import NoticeIssuer, Wanted, is_notice, iuv_of

ISSUING = "plans.propose"
IMPORTING = "import"
COLUMNS = ("receiptId", "creditorReferenceId", "paymentAmount", "paymentDateTime")
# What pagoPA's XML calls the same: the telematic receipt (RT) and paSendRT.
_XML = {
    "receiptId": "receiptId",
    "identificativoMessaggioRicevuta": "receiptId",
    "creditorReferenceId": "creditorReferenceId",
    "identificativoUnivocoVersamento": "creditorReferenceId",
    "paymentAmount": "paymentAmount",
    "importoTotalePagato": "paymentAmount",
    "paymentDateTime": "paymentDateTime",
    "dataEsitoSingoloPagamento": "paymentDateTime",
    "outcome": "outcome",
    "codiceEsitoPagamento": "outcome",
}
LONGEST_FILE = 20_000_000  # signs
_MONEY = FieldSpec(type="money", label=Text(it="Importo", en="Amount"), minimum=1)


@dataclass(frozen=True, slots=True)
class Issued:
    """How many notices are new, and the creditors that take no payments by pagoPA."""

    new: int
    left_out: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about one line of a file (1-based, the header is 1); `kept`: the receipt is on record all the same."""

    line: int
    receipt_id: str
    why: str
    kept: bool


@dataclass(frozen=True, slots=True)
class ReceiptsRead:
    """What a file of receipts held: new and known ones, and what somebody has to look at."""

    new: int
    known: int
    findings: tuple[Finding, ...]


def issue(tx: Transaction, who: Occasion, code: str, issuer: NoticeIssuer) -> Issued:
    """Notices for the unpaid instalments of a case's plan; those that have one keep it.

    Raises `NeedsMissing` when the plan owes nothing to a named creditor, `BadInput` on a number that cannot be.
    """
    require(who.actor, ISSUING)
    row = look(tx, who, code, lock=True).row
    leave_trace(tx, who.actor, "case.notices", row, who.at)
    waiting = store.without_notice(tx, row.id)
    if not waiting and not store.of_case(tx, row.id):
        raise NeedsMissing(
            _("{code}: notices are made for the instalments of a signed plan; there is none with a creditor").format(
                code=code
            )
        )
    made, left_out = [], set()
    for part in waiting:
        found = issuer.issue(Wanted(part.id, part.creditor, part.cents))
        if found is None:
            left_out.add(part.creditor)
            continue
        number, body = found
        if not is_notice(number):
            raise BadInput(
                _("The issuer of {creditor} gave a notice number with wrong check digits: nothing is kept").format(
                    creditor=part.creditor
                )
            )
        made.append((part.id, number, iuv_of(number), body))
    store.keep(tx, made, at=who.at, by=who.actor.staff_id)
    return Issued(len(made), tuple(sorted(left_out)))


def of_case(tx: Transaction, who: Occasion, code: str) -> tuple[NoticeSeen, ...]:
    """The notices of all plans of a case; those of a replaced plan are void. The view leaves a trace."""
    row = look(tx, who, code).row
    leave_trace(tx, who.actor, "case.notices", row, who.at)
    return tuple(store.of_case(tx, row.id))


def read_receipts(tx: Transaction, who: Occasion, text: str) -> ReceiptsRead:
    """Read a CSV file of receipts (columns as in COLUMNS, comma or semicolon), or one receipt as pagoPA's XML.

    What cannot be read is told, line by line.

    The same receipt again changes nothing. A receipt for an unknown notice is kept and told. Raises `BadInput` when the
    file is too long or lacks a column.
    """
    require(who.actor, IMPORTING)
    findings: list[Finding] = []
    read: dict[str, tuple[int, Receipt]] = {}
    known = 0
    of_xml = text.lstrip("\ufeff \t\r\n").startswith("<")
    for line, given in _lines_of_xml(text.lstrip("\ufeff \t\r\n")) if of_xml else _lines(text):
        try:
            receipt = _receipt(given)
        except BadInput as refusal:
            findings.append(Finding(line, (given.get("receiptId") or "")[:80], refusal.sentence, kept=False))
            continue
        before = read.get(receipt.receipt_id)
        if before is None:
            read[receipt.receipt_id] = (line, receipt)
        elif before[1] == receipt:
            known += 1
        else:
            findings.append(
                Finding(line, receipt.receipt_id, _("receiptId: another line of the file has it"), kept=False)
            )
    there = store.known_receipts(tx, list(read))
    new = []
    for receipt_id, (line, receipt) in read.items():
        if receipt_id not in there:
            new.append(receipt)
        elif there[receipt_id] == receipt:
            known += 1
        else:
            why = _("receiptId: it was read before with another amount, day or reference; the first one stands")
            findings.append(Finding(line, receipt_id, why, kept=False))
    asked = store.notice_cents(tx, [one.iuv for one in new])
    for receipt in new:
        findings += _told(read[receipt.receipt_id][0], receipt, asked)
    store.keep_receipts(tx, new, at=who.at, by=who.actor.staff_id)
    return ReceiptsRead(len(new), known, tuple(sorted(findings, key=lambda one: one.line)))


def unmatched(tx: Transaction, who: Occasion) -> tuple[Receipt, ...]:
    """Receipts that no notice of ours asked for, the newest first."""
    require(who.actor, IMPORTING)
    return tuple(store.unmatched(tx))


def _told(line: int, receipt: Receipt, asked: dict[str, int]) -> Iterator[Finding]:
    if receipt.iuv not in asked:
        why = _("creditorReferenceId: no notice of ours has the reference {iuv}; look where it was issued")
        yield Finding(line, receipt.receipt_id, why.format(iuv=receipt.iuv), kept=True)
    elif asked[receipt.iuv] != receipt.cents:
        why = _("paymentAmount: {paid} cents were paid, the notice asks for {asked}; what was paid counts")
        yield Finding(line, receipt.receipt_id, why.format(paid=receipt.cents, asked=asked[receipt.iuv]), kept=True)


def _lines_of_xml(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """One receipt from pagoPA's own XML: the old form (RT) or that of paSendRT; names of elements without namespaces."""
    try:
        root = fromstring(text.encode())
    except DefusedXmlException as error:
        raise BadInput(_("The XML defines entities: a receipt never does")) from error
    except ParseError as error:
        raise BadInput(_("The XML cannot be read: {why}").format(why=error)) from error
    found: dict[str, str] = {}
    for element in root.iter():
        name = element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""
        if (column := _XML.get(name)) is not None and element.text and element.text.strip():
            found.setdefault(column, element.text.strip())
    if missing := [column for column in COLUMNS if column not in found]:
        raise BadInput(_("The XML is no receipt that we know; missing: {names}").format(names=", ".join(missing)))
    if found.get("outcome", "0") not in ("0", "OK"):
        raise BadInput(_("The receipt says that nothing was paid (outcome {code})").format(code=found["outcome"]))
    yield 1, found


def _lines(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    if len(text) > LONGEST_FILE:
        raise BadInput(_("The file is longer than {n} signs: split it").format(n=LONGEST_FILE))
    plain = text.removeprefix("\ufeff")
    head = plain.partition("\n")[0]
    rows = csv.reader(io.StringIO(plain), delimiter=";" if head.count(";") > head.count(",") else ",")
    header: list[str] | None = None
    while True:
        try:
            row = next(rows, None)
        except csv.Error as error:
            raise BadInput(_("Line {n} is no CSV: {why}").format(n=rows.line_num, why=error)) from error
        if row is None:
            break
        if header is None:
            header = [name.strip() for name in row]
            if missing := [name for name in COLUMNS if name not in header]:
                raise BadInput(
                    _("The first line must name the columns; missing: {names}").format(names=", ".join(missing))
                )
        elif any(cell.strip() for cell in row):
            yield rows.line_num, dict(zip(header, row, strict=False))
    if header is None:
        raise BadInput(_("The file is empty"))


def _receipt(given: dict[str, str]) -> Receipt:
    receipt_id, iuv = (given.get(name, "").strip() for name in COLUMNS[:2])
    if not 1 <= len(receipt_id) <= 80 or not receipt_id.isprintable():
        raise BadInput(_("receiptId: 1 to 80 signs"))
    if not 1 <= len(iuv) <= 35 or not (iuv.isascii() and iuv.isalnum()):
        raise BadInput(_("creditorReferenceId: 1 to 35 letters and digits"))
    amount = given.get("paymentAmount", "").strip()
    if "," not in amount and amount.rpartition(".")[2].isdecimal() and len(amount.rpartition(".")[2]) == 2:
        amount = amount.replace(".", ",")  # 123.45, as pagoPA writes it
    try:
        cents = read_value(_MONEY, amount)
    except Unreadable as error:
        raise BadInput(_("paymentAmount: an amount such as 123.45, more than nothing")) from error
    assert isinstance(cents, int)
    return Receipt(receipt_id, iuv, cents, _paid_on(given.get("paymentDateTime", "").strip()))


def _paid_on(text: str) -> date:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadInput(_("paymentDateTime: a day such as 2026-12-09T10:30:00")) from error
    return moment.date() if moment.tzinfo is None else moment.astimezone(ROME).date()
