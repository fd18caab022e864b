"""From histories to stays: which states a case entered and left, when, and what an undo takes back."""

from datetime import date, datetime, timedelta
from typing import NamedTuple

from ponte_workflow.store import figures, stays
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.stays import Move, Stay
from states.machine import ancestors

CHUNK = 2000  # entries in one transaction
SETTLING = timedelta(minutes=1)  # how long somebody's entry may take to be committed


class Chunk(NamedTuple):
    """What one call did. `more`: there are entries left to read."""

    looked_at: int
    written: int
    more: bool


def readable_to(tx: Transaction, at: datetime, *, all_of_it: bool = False) -> int:
    """The history id up to which may be projected at that moment.

    What people wrote in the last minute waits for the next time, unless `all_of_it`: nobody else is writing.
    """
    return stays.end_of_history(tx, stays.position(tx), None if all_of_it else at - SETTLING)


def project(tx: Transaction, to: int, *, limit: int = CHUNK) -> Chunk:
    """Read the next entries, at most `limit` of them, up to history id `to`; the caller may commit after each call."""
    after = stays.position(tx)
    moves = [] if after >= to else stays.moves(tx, after, to, limit)
    before = stays.of_cases(
        tx, {move.case_id for move in moves}, {move.case_id for move in moves if move.undoes is not None}
    )
    now = dict(before)
    for move in moves:
        if move.to:
            now[move.case_id] = after_move(now[move.case_id], move)
    written = stays.replace(tx, before, now)
    more = len(moves) == limit
    stays.move_on(tx, moves[-1].id if more else max(after, to))
    return Chunk(len(moves), written, more)


def after_move(known: list[Stay], move: Move) -> list[Stay]:
    """The stays of a case after an entry; whatever they were before, those left open are the states it stands in."""
    if move.undoes is not None:
        known = [_reopened(one, move.undoes) for one in known if one.entered_seq < move.undoes]
    here = {path for leaf in move.to for path in ancestors(leaf)}
    known = [
        one if one.left_on is not None or one.state in here else one._replace(left_on=move.on, left_seq=move.seq)
        for one in known
    ]
    entered = here - {one.state for one in known if one.left_on is None}
    return known + [Stay(None, state, move.on, move.seq) for state in sorted(entered)]


def recount(tx: Transaction, on: date) -> None:
    """The figures as of that day, from the stays that are projected."""
    stays.follow_partners(tx)
    figures.recount(tx, on)


def rebuild(tx: Transaction, on: date) -> Chunk:
    """Forget every figure and make them anew from the histories, all of them; the same as what the nights made."""
    stays.forget(tx)
    to = stays.end_of_history(tx, 0, None)
    total = Chunk(0, 0, more=True)
    while total.more:
        done = project(tx, to)
        total = Chunk(total.looked_at + done.looked_at, total.written + done.written, done.more)
    recount(tx, on)
    return total


def _reopened(one: Stay, seq: int) -> Stay:
    if one.left_seq is None or one.left_seq < seq:
        return one
    return one._replace(left_on=None, left_seq=None)
