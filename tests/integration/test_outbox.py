"""Rows of the outbox: queued once, claimed by one, withdrawn, never with personal data."""

import re
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import event

from ponte_workflow.i18n import use_language
from ponte_workflow.store import outbox, sweeping
from ponte_workflow.store.engine import Store
from tests.integration.outbox_rows import (
    ADDRESS,
    MONDAY,
    Tray,
    create_case,
    household_row,
    queue,
    row_of,
    run,
    staff_row,
)


@pytest.fixture(autouse=True)
def english() -> None:
    use_language("en")


def test_the_same_message_is_queued_once(store: Store) -> None:
    neighbours = create_case(store)
    for row in (staff_row(), household_row(neighbours)):
        assert len(queue(store, row, row)) == 1
    with store.transaction() as tx:
        rows = [staff_row(1), staff_row(2), staff_row(3), household_row(neighbours)]
        assert outbox.queue_many(tx, rows) == 2
        assert outbox.queue_many(tx, []) == 0
        assert outbox.counts(tx) == {"queued": 4}


def test_texts_addresses_and_strangers_do_not_get_into_the_outbox(store: Store) -> None:
    with store.transaction() as tx, pytest.raises(ValueError, match="ids, codes, dates and cents"):
        outbox.queue(tx, staff_row(data={"name": "Maria Rossi"}))
    with pytest.raises(ValueError, match="recipient"):
        staff_row(recipient=ADDRESS)
    with pytest.raises(ValueError, match="belongs to a case"):
        staff_row(recipient="person:1")


def test_rows_come_back_with_their_data_and_two_claims_never_share_one(store: Store) -> None:
    queue(
        store, staff_row(1, data={"on": date(2026, 11, 23), "instalments": ((date(2026, 12, 31), 8050),)}), staff_row(2)
    )
    with store.transaction() as tx:
        first = outbox.claim(tx, MONDAY, MONDAY.date(), 1)
    with store.transaction() as tx:
        second = outbox.claim(tx, MONDAY, MONDAY.date(), 5)
    assert [row.recipient_id for row in (*first, *second)] == [1, 2]
    assert first[0].data == {"on": "2026-11-23", "instalments": [["2026-12-31", 8050]]}


def test_shards_share_all_rows_by_case_and_one_case_stays_together(store: Store) -> None:
    case = create_case(store)
    queue(store, *(household_row(case, f"engagement/invite{n}") for n in range(3)))
    queue(store, *(staff_row(number) for number in range(1, 8)))
    with store.transaction() as tx:
        shared = [outbox.claim(tx, MONDAY, MONDAY.date(), 50, shard=(shard, 3)) for shard in range(3)]
    assert sum(len(rows) for rows in shared) == 10
    for shard, rows in enumerate(shared):
        assert {row.case_id % 3 for row in rows if row.case_id is not None} <= {shard}


def test_postgresql_passes_over_rows_that_another_transaction_holds(store: Store) -> None:
    if not store.is_postgresql:
        pytest.skip("SQLite lets one writer in at a time")
    queue(store, staff_row(1), staff_row(2))
    with store.transaction() as mine, store.transaction() as theirs:
        assert len(outbox.claim(mine, MONDAY, MONDAY.date(), 1)) == 1
        assert [row.recipient for row in outbox.claim(theirs, MONDAY, MONDAY.date(), 5)] == ["staff:2"]


def test_digest_rows_early_rows_and_expired_rows_do_not_leave(store: Store) -> None:
    numbers = queue(
        store,
        staff_row(1, delivery="digest"),
        staff_row(2, not_before=MONDAY + timedelta(minutes=1)),
        staff_row(3, expires_on=date(2026, 11, 22)),
        staff_row(4, expires_on=date(2026, 11, 23)),
    )
    report = run(store, Tray())
    assert (report.sent, report.expired) == (1, 1)
    assert [row_of(store, number).status for number in numbers] == ["queued", "queued", "expired", "sent"]


def test_withdrawing_spares_staff_unless_asked_and_what_has_left(store: Store) -> None:
    neighbours = create_case(store)
    numbers = queue(store, household_row(neighbours, history_seq=3))
    run(store, Tray())
    numbers += queue(
        store,
        household_row(neighbours, rule="b", history_seq=4),
        household_row(neighbours, rule="c", history_seq=5),
        staff_row(1, case_id=neighbours.case_id, history_seq=5),
    )
    with store.transaction() as tx:
        assert outbox.left_since(tx, neighbours.case_id, 3) == 1
        assert outbox.left_since(tx, neighbours.case_id, 4) == 0
        assert outbox.withdraw(tx, neighbours.case_id, "undo", from_seq=5) == 1
        assert outbox.withdraw(tx, neighbours.case_id, "deceased") == 1
        assert outbox.withdraw(tx, neighbours.case_id, "closed", to_staff=True) == 1
    assert [row_of(store, number).status for number in numbers] == ["sent", "withdrawn", "withdrawn", "withdrawn"]


def test_claiming_reads_only_the_rows_that_wait(store: Store) -> None:
    if store.is_postgresql:
        pytest.skip("the planner of PostgreSQL goes by statistics; SQLite's by the words alone")
    asked: list[tuple[str, Any]] = []

    def listen(_connection: object, _cursor: object, statement: str, parameters: Any, *_rest: object) -> None:
        if not statement.startswith("BEGIN"):
            asked.append((statement, parameters))

    event.listen(store.engine, "before_cursor_execute", listen)
    with store.transaction() as tx:
        outbox.claim(tx, MONDAY, MONDAY.date(), 10)
        sweeping.sweep(tx, MONDAY, stale_after=timedelta(minutes=1), give_up_after=6)
        sweeping.expire(tx, MONDAY.date())
    event.remove(store.engine, "before_cursor_execute", listen)
    with store.transaction() as tx:
        plans = [
            [row[-1] for row in tx.connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
            for statement, parameters in asked
        ]
    assert len(plans) == 5
    assert all("ix_outbox_waiting" in plan[0] for plan in plans), plans
    # Whether an earlier one of the case is in other hands is looked up by the case.
    further = [line for plan in plans for line in plan[1:] if "SUBQUERY" not in line]
    assert [re.sub(r"INDEX \w+", "INDEX", line) for line in further] == ["SEARCH earlier USING INDEX (case_id=?)"]
