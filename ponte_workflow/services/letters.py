"""Letters from the printer to the post and, now and then, back: batches, marks by people, each mark taken back by another."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time

from notifications import letters as layout
from notifications.letters import Letter
from ponte_workflow.clock import ROME
from ponte_workflow.errors import BadInput, PonteError, not_found
from ponte_workflow.i18n import gettext as _
from ponte_workflow.i18n import ngettext
from ponte_workflow.services.casework import Occasion
from ponte_workflow.services.permissions import require
from ponte_workflow.services.rights import leave_trace, sight
from ponte_workflow.services.safety import ALL, closed_channels
from ponte_workflow.services.worktray import PAGE, trace_list
from ponte_workflow.store import cases, network, sheets, tracking
from ponte_workflow.store.engine import Store, Transaction
from ponte_workflow.store.sheets import Batch, Sheet
from states.document import Text

PERMISSION = "letters"
CHANNEL = "letter"
LARGEST_BATCH = 200  # letters: a page waits no longer than a few seconds, and a box of envelopes holds no more
RECENT = 10  # batches that a page offers to print again
BEFORE = {"printed": "waiting", "posted": "printed", "returned": "posted"}
# As the post writes them on what comes back.
REASONS: dict[str, Text] = {
    "unknown": Text(it="sconosciuto", en="addressee unknown"),
    "moved": Text(it="trasferito", en="moved away"),
    "address": Text(it="indirizzo inesistente o incompleto", en="no such address, or not complete"),
    "refused": Text(it="rifiutato", en="refused"),
    "unclaimed": Text(it="compiuta giacenza", en="not collected"),
    "deceased": Text(it="deceduto", en="deceased"),
    "other": Text(it="altro", en="other"),
}
_MESSAGE_ID = re.compile(r"ponte\.(\d{1,18})\.")


class PdfImpossible(PonteError):
    """No PDF can be made on this machine."""

    status = 503


@dataclass(frozen=True, slots=True)
class LettersShown:
    """A page of letters in one status, how many there are in each, and the newest batches."""

    rows: tuple[Sheet, ...]
    counts: dict[str, int]
    status: str
    page: int
    batches: tuple[Batch, ...]
    pdf: bool  # whether this machine can make PDFs

    @property
    def pages(self) -> int:
        """How many pages that makes."""
        return max(1, -(-self.counts[self.status] // PAGE))


@dataclass(frozen=True, slots=True)
class Printed:
    """A batch. `held`: (number, why) of letters that must not leave any more and stay where they are."""

    batch_id: int | None
    numbers: tuple[int, ...]
    held: tuple[tuple[int, str], ...]
    left: int  # that still wait, because a batch has an end


@dataclass(frozen=True, slots=True)
class Marked:
    """What became of a mark on several letters: each refusal is a sentence, and keeps no other letter back."""

    numbers: tuple[int, ...]
    refused: tuple[str, ...]


def outbox_id_of(message_id: str) -> int:
    """The outbox row that a Message-ID of ours speaks of."""
    found = _MESSAGE_ID.match(message_id)
    if found is None:
        raise ValueError("not a Message-ID of ours")
    return int(found[1])


def keeper(store: Store) -> Callable[[Letter], None]:
    """Keeps a sheet until it is printed; for the channel, which knows no database."""

    def keep(made: Letter) -> None:
        with store.transaction() as tx:
            sheets.keep(tx, outbox_id_of(made.message_id), made)

    return keep


def overview(tx: Transaction, who: Occasion, status: str = "waiting", page: int = 1) -> LettersShown:
    """The letters of the cases that one may see."""
    require(who.actor, PERMISSION)
    if status not in sheets.STATUSES:
        raise BadInput(_("There is no list {name}").format(name=status))
    seen = sight(who.actor)
    rows = sheets.in_status(tx, seen, status, limit=PAGE, offset=(page - 1) * PAGE)
    trace_list(tx, who, "letters.list")
    found = sheets.batches(tx, seen, limit=RECENT)
    return LettersShown(rows, sheets.counts(tx, seen), status, page, tuple(found), layout.pango_there())


def print_batch(tx: Transaction, who: Occasion, numbers: Collection[int] | None = None) -> Printed:
    """Put waiting letters (all, or these) into a batch and mark them printed.

    Whom nobody may write to any more (a death, "never at home") since the letter was made is looked at again here.
    """
    require(who.actor, PERMISSION)
    seen = sight(who.actor)
    found: Iterable[Sheet]
    if numbers is None:
        found = sheets.in_status(tx, seen, "waiting", limit=LARGEST_BATCH)
    else:
        found = [one for one in sheets.by_number(tx, seen, numbers) if one.status == "waiting"][:LARGEST_BATCH]
    taken, held = [], []
    for sheet in found:
        closed = closed_channels(tx, sheet.person_id, who.on)
        why = closed.get(CHANNEL) or closed.get(ALL)
        if why is not None:
            held.append((sheet.number, why))
        else:
            taken.append(sheet)
    waiting = sheets.counts(tx, seen)["waiting"]
    if not taken:
        return Printed(None, (), tuple(held), waiting)
    batch_id = sheets.open_batch(tx, who.at, who.actor.staff_id)
    done = tuple(one.number for one in taken if _mark(tx, who, one, "printed", who.at, batch_id=batch_id))
    return Printed(batch_id, done, tuple(held), waiting - len(done))


def batch(tx: Transaction, who: Occasion, batch_id: int) -> tuple[Batch, tuple[Sheet, ...]]:
    """A batch with its letters."""
    require(who.actor, PERMISSION)
    found = sheets.batch_by_id(tx, sight(who.actor), batch_id)
    if found is None:
        raise not_found(_("Batch"), str(batch_id))
    trace_list(tx, who, "letters.batch")
    return found, sheets.of_batch(tx, sight(who.actor), batch_id)


def batch_pdf(tx: Transaction, who: Occasion, batch_id: int) -> bytes:
    """All letters of a batch in one PDF, for the printer."""
    found, rows = batch(tx, who, batch_id)
    for row in rows:
        _trace(tx, who, row)
    title = _("Letters, batch {number}, {day}").format(
        number=found.id, day=found.printed_at.astimezone(ROME).strftime("%d/%m/%Y")
    )
    return _pdf(sheets.pages(tx, [row.number for row in rows]), title)


def letter_pdf(tx: Transaction, who: Occasion, number: int) -> bytes:
    """One letter."""
    return _pdf(sheets.pages(tx, [_one(tx, who, number).number]), "")


def letter_page(tx: Transaction, who: Occasion, number: int) -> str:
    """One letter as an HTML page that a browser prints, where no PDF can be made."""
    return sheets.pages(tx, [_one(tx, who, number).number])[0]


def posted(tx: Transaction, who: Occasion, numbers: Collection[int], day: date) -> Marked:
    """These printed letters were handed over to the post on that day."""
    return _mark_many(tx, who, numbers, "posted", day)


def returned(tx: Transaction, who: Occasion, numbers: Collection[int], why: str, day: date) -> Marked:
    """These posted letters came back on that day, for a reason of `REASONS`."""
    if why not in REASONS:
        raise BadInput(_("Why did it come back? Choose one of: {codes}").format(codes=", ".join(REASONS)))
    return _mark_many(tx, who, numbers, "returned", day, why)


def take_back(tx: Transaction, who: Occasion, numbers: Collection[int]) -> Marked:
    """The last mark of these letters was a mistake: each stands again where it stood before, and both marks are kept."""
    require(who.actor, PERMISSION)
    done, refused = [], []
    for number, sheet in _asked(tx, who, numbers).items():
        if sheet is None:
            refused.append(not_found(_("Letter"), str(number)).sentence)
        elif sheet.status == "waiting":
            refused.append(
                _("Letter {number} waits to be printed: there is no mark to take back").format(number=number)
            )
        else:
            before = BEFORE[sheet.status]
            # What became of it is unknown again: so says the counter-event to whoever reads the events alone.
            _event(tx, who, sheet, "unknown", who.at, f"undone:{sheet.status}")
            values = {"batch_id": None} if before == "waiting" else {}
            if sheets.mark(tx, sheet, before, who.at, **values):
                done.append(number)
    return Marked(tuple(done), tuple(refused))


def of_case(tx: Transaction, case_id: int) -> tuple[Sheet, ...]:
    """The letters of a case, for whoever has been let in to the case."""
    return sheets.of_case(tx, case_id)


def marked_words(done: int, refused: Collection[str]) -> str:
    """What came of a mark, in a sentence or a few."""
    words = [ngettext("{n} letter marked.", "{n} letters marked.", done).format(n=done)] * bool(done) + [*refused][:5]
    if len(refused) > 5:
        words.append(_("and {n} more").format(n=len(refused) - 5))
    return " ".join(words)


def _mark_many(
    tx: Transaction, who: Occasion, numbers: Collection[int], status: str, day: date, why: str = ""
) -> Marked:
    require(who.actor, PERMISSION)
    if not numbers:
        raise BadInput(_("Tick at least one letter"))
    if day > who.on:
        raise BadInput(_("The day {day} has not come yet").format(day=day.strftime("%d/%m/%Y")))
    noon = datetime.combine(day, time(12), tzinfo=ROME)
    done, refused = [], []
    for number, sheet in _asked(tx, who, numbers).items():
        wrong = _wrong(number, sheet, status, day)
        if sheet is None or wrong:
            refused.append(wrong)
        # A day has no hour; what was told of the letter before stays before.
        elif _mark(tx, who, sheet, status, who.at if day == who.on else max(noon, sheet.status_at), why=why):
            done.append(number)
        else:
            refused.append(_("Letter {number} was marked by somebody else just now: look again").format(number=number))
    return Marked(tuple(done), tuple(refused))


def _wrong(number: int, sheet: Sheet | None, status: str, day: date) -> str:
    """Why a letter cannot be marked so; nothing when it can."""
    if sheet is None:
        return not_found(_("Letter"), str(number)).sentence
    if sheet.status == status:
        return _("Letter {number} is marked so already").format(number=number)
    if sheet.status != BEFORE[status]:
        return {
            "posted": _("Letter {number} was not printed, or has come back: only a printed one can be posted"),
            "returned": _("Letter {number} was not posted yet: mark it as posted first"),
        }[status].format(number=number)
    since = sheet.status_at.astimezone(ROME).date()
    if day < since:
        return _("Letter {number}: the day lies before {since}, when it was marked last").format(
            number=number, since=since.strftime("%d/%m/%Y")
        )
    return ""


def _mark(
    tx: Transaction, who: Occasion, sheet: Sheet, status: str, at: datetime, *, why: str = "", **values: object
) -> bool:
    if not sheets.mark(tx, sheet, status, at, **values):
        return False
    _event(tx, who, sheet, status, at, why)
    return True


def _event(tx: Transaction, who: Occasion, sheet: Sheet, kind: str, at: datetime, why: str) -> None:
    member = network.members(tx).get(who.actor.staff_id or 0)
    detail = " ".join(part for part in (why, f"by:{member.username}" if member else "by:system") if part)
    fate: Mapping[str, tracking.Fate] = {
        "printed": "printed",
        "posted": "posted",
        "returned": "returned",
        "unknown": "unknown",
    }
    # Numbered: a letter marked, taken back and marked again has said so twice.
    tracking.record(tx, sheet.number, fate[kind], at, reference=f"letter:{sheet.marks + 1}", detail=detail)


def _asked(tx: Transaction, who: Occasion, numbers: Collection[int]) -> dict[int, Sheet | None]:
    """The letters by number, in the order asked; None: not there, or of a case that one may not see."""
    found = {one.number: one for one in sheets.by_number(tx, sight(who.actor), set(numbers))}
    return {number: found.get(number) for number in dict.fromkeys(numbers)}


def _one(tx: Transaction, who: Occasion, number: int) -> Sheet:
    require(who.actor, PERMISSION)
    found = _asked(tx, who, [number])[number]
    if found is None:
        raise not_found(_("Letter"), str(number))
    _trace(tx, who, found)
    return found


def _trace(tx: Transaction, who: Occasion, sheet: Sheet) -> None:
    leave_trace(tx, who.actor, "letter.show", cases.by_id(tx, sheet.case_id), who.at)


def _pdf(pages: list[str], title: str) -> bytes:
    try:
        return layout.pdf(pages, title)
    except layout.PangoMissing as error:
        raise PdfImpossible(
            _("No PDF can be made here, Pango is missing ({how}). The letters can be printed from the browser").format(
                how=layout.INSTALL
            )
        ) from error
