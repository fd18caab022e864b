"""A new field key: everything is sealed anew and still read, searches still find, and the old key opens nothing more."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Text, select

from ponte_workflow import clock
from ponte_workflow.errors import WrongKey
from ponte_workflow.services import auditing, pips, tasks
from ponte_workflow.services.delivery import Courtesy, deliver
from ponte_workflow.store import cases, rotation
from ponte_workflow.store.crypto import FieldCipher, add_key, load_keys, make_key_file, new_key
from ponte_workflow.store.engine import Store
from ponte_workflow.store.schema import metadata
from tests.builders import PIP
from tests.integration.standing_cases import TODAY, add_surroundings, adult_of, things_of, walk
from tests.site import Site, make_site


@pytest.fixture
def keys() -> list[str]:
    """The newest first."""
    return [new_key(), new_key()]


@pytest.fixture
def lived(store: Store, keys: list[str], tmp_path: Path) -> Site:
    """A site that was lived in under the older key alone."""
    older = Store(store.engine, FieldCipher(keys[1:]))
    made = make_site(older, tmp_path / "home")
    with older.transaction() as tx:
        row = walk(made.team, tx, "planning", "wanda")
        things_of(tx, row)
        add_surroundings(made.team, tx)
        person = adult_of(tx, row)
        made.team.do(tx, "gino", row.code, "assessed", TODAY, person_id=person)
        made.team.write_pip(tx, "gino", row.code, person, TODAY)
        tasks.add(tx, made.team.occasion(tx, "wanda", TODAY), "Call the school", TODAY)
        day = TODAY + timedelta(days=3)
        made.team.do(tx, "wanda", row.code, "make_appointment", TODAY, what="w", where="h", day=day, hour=9)
    deliver(older, made.ponte.channels, made.ponte.writer(), sender="p@example.org",
            courtesy=Courtesy(lambda day: False), at=at_work(clock.now()), limit=50)  # fmt: skip
    return made


def at_work(now: datetime) -> datetime:
    """An hour of that day, or of the one before a Sunday, at which messages leave: the test may run at night."""
    morning = now.replace(hour=9)
    return morning - timedelta(days=1) if morning.weekday() == 6 else morning


def sealed_columns(store: Store) -> set[tuple[str, str]]:
    """(table, column) of everything in the database that looks like a token of Fernet."""
    found = set()
    with store.reading() as tx:
        for table in metadata.sorted_tables:
            for column in table.columns:
                if isinstance(column.type, Text):
                    some = select(column).where(column.like("gAAAAA%")).limit(1)
                    if tx.connection.execute(some).first() is not None:
                        found.add((table.name, column.name))
    return found


def test_the_list_of_encrypted_fields_is_the_databases_own(lived: Site) -> None:
    known = {(table, column) for table, columns in rotation.SEALED.items() for column in columns}
    found = sealed_columns(lived.ponte.store)
    assert found - known == set(), "every encrypted field is in rotation.SEALED"
    assert {table for table, _column in found} >= {
        "contact",
        "evidence",
        "history_detail",
        "pip_version",
        "staff",
        "todo",
    }
    for table, column in known:
        assert isinstance(metadata.tables[table].c[column].type, Text)


def test_after_a_rotation_the_newest_key_alone_reads_everything(lived: Site, keys: list[str]) -> None:
    engine = lived.ponte.store.engine
    both = Store(engine, FieldCipher(keys))
    before = rotation.under_older_keys(both)
    turned = sum(one.fields for one in rotation.rotate(both))
    assert turned == before > 10
    assert rotation.under_older_keys(both) == 0
    assert sum(one.fields for one in rotation.rotate(both)) == 0, "a second run finds nothing to do"
    newest, older = Store(engine, FieldCipher(keys[:1])), Store(engine, FieldCipher(keys[1:]))
    with newest.reading() as tx:
        who = lived.team.occasion(tx, "gino", TODAY)
        row = cases.by_code(tx, cases.all_codes(tx)[0])
        shown = pips.open_pip(tx, who, row.code, adult_of(tx, row))
        assert shown.document.availability == PIP["availability"]
        assert auditing.verify(tx, lived.ponte.pathways).found == [], "commitments hold over the same texts"
    with pytest.raises(WrongKey), older.reading() as tx:
        pips.open_pip(tx, lived.team.occasion(tx, "gino", TODAY), row.code, adult_of(tx, row))


def test_searches_find_by_the_oldest_key_before_and_after(lived: Site, keys: list[str]) -> None:
    both = Store(lived.ponte.store.engine, FieldCipher(keys))
    assert both.cipher.blind_index("a@example.org") == lived.ponte.store.cipher.blind_index("a@example.org")
    list(rotation.rotate(both))
    assert both.cipher.blind_index("a@example.org") == lived.ponte.store.cipher.blind_index("a@example.org")


def test_a_rotation_that_was_stopped_goes_on_and_leaves_what_somebody_changed_alone(
    lived: Site, keys: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotation, "BATCH", 2)
    both = Store(lived.ponte.store.engine, FieldCipher(keys))
    some = rotation.rotate(both)
    for _n in range(3):
        next(some)
    some.close()
    left = rotation.under_older_keys(both)
    assert left > 0
    assert sum(one.fields for one in rotation.rotate(both)) == left


def test_a_key_is_put_before_the_others_in_a_file_for_one_alone(tmp_path: Path) -> None:
    path = tmp_path / "key"
    make_key_file(path)
    first = load_keys(None, path)
    assert add_key(path) == 2
    keys = load_keys(None, path)
    assert keys[1:] == first and keys[0] != first[0]
    assert path.stat().st_mode & 0o077 == 0 and [one.name for one in tmp_path.iterdir()] == ["key"]
    assert FieldCipher(keys).decrypt(FieldCipher(first).encrypt("x")) == "x"
