"""Import and detection, measured: movements a second with their balances, and a million tenancies classified."""

import resource
import statistics
import tempfile
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TextIO

from sqlalchemy import text

from ponte_workflow.services.detection import classify_all
from ponte_workflow.services.importing import import_paths
from ponte_workflow.store.engine import Store, Transaction
from states.detection import DetectionParameters

AT = datetime(2026, 11, 1, 3, tzinfo=UTC)
LAST = date(2026, 10, 31)
_FIRST_MONTH = 2024 * 12 + 4
_DWELLINGS = "COD_UI;EDIFICIO;QUARTIERE;INDIRIZZO;SCALA;INTERNO;COD_UTENTE;DATA_CONTRATTO;CANONE_MENSILE;SPESE_MENSILI"
_LEDGER = "ID_MOVIMENTO;COD_UTENTE;COD_UI;VOCE;CREDITORE;DATA_REGISTRAZIONE;DATA_SCADENZA;CAUSALE;DARE;AVERE;IUV"


def import_rate(store: Store, *, movements: int, per_tenancy: int = 120) -> float:
    """Movements a second into an empty store: two ledgers in the order of booking, as a landlord exports them."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_files(folder, tenancies=max(1, movements // per_tenancy), per_tenancy=per_tenancy)
        import_paths(store, [folder / "patrimonio.csv"], at=AT, rejects=folder / "rejects")
        started = time.perf_counter()
        report = import_paths(store, [folder / "a.csv", folder / "b.csv"], at=AT, rejects=folder / "rejects")
        return report.total("new") / (time.perf_counter() - started)


def peak_memory_mb() -> float:
    """The most memory that this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def write_files(folder: Path, *, tenancies: int, per_tenancy: int) -> None:
    """Dwellings and two ledgers: each month a charge and a payment for each of two items."""
    with (folder / "patrimonio.csv").open("w", encoding="cp1252", newline="") as out:
        out.write(_DWELLINGS + "\r\n")
        for n in range(tenancies):
            money = f"{200 + n % 100},50;{50 + n % 40},00"
            out.write(f"X-{n};House {n % 50};Quarter {n % 2};Via {n};A;{n};{n};01/01/2015;{money}\r\n")
    for index, (name, item, creditor) in enumerate((("a", "CANONE", "ALER"), ("b", "SPESE", "AMMINISTRATORE"))):
        with (folder / f"{name}.csv").open("w", encoding="cp1252", newline="") as out:
            out.write(_LEDGER + "\r\n")
            for month in range(per_tenancy // 4):
                year, number = divmod(_FIRST_MONTH + month, 12)
                _write_month(out, tenancies, item, creditor, index, month, f"{number + 1:02d}/{year}")


def _write_month(out: TextIO, tenancies: int, item: str, creditor: str, index: int, month: int, when: str) -> None:
    for paid in (False, True):
        for n in range(tenancies):
            number = n * 1000 + month * 4 + paid * 2 + index  # numbered by tenancy, written by date: as the real ones
            head = f"{number};{n};X-{n};{item};{creditor}"
            if paid:
                out.write(f"{head};{11 + n % 15}/{when};;BONIFICO;;{90 + n % 300},50;3{number:016d}\r\n")
            else:
                out.write(f"{head};01/{when};10/{when};BOLLETTAZIONE;{100 + n % 300},50;;3{number:016d}\r\n")


def detection_seconds(store: Store, *, on: date = LAST, runs: int = 3) -> float:
    """The median time to classify every tenancy of a filled store, the regular ones left to the database."""
    parameters = {"a": DetectionParameters(), "b": DetectionParameters()}
    times = []
    for _run in range(runs):
        started = time.perf_counter()
        with store.transaction() as tx:
            for _verdict in classify_all(tx, on, parameters, skip_regular=True):
                pass
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def fill_tenancies(store: Store, *, tenancies: int, months: int = 14) -> None:
    """Tenancies with two accounts, a third in arrears, straight into the tables; movements in two Octobers."""
    with store.transaction() as tx:
        fill = _Filler(tx)
        _fill_places(fill, tenancies)
        _fill_balances(fill, tenancies, months)
        for year in (LAST.year - 1, LAST.year):
            _fill_october(fill, year, 2 * tenancies)
    if store.is_postgresql:
        with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))


class _Filler:
    """INSERT .. SELECT of expressions over i = 1, 2, 3 ..."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self.postgresql = tx.is_postgresql

    def run(self, statement: str) -> None:
        self._tx.connection.execute(text(statement))

    def __call__(self, table: str, expressions: str, rows: int) -> None:
        numbers = f"generate_series(1, {rows}) AS g(i)" if self.postgresql else _numbers(rows)
        self.run(f"INSERT INTO {table} SELECT {expressions} FROM {numbers}")


def _fill_places(fill: _Filler, tenancies: int) -> None:
    fill.run("INSERT INTO quarter (id, code, name, pathway) VALUES (1, 'a', 'A', 'a'), (2, 'b', 'B', 'b')")
    fill.run("INSERT INTO building (id, quarter_id, name) VALUES (1, 1, 'X'), (2, 2, 'Y')")
    fill.run("INSERT INTO creditor (id, name) VALUES (1, 'ALER'), (2, 'AMMINISTRATORE')")
    fill("dwelling (id, building_id, code, address, stair, unit)", "i, 1 + i % 2, 'D' || i, 'V', '', ''", tenancies)
    fill("household (id, code)", "i, 'T' || i", tenancies)
    fill(
        "tenancy (id, code, dwelling_id, household_id, quarter_id, rent_cents, service_cents, starts_on)",
        "i, 'T' || i, i, i, 1 + i % 2, 20000 + (i * 31) % 10000, 5000 + i % 1000, " + _day(fill, "'2015-01-01'"),
        tenancies,
    )
    fill("account (id, tenancy_id, item, creditor_id)", "i, i, 'canone', 1", tenancies)
    fill("account (id, tenancy_id, item, creditor_id)", f"i + {tenancies}, i, 'spese', 1 + i % 2", tenancies)


def _fill_balances(fill: _Filler, tenancies: int, months: int) -> None:
    last = LAST.year * 12 + LAST.month - 1
    for step, month in enumerate(range(last - months + 1, last + 1), start=1):
        fill.run(f"INSERT INTO ledger_month (month) VALUES ({month})")
        cents = f"CASE WHEN (i % {tenancies}) % 100 < 35 THEN {step} * (i * 129 % 8000) ELSE 0 END"
        fill("running_balance (month, account_id, cents)", f"{month}, i, {cents}", 2 * tenancies)


def _fill_october(fill: _Filler, year: int, accounts: int) -> None:
    for kind, day, cents, paid in (
        ("c", "'10'", "5000 + i % 1000", "false"),
        ("p", "substr(CAST(101 + i % 28 AS text), 2)", "-5000 - i % 1000", "true"),
    ):
        when = _day(fill, f"'{year}-10-' || {day}")
        fill(
            "movement (account_id, creditor_id, external_id, booked_on, effective_on, cents, is_payment, cause)",
            f"i, 1, '{year}{kind}' || i, {when}, {when}, {cents}, {paid}, 'X'",
            accounts,
        )


def _day(fill: _Filler, expression: str) -> str:
    return f"CAST({expression} AS {'date' if fill.postgresql else 'text'})"


def _numbers(rows: int) -> str:
    return f"(WITH RECURSIVE g(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM g WHERE i < {rows}) SELECT i FROM g) AS g"
