"""A year of the demo's neighbourhood: every night, every message, every step; and the promises at its end."""

from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from ponte_workflow.bootstrap import Ponte, open_ponte, open_store, read_settings
from ponte_workflow.demo import play
from ponte_workflow.services import auditing
from ponte_workflow.store import migrate
from ponte_workflow.store.crypto import make_key_file
from ponte_workflow.store.engine import Transaction

pytestmark = pytest.mark.year
BEGIN = date(2026, 11, 20)
CAP = 2  # messages to a household in seven days


@pytest.fixture
def ponte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ponte:
    """An empty Ponte with files for mails."""
    monkeypatch.setenv("PONTE_HOME", str(tmp_path))
    settings = read_settings()
    make_key_file(settings.key_path)
    store = open_store(settings)
    migrate.upgrade(store.engine)
    store.engine.dispose()
    return open_ponte(settings)


def rows(tx: Transaction, query: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in tx.connection.execute(text(query))]


def test_the_promises_hold_after_a_simulated_year(ponte: Ponte) -> None:
    for today in (BEGIN, BEGIN + timedelta(weeks=40)):  # twelve weeks, and then a second start that goes on
        game = play.begin(ponte, seed=2026, weeks=12, today=today, say=lambda _what: None)
        for day in game.days():
            game.play_day(day)
    with ponte.store.transaction() as tx:
        report = auditing.verify(tx, ponte.pathways)
        assert report.found == [], "histories, replays, certificates, balances; no open case is forgotten"
        assert report.checked["certificates"] > 52 * 7
        nights = rows(tx, "SELECT count(*) FROM night WHERE status <> 'completed'")
        assert nights == [(0,)], "every night was completed"
        assert rows(tx, "SELECT code FROM cases WHERE set_aside_on IS NOT NULL") == []
        twice = rows(tx, "SELECT outbox_id FROM evidence GROUP BY outbox_id HAVING count(*) > 1")
        assert twice == [], "no message left twice"
        assert unasked_demands(tx) == [], "no demand before a human contact attempt"
        assert minors_and_dead(tx) == [], "nobody who must not be written to was written to"
        assert over_the_cap(tx) == {}, "never more than two in seven days"
        points = rows(tx, "SELECT household_id FROM emporio_entry WHERE balance < 0")
        assert points == [], "no book of the emporio below zero"
        wrong = rows(
            tx,
            "SELECT i.id FROM instalment i WHERE i.paid_cents > i.cents OR (i.status LIKE 'paid%' AND i.paid_cents < i.cents)",
        )
        assert wrong == [], "no instalment holds more than it asked for, none is called paid that is not"
    ponte.store.engine.dispose()


def unasked_demands(tx: Transaction) -> list[tuple[object, ...]]:
    return rows(
        tx,
        "SELECT o.id FROM outbox o WHERE o.message = 'instalment_due' AND o.status = 'sent' AND NOT EXISTS "
        '(SELECT 1 FROM contact_attempt a WHERE a.case_id = o.case_id AND a."on" <= o.due_on)',
    )


def minors_and_dead(tx: Transaction) -> list[tuple[object, ...]]:
    found = rows(
        tx,
        "SELECT o.id, p.birth_date, p.deceased_on, o.sent_at FROM outbox o "
        "JOIN person p ON o.recipient = 'person:' || p.id WHERE o.status = 'sent'",
    )
    wrong = []
    for outbox_id, born, died, sent in found:
        on = str(sent)[:10]
        grown = f"{int(str(born)[:4]) + 18}{str(born)[4:10]}"
        if on < grown or (died is not None and on > str(died)[:10]):
            wrong.append((outbox_id, born, died, sent))
    return wrong


def over_the_cap(tx: Transaction) -> dict[object, int]:
    """Case id -> most messages in seven days, where that is too many. Legal ones are not counted.

    Days as written in UTC: the demo delivers at nine in the morning in Rome.
    """
    days: dict[object, list[date]] = {}
    query = "SELECT case_id, sent_at FROM outbox WHERE status = 'sent' AND recipient LIKE 'person:%' AND NOT legal"
    for case_id, sent in rows(tx, query):
        moment = date.fromisoformat(str(sent)[:10])
        days.setdefault(case_id, []).append(moment)
    found: Counter[object] = Counter()
    for case_id, sent_on in days.items():
        for last in sent_on:
            many = sum(last - timedelta(days=7) < day <= last for day in sent_on)
            if many > CAP:
                found[case_id] = max(found[case_id], many)
    return dict(found)
