"""The post of the demo: coordination prints the letters that wait, hands them over the next day, and some come back."""

import os
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from pathlib import Path

from ponte_workflow.bootstrap import Ponte
from ponte_workflow.clock import ROME
from ponte_workflow.services import letters
from ponte_workflow.services.casework import Occasion
from ponte_workflow.services.letter_words import posting_csv
from ponte_workflow.services.rights import actor_of
from ponte_workflow.store.engine import Transaction

PRINTING = (1, 4)  # Tuesdays and Fridays
COMES_BACK_AFTER = timedelta(days=6)
COMES_BACK_EVERY = 9  # one letter in so many
REASONS = ("moved", "unclaimed", "unknown")


def letters_of_the_day(ponte: Ponte, on: date, coordinators: Iterable[str]) -> dict[str, int]:
    """What each coordinator does about letters on a working day; how many were printed, posted and returned."""
    done = {"printed": 0, "posted": 0, "returned": 0}
    for username in coordinators:
        with ponte.store.transaction() as tx:
            who = _who(ponte, tx, username, on)
            for status, count in _post(ponte, tx, who).items():
                done[status] += count
    return done


def _post(ponte: Ponte, tx: Transaction, who: Occasion) -> dict[str, int]:
    back = _came_back(tx, who)
    printed = letters.overview(tx, who, "printed").rows
    numbers = [row.number for row in printed if row.status_at.astimezone(ROME).date() < who.on]
    posted = letters.posted(tx, who, numbers, who.on).numbers if numbers else ()
    batch = letters.print_batch(tx, who) if who.on.weekday() in PRINTING else None
    if batch is not None and batch.batch_id is not None:
        _files(ponte, tx, who, batch.batch_id)
    return {"printed": len(batch.numbers) if batch else 0, "posted": len(posted), "returned": back}


def _came_back(tx: Transaction, who: Occasion) -> int:
    """Every ninth letter comes back six days later: nobody tosses a coin, so that the demo is the same every time."""
    count = 0
    for row in letters.overview(tx, who, "posted").rows:
        due = row.status_at.astimezone(ROME).date() + COMES_BACK_AFTER
        if row.number % COMES_BACK_EVERY == 0 and due <= who.on:
            why = REASONS[row.number // COMES_BACK_EVERY % len(REASONS)]
            count += len(letters.returned(tx, who, [row.number], why, who.on).numbers)
    return count


def _files(ponte: Ponte, tx: Transaction, who: Occasion, batch_id: int) -> None:
    """As `ponte letters print` leaves them."""
    folder = ponte.settings.folder / "letters"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    found, rows = letters.batch(tx, who, batch_id)
    name = f"batch-{found.id:05d}"
    _write(folder / f"{name}-post.csv", posting_csv(rows).encode("utf-8-sig"))
    try:
        _write(folder / f"{name}.pdf", letters.batch_pdf(tx, who, batch_id))
    except letters.PdfImpossible:  # no Pango: the pages are there all the same
        for row in rows:
            _write(folder / f"{name}-{row.number}.html", letters.letter_page(tx, who, row.number).encode())


def _write(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as handle:
        handle.write(content)


def _who(ponte: Ponte, tx: Transaction, username: str, on: date) -> Occasion:
    return Occasion(actor_of(tx, username, on), on, datetime.combine(on, time(15), tzinfo=ROME), ponte.pathways)
