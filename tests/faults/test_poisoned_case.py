"""Cases that nobody can read: set aside, named, tried again, healed when mended; everybody else has their night."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from ponte_workflow.store.engine import Store
from tests.faults.mail import environment, serving, statuses, with_mail, words
from tests.faults.processes import DUE, Build, finish
from tests.integration.mail_server import Post

CASES = 40
POISONS = [
    pytest.param(
        "UPDATE clock SET name = 'detected/nonsense' WHERE case_id = :id",
        "UPDATE clock SET name = 'detected/assignment' WHERE case_id = :id",
        {"batches_redone": 1},
        id="a clock that no pathway knows",
    ),
    pytest.param(
        "UPDATE cases SET configuration = 'nowhere.at.all' WHERE id = :id",
        "UPDATE cases SET configuration = 'detected' WHERE id = :id",
        {},
        id="a configuration that no pathway knows",
    ),
]


@pytest.mark.parametrize(("poison", "cure", "incidents"), POISONS)
def test_a_poisoned_case_is_named_and_healed_and_stops_nobody(
    store: Store, database_url: str, tmp_path: Path, house: Build, poison: str, cure: str, incidents: dict[str, int]
) -> None:
    town = house(store, database_url, tmp_path, CASES)
    with store.transaction() as tx:
        (case_id,) = tx.connection.execute(text("SELECT id FROM cases WHERE code = :c"), {"c": town.codes[7]}).one()
        tx.connection.execute(text(poison), {"id": case_id})
    for days in (0, 1):  # and again, every night
        certificate = finish(town.night(DUE + timedelta(days=days)))
        assert certificate["set_aside"] == [town.codes[7]]
        assert certificate.get("incidents", {}) == incidents
        assert certificate["steps"]["clocks"]["set_aside"] == 1
        assert town.rung() == CASES - 1, "the others were done, once"
    with store.transaction() as tx:
        tx.connection.execute(text(cure), {"id": case_id})
    certificate = finish(town.night(DUE + timedelta(days=2)))
    assert certificate["set_aside"] == [] and "incidents" not in certificate
    assert town.counts() == town.once_each()
    assert town.look("SELECT count(*) FROM cases WHERE set_aside_on IS NOT NULL") == 0
    town.audited()


def test_an_address_that_cannot_be_deciphered_holds_up_nobody_else(
    store: Store, database_url: str, tmp_path: Path, house: Build
) -> None:
    town = house(store, database_url, tmp_path)
    first, second = with_mail(town)
    with store.transaction() as tx:
        (contact, value) = tx.connection.execute(text("SELECT id, value FROM contact ORDER BY id LIMIT 1")).one()
        broken = {"id": contact, "value": value[:-10] + "AAAAAAAAA="}
        tx.connection.execute(text("UPDATE contact SET value = :value WHERE id = :id"), broken)
    post = Post()
    with serving(post) as port:
        finish(town.start(*words(), **environment(port)))
        assert statuses(town, [first, second]) == ["queued", "sent"]
        assert finish(town.night())["set_aside"] == []
        with store.transaction() as tx:
            tx.connection.execute(
                text("UPDATE contact SET value = :value WHERE id = :id"), {"id": contact, "value": value}
            )
        finish(town.start(*words(20), **environment(port)))
    assert statuses(town, [first, second]) == ["sent", "sent"] and len(post.mails) == 2
    town.audited()
