"""Import of the landlord's files: repeatable, good rows kept, bad ones refused with their line and reason."""

import csv
from collections import defaultdict
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from ponte_workflow.errors import BadInput
from ponte_workflow.services.importing import import_paths
from ponte_workflow.store import arrears, balances
from ponte_workflow.store.engine import Store, Transaction
from tests.integration.ledger_files import AT, DATA, bring_in, ledger_line, write_ledger

TABLES = ("quarter", "building", "dwelling", "household", "tenancy", "person", "contact", "creditor", "account",
          "movement", "ledger_month", "running_balance")  # fmt: skip


def everything(store: Store) -> dict[str, list[tuple[object, ...]]]:
    with store.transaction() as tx:
        return {
            table: sorted((tuple(row) for row in tx.connection.execute(text(f"SELECT * FROM {table}"))), key=repr)
            for table in TABLES
        }


def scalar(tx: Transaction, statement: str) -> object:
    return tx.connection.execute(text(statement)).scalar()


@pytest.fixture
def rejects(tmp_path: Path) -> Path:
    return tmp_path / "rejects"


@pytest.fixture
def homes(store: Store, rejects: Path) -> Store:
    bring_in(store, DATA / "patrimonio.csv", rejects=rejects)
    return store


def test_a_directory_comes_in_whole_and_what_is_broken_is_refused_with_line_and_reason(
    store: Store, rejects: Path
) -> None:
    report = bring_in(store, DATA, rejects=rejects)
    files = {one.file: one for one in report.files}
    assert [path.name for path in report.ignored] == ["classification_key.csv"]
    assert (files["patrimonio.csv"].new, files["patrimonio.csv"].refused) == (14, 0)
    assert (files["nuclei.csv"].new, files["nuclei.csv"].refused) == (21, 1)
    aler = files["partitario_aler.csv"]
    assert (aler.read, aler.known, aler.refused) == (aler.new + 2 + 8, 2, 8)
    assert files["partitario_condominio.csv"].known == 1
    with (DATA / "partitario_aler.csv").open(encoding="cp1252") as stream:
        lines = stream.read().splitlines()
    told = {lines[note.line - 1].split(";")[0]: note.text for note in aler.refusals}
    assert {name: words.split(":")[0] for name, words in told.items()} == {
        "BADDATA": "31/02/2026 is an impossible date",
        "BADIMPORTO": "'1.2.3,4x' is not an amount (1.234,56)",
        "BADUTENTE": "unknown tenancy 899999",
        "BADDUE": "both amounts",
        "BADVUOTO": "no amount",
        "BADSCADENZA": "a charge without DATA_SCADENZA",
        "BADVOCE": "unknown VOCE 'ACQUA'",
        "BADCOLONNE": "6 columns instead of 11",
    }
    with store.transaction() as tx:
        assert balances.verify(tx) == []
        assert scalar(tx, "SELECT count(*) FROM movement") == aler.new + files["partitario_condominio.csv"].new
        assert str(scalar(tx, "SELECT min(cents) FROM movement WHERE cause = 'STORNO'")) == "-10000"
        assert scalar(tx, "SELECT code FROM quarter WHERE name = 'San Polo'") == "san_polo"
        assert scalar(tx, "SELECT given_name FROM person WHERE given_name LIKE 'Nicc%'") == "Niccolò"


def test_importing_twice_changes_nothing(store: Store, rejects: Path) -> None:
    bring_in(store, DATA, rejects=rejects)
    before, kept = everything(store), {path: path.read_bytes() for path in rejects.iterdir()}
    report = bring_in(store, DATA, rejects=rejects)
    assert everything(store) == before
    assert {path: path.read_bytes() for path in rejects.iterdir()} == kept
    assert (report.total("new"), report.total("changed")) == (0, 0)


def test_a_mended_rejects_file_comes_in(homes: Store, tmp_path: Path, rejects: Path) -> None:
    original = write_ledger(tmp_path / "l.csv", [ledger_line("1", charged="x,10"), ledger_line("2", charged="5,00")])
    (one,) = bring_in(homes, original, rejects=rejects).files
    assert (one.new, one.refused) == (1, 1)
    assert one.rejects == str(rejects / "l.ledger.rejects.csv")
    mended = tmp_path / "mended.csv"
    mended.write_text(Path(one.rejects).read_text(encoding="utf-8").replace("x,10", "7,10"), encoding="utf-8")
    (again,) = bring_in(homes, mended, rejects=rejects).files
    assert (again.new, again.refused, again.rejects) == (1, 0, None)
    write_ledger(original, [ledger_line("2", charged="5,00")])
    bring_in(homes, original, rejects=rejects)
    assert list(rejects.iterdir()) == []


def test_a_known_movement_with_another_content_is_refused(homes: Store, tmp_path: Path, rejects: Path) -> None:
    bring_in(homes, write_ledger(tmp_path / "a.csv", [ledger_line("1", charged="5,00")]), rejects=rejects)
    lines = [ledger_line("1", charged="6,00"), ledger_line("2", charged="1,00"), ledger_line("2", charged="2,00")]
    (report,) = bring_in(homes, write_ledger(tmp_path / "b.csv", lines), rejects=rejects).files
    assert (report.new, report.known, report.refused) == (1, 0, 2)
    assert [note.line for note in report.refusals] == [2, 4]
    with (rejects / "b.ledger.rejects.csv").open(encoding="utf-8", newline="") as stream:
        assert [row["RIGA"] for row in csv.DictReader(stream, delimiter=";")] == ["2", "4"]
    with homes.transaction() as tx:
        assert balances.verify(tx) == []


def test_the_same_number_from_two_creditors_is_two_movements(homes: Store, tmp_path: Path, rejects: Path) -> None:
    lines = [ledger_line("1", charged="5,00"), ledger_line("1", charged="5,00", creditor="AMMINISTRATORE CONDOMINIO")]
    (report,) = bring_in(homes, write_ledger(tmp_path / "a.csv", lines), rejects=rejects).files
    assert report.new == 2


def test_a_wrong_tax_code_is_kept_with_a_warning_and_encrypted(store: Store, rejects: Path) -> None:
    report = bring_in(store, DATA / "patrimonio.csv", DATA / "nuclei.csv", rejects=rejects)
    (warning,) = report.files[1].warnings
    assert "tax code" in warning.text
    with store.transaction() as tx:
        token, index = tx.connection.execute(
            text("SELECT tax_code, tax_code_index FROM person WHERE surname = 'ProvaC' AND ordinal = 1")
        ).one()
        assert store.cipher.blind_index(store.cipher.decrypt(token)) == index


def test_a_changed_rent_and_a_changed_phone_are_counted_as_changes(store: Store, tmp_path: Path, rejects: Path) -> None:
    bring_in(store, DATA, rejects=rejects)
    for name, old, new in (
        ("patrimonio.csv", "200,00;100,00", "210,00;100,00"),
        ("nuclei.csv", "3330000002", "3330009902"),
    ):
        content = (DATA / name).read_text(encoding="cp1252")
        (tmp_path / name).write_text(content.replace(old, new, 1), encoding="cp1252")
    report = bring_in(store, tmp_path / "nuclei.csv", tmp_path / "patrimonio.csv", rejects=rejects)
    assert [(one.kind, one.new, one.changed) for one in report.files] == [("dwellings", 0, 1), ("households", 0, 1)]


@pytest.mark.parametrize("name", ["classification_key.csv", "nothing.csv"], ids=["unknown header", "not there"])
def test_a_single_file_that_cannot_be_used_is_refused(store: Store, rejects: Path, name: str) -> None:
    with pytest.raises(BadInput, match=name):
        bring_in(store, DATA / name, rejects=rejects)


def test_the_freshness_of_each_creditor_and_each_file_is_recorded(store: Store, rejects: Path) -> None:
    bring_in(store, DATA, rejects=rejects)
    with store.transaction() as tx:
        assert str(scalar(tx, "SELECT ledger_on FROM creditor WHERE name = 'ALER'")) == "2026-11-01"
        assert scalar(tx, "SELECT count(*) FROM import_file WHERE complete") == 4
        assert scalar(tx, "SELECT rows_refused FROM import_file WHERE name = 'partitario_aler.csv'") == 8


def test_a_booking_dated_after_its_import_makes_no_ledger_fresh(homes: Store, tmp_path: Path, rejects: Path) -> None:
    def reaches(*booked: str) -> str:
        lines = [ledger_line(f"{day}", booked=day, charged="10,00") for day in booked]
        bring_in(homes, write_ledger(tmp_path / f"{len(booked)}{booked[0][:2]}.csv", lines), rejects=rejects)
        with homes.transaction() as tx:
            return str(scalar(tx, "SELECT ledger_on FROM creditor WHERE name = 'ALER'"))

    assert reaches("05/01/2027") == "None", "the import is of November 2026"
    assert reaches("30/10/2026", "06/01/2027") == "2026-10-30"
    with homes.transaction() as tx:
        tx.connection.execute(text("UPDATE creditor SET ledger_on = '2030-12-31'"))  # of an earlier version
    assert reaches("31/10/2026") == "2026-10-31", "the next import heals it"


def test_progress_ends_at_the_size_of_the_file(homes: Store, tmp_path: Path, rejects: Path) -> None:
    told: list[tuple[str, int, int]] = []
    path = write_ledger(tmp_path / "a.csv", [ledger_line(str(n), charged="5,00") for n in range(20_000)])
    import_paths(homes, [path], at=AT, rejects=rejects, progress=lambda *step: told.append(step))
    assert len(told) > 1
    assert told[-1] == ("a.csv", path.stat().st_size, path.stat().st_size)


DAYS = st.dates(date(2025, 1, 1), date(2026, 12, 31))
MOVEMENTS = st.lists(st.tuples(st.sampled_from(["800001", "800002"]), DAYS, st.integers(-50_000, 50_000)), max_size=25)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(MOVEMENTS, st.randoms(use_true_random=False), st.lists(DAYS, min_size=1, max_size=4))
def test_balances_are_the_sums_whatever_the_order_of_the_imports(
    homes: Store,
    tmp_path: Path,
    rejects: Path,
    movements: list[tuple[str, date, int]],
    random: object,
    days: list[date],
) -> None:
    with homes.transaction() as tx:
        # Only here: the database keeps every movement, and the next example begins without any.
        tx.connection.execute(
            text("DROP TRIGGER IF EXISTS movement_no_delete" + (" ON movement" if tx.is_postgresql else ""))
        )
        for table in ("movement", "running_balance", "ledger_month"):
            tx.connection.execute(text(f"DELETE FROM {table}"))
    lines = [
        ledger_line(
            str(n),
            code=code,
            due=day.strftime("%d/%m/%Y"),
            charged=f"{'-' * (cents < 0)}{abs(cents) // 100},{abs(cents) % 100:02d}",
        )
        for n, (code, day, cents) in enumerate(movements)
    ]
    random.shuffle(lines)  # type: ignore[attr-defined]
    cut = len(lines) // 2
    for chunk in (lines[:cut], lines[cut:], lines, lines[:cut]):
        bring_in(homes, write_ledger(tmp_path / "random.csv", chunk), rejects=rejects)
    with homes.transaction() as tx:
        assert balances.verify(tx) == []
        for day in (*days, *(day + timedelta(days=1) for _code, day, _cents in movements[:3])):
            wanted: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
            for code, due, cents in movements:
                now, ago = wanted[code]
                wanted[code] = now + cents * (due <= day), ago + cents * (due <= arrears.year_before(day))
            for found in arrears.figures(tx, day):
                assert (found.balance_cents, found.year_ago_cents) == wanted[found.code]
                assert arrears.tenancy_figures(tx, found.tenancy_id, day) == found
