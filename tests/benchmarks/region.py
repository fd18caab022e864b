"""A whole region for the measurements: 40 quarters, 100,000 open cases with their past, as nights and people leave them.

Written at driver level into SQLite, and from there row by row into PostgreSQL: both hold the same.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import psycopg

from ponte_workflow import clock
from ponte_workflow.services.pathways import Pathways
from ponte_workflow.store import balances, figures, migrate
from ponte_workflow.store.crypto import FieldCipher
from ponte_workflow.store.engine import Store, open_engine
from ponte_workflow.store.people import search_name
from ponte_workflow.store.schema import metadata
from tests.benchmarks.region_lives import FEW, LEAD, MANY, Lives, place_of

QUARTERS, WORKERS, HOUSES = 40, 6, 25
AGENCIES = 8
RICH = 40  # every so manyth case has a long past and a full ledger: those are opened in the measurement
MONTHS = 24
SYLLABLES = ("ba", "bor", "ca", "cor", "da", "fer", "ga", "lan", "lo", "mar", "mi", "mon", "na", "pal", "ri", "ros",
             "sal", "san", "te", "ton", "va", "ver", "zan", "zo")  # fmt: skip
BATCH = 20_000


@dataclass
class Region:
    """What the measurement has to know. Staff by kind of work, as usernames."""

    cases: int
    staff: dict[str, list[str]] = field(default_factory=dict)


class Rows:
    """Rows of many tables, handed to the driver in batches."""

    def __init__(self, raw: sqlite3.Connection) -> None:
        self._raw = raw
        self._waiting: dict[str, list[Sequence[Any]]] = {}

    def add(self, table: str, columns: str, *values: Any) -> None:
        """One row."""
        key = f"{table} ({columns})"
        waiting = self._waiting.setdefault(key, [])
        waiting.append(values)
        if len(waiting) >= BATCH:
            self._write(key)

    def flush(self) -> None:
        """Everything that still waits."""
        for key in self._waiting:
            self._write(key)

    def _write(self, key: str) -> None:
        if rows := self._waiting[key]:
            marks = ", ".join("?" * len(rows[0]))
            self._raw.executemany(f"INSERT INTO {key} VALUES ({marks})", rows)
            self._waiting[key] = []


def build(path: Path, cipher: FieldCipher, *, cases: int) -> Region:
    """The region in a new SQLite file: so many open cases, and a tenth as many closed ones."""
    store = Store(open_engine(f"sqlite:///{path}"), cipher)
    migrate.upgrade(store.engine)
    pathways = Pathways(None)
    with store.transaction() as tx:
        versions = [pathways.pin(tx, name, clock.now()) for name in ("sanpolino", "san_polo")]
    store.engine.dispose()
    raw = sqlite3.connect(path, isolation_level=None)
    raw.execute("PRAGMA synchronous=OFF")
    raw.execute("PRAGMA cache_size=-262144")
    raw.execute("BEGIN")
    rows, region = Rows(raw), Region(cases)
    _network(rows, region, clock.today())
    lives = Lives(rows, [pathways.current(name) for name in ("sanpolino", "san_polo")], versions, clock.today(), cipher)
    total = cases + cases // 10
    _homes(rows, total, cipher)
    for number in range(1, total + 1):
        lives.live(number, is_open=number <= cases, rich=number % RICH == 0)
    lives.digests(30)
    rows.flush()
    _ledger(raw, total, clock.today())
    raw.execute("COMMIT")
    raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    raw.close()
    store = Store(open_engine(f"sqlite:///{path}"), cipher)
    with store.transaction() as tx:
        figures.recount(tx, clock.today())
    store.engine.dispose()
    return region


def copy_to_postgresql(path: Path, url: str, cipher: FieldCipher) -> None:
    """The same rows in an empty PostgreSQL database."""
    store = Store(open_engine(url), cipher)
    migrate.upgrade(store.engine)
    store.engine.dispose()
    source = sqlite3.connect(path)
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=False) as target:
        target.execute("SET session_replication_role = replica")  # the rows hold together: they come from a database
        for table in metadata.sorted_tables:
            columns = ", ".join(f'"{column.name}"' for column in table.columns)
            target.execute(f"TRUNCATE {table.name} CASCADE")  # the migrations' own rows come along too
            with target.cursor().copy(f"COPY {table.name} ({columns}) FROM STDIN") as copy:
                for row in source.execute(f"SELECT {columns} FROM {table.name}"):
                    copy.write_row(row)
            if "id" in table.columns:
                target.execute(
                    f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), "
                    f"coalesce((SELECT max(id) FROM {table.name}), 1))"
                )
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as target:
        target.execute("VACUUM ANALYZE")
    source.close()


def _network(rows: Rows, region: Region, today: date) -> None:
    """Partners 1..40 are cooperatives, each in its own quarter and the next; then agencies, associations, landlord."""
    at = f"{today - timedelta(days=900)} 08:00:00.000000"
    for q in range(1, QUARTERS + 1):
        pathway = ("sanpolino", "san_polo")[(q - 1) % 2]
        rows.add("quarter", "id, code, name, pathway", q, f"q{q}", f"Quarter {q}", pathway)
        for house in range(HOUSES):
            name = f"House {q}/{house + 1}"
            rows.add("building", "id, quarter_id, name", (q - 1) * HOUSES + house + 1, q, name)
    areas: list[tuple[str, str, list[int]]] = []
    areas += [(f"coop{p}", "cooperative", [p, p % QUARTERS + 1]) for p in range(1, QUARTERS + 1)]
    each = QUARTERS // AGENCIES
    areas += [(f"agency{a}", "agency", list(range(a * each + 1, a * each + each + 1))) for a in range(AGENCIES)]
    areas += [(f"friends{q}", "association", [q]) for q in range(1, QUARTERS + 1)]
    areas += [("landlord", "landlord", list(range(1, QUARTERS + 1)))]
    for partner, (code, kind, quarters) in enumerate(areas, start=1):
        rows.add("partner", "id, code, name, kind", partner, code, code.title(), kind)
        for q in quarters:
            rows.add("partner_quarter", "partner_id, quarter_id", partner, q)
        for role, username in _people(code, kind, partner):
            number = sum(map(len, region.staff.values())) + 1
            assert number == place_of(username), username
            region.staff.setdefault(role, []).append(username)
            rows.add(
                "staff", "id, username, name, language, active, partner_id, created_at",
                number, username, username.title(), "it", True, partner, at,
            )  # fmt: skip
            rows.add("staff_role", "staff_id, role", number, role)


def _people(code: str, kind: str, partner: int) -> Iterator[tuple[str, str]]:
    if kind == "cooperative":
        yield "supervisor", f"supervisor.{partner}"
        for n in range(1, WORKERS + 1):
            yield "case_worker", f"worker.{partner}.{n}"
        if partner == QUARTERS:  # the last numbers of the cooperatives' people
            yield from (("case_worker", FEW), ("case_worker", MANY))
    elif kind == "agency":
        yield from (("job_agency", f"{code}.{n}") for n in (1, 2, 3))
    elif kind == "association":
        yield from (("volunteers", f"{code}.{n}") for n in (1, 2))
    else:
        yield from (("landlord", "landlord.1"), ("lead", LEAD), ("admin", "admin"))


def _homes(rows: Rows, total: int, cipher: FieldCipher) -> None:
    """A tenancy and a household of two or three for each case."""
    rng = Random(2)
    surnames = ["".join(parts).title() for parts in product(SYLLABLES, SYLLABLES)]
    surnames += ["".join(parts).title() for parts in product(SYLLABLES, SYLLABLES, SYLLABLES)]
    given = ["".join(parts).title() + "a" for parts in product(SYLLABLES[:12], SYLLABLES[12:])]
    columns = "id, household_id, ordinal, surname, given_name, search_name, sex, birth_date, tax_code, tax_code_index,"
    columns += " relation, language"
    person = 0
    for n in range(1, total + 1):
        quarter = Lives.quarter_of(n)
        house = (quarter - 1) * HOUSES + n % HOUSES + 1
        rows.add("dwelling", "id, building_id, code, address, stair, unit", n, house, f"UI-{n}", f"Via {house}", "A", n)
        rows.add("household", "id, code", n, f"U{n}")
        rows.add(
            "tenancy", "id, code, dwelling_id, household_id, quarter_id, starts_on, rent_cents, service_cents",
            n, f"U{n}", n, n, quarter, "2015-01-01", 20_000 + n % 9000, 5000 + n % 900,
        )  # fmt: skip
        # A few names are borne by many, most by few.
        name = surnames[int(len(surnames) * rng.random() ** 3)]
        for ordinal in range(1, 3 + n % 2):
            person += 1
            first = given[rng.randrange(len(given))]
            born = date(1950, 1, 1) + timedelta(days=rng.randrange(18_000) if ordinal < 3 else 20_000)
            tax = f"{name[:3].upper()}{person:09d}X"
            rows.add(
                "person", columns, person, n, ordinal, name, first, search_name(name, first), "FM"[person % 2],
                born.isoformat(), cipher.encrypt(tax), cipher.blind_index(tax), "intestatario", "it",
            )  # fmt: skip
            if ordinal == 1:
                for channel, text in (("phone", f"+39000{n:07d}"), ("email", f"p{n}@example.org")):
                    if channel == "phone" or n % 3 == 0:
                        secret = (cipher.encrypt(text), cipher.blind_index(text))
                        rows.add("contact", "person_id, channel, value, value_index, preferred", person, channel,
                                 *secret, False)  # fmt: skip


def _ledger(raw: sqlite3.Connection, total: int, today: date) -> None:
    """Two years of movements on two accounts for the cases with a long past, with the balances that follow."""
    raw.execute("INSERT INTO creditor (id, name, ledger_on) VALUES (1, 'ALER', ?)", (today.isoformat(),))
    last = balances.month_of(today)
    first_of = [date(month // 12, month % 12 + 1, 1) for month in range(last - MONTHS + 1, last + 1)]
    accounts, movements, running = [], [], []
    for number, tenancy in enumerate(range(RICH, total + 1, RICH)):
        for item, cents in (("canone", 20_000 + tenancy % 9000), ("spese", 5000 + tenancy % 900)):
            account = 2 * number + (1 if item == "canone" else 2)
            accounts.append((account, tenancy, item))
            owed = 0
            for step, begin in enumerate(first_of):
                movements.append((account, f"c{account}.{step}", begin + timedelta(days=9), cents, False))
                owed += cents
                if step % 4 != account % 4:  # every fourth month is not paid
                    paid = begin + timedelta(days=14 + account % 10)
                    movements.append((account, f"p{account}.{step}", paid, -cents, True))
                    owed -= cents
                running.append((last - MONTHS + 1 + step, account, owed))
    raw.executemany("INSERT INTO account (id, tenancy_id, item, creditor_id) VALUES (?, ?, ?, 1)", accounts)
    raw.executemany(
        "INSERT INTO movement (account_id, creditor_id, external_id, booked_on, effective_on, cents, is_payment, cause)"
        " VALUES (?, 1, ?, ?, ?, ?, ?, 'X')",
        ((a, e, d.isoformat(), d.isoformat(), c, p) for a, e, d, c, p in movements),
    )
    raw.executemany(
        "INSERT INTO ledger_month (month) VALUES (?)", ((row,) for row in range(last - MONTHS + 1, last + 1))
    )
    raw.executemany("INSERT INTO running_balance (month, account_id, cents) VALUES (?, ?, ?)", sorted(running))
