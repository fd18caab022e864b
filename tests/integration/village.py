"""A village of households that owe, each with its ledger."""

from datetime import UTC, date, datetime
from itertools import count

from sqlalchemy import insert

from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.schema.casework import cases, history, pathway_version
from ponte_workflow.store.schema.money import account, creditor, movement
from ponte_workflow.store.schema.neighbourhood import building, dwelling, household, tenancy
from ponte_workflow.store.schema.network import quarter

SIGNED = date(2026, 3, 5)
RENT = 20_000


class Village:
    """Builds open cases with an account each, and books movements on them."""

    def __init__(self, tx: Transaction) -> None:
        self.tx = tx
        self.numbers = count(1)
        self.quarter = self._add(quarter, code="q", name="Sanpolino", pathway="p")
        self.building = self._add(building, quarter_id=self.quarter, name="Smeraldo")
        self.pathway = self._add(
            pathway_version,
            name="p",
            version=1,
            content_hash="h",
            document="{}",
            seen_at=datetime(2026, 1, 1, tzinfo=UTC),
        )
        self.creditor = self._add(creditor, name="ALER")
        self.accounts: dict[int, int] = {}

    def _add(self, table: object, **values: object) -> int:
        statement = insert(table).values(values).returning(table.c.id)  # type: ignore[arg-type, attr-defined]
        return int(self.tx.connection.execute(statement).scalar_one())

    def case(self, *, closed_on: date | None = None) -> int:
        n = next(self.numbers)
        home = self._add(dwelling, building_id=self.building, code=f"D{n}", address="-")
        people = self._add(household, code=f"H{n}")
        rented = self._add(
            tenancy,
            code=f"T{n}",
            dwelling_id=home,
            household_id=people,
            quarter_id=self.quarter,
            starts_on=date(2020, 1, 1),
            rent_cents=RENT,
            service_cents=0,
        )
        case_id = self._add(
            cases,
            code=f"P-{n}",
            tenancy_id=rented,
            household_id=people,
            quarter_id=self.quarter,
            pathway_version_id=self.pathway,
            configuration="detected",
            version=1,
            opened_on=SIGNED,
            closed_on=closed_on,
            last_event_on=SIGNED,
            history_length=0,
            history_head="",
        )
        self.accounts[case_id] = self._add(account, tenancy_id=rented, item="canone", creditor_id=self.creditor)
        return case_id

    def entry(self, case_id: int) -> int:
        at = datetime(2026, 1, 1, tzinfo=UTC)
        n = next(self.numbers)
        return self._add(
            history, case_id=case_id, seq=n, kind="step", on=SIGNED, at=at, data="{}", previous_hash="", hash=""
        )

    def book(self, case_id: int, cents: int, booked: date, due: date | None = None, iuv: str | None = None) -> None:
        self._add(
            movement,
            account_id=self.accounts[case_id],
            creditor_id=self.creditor,
            external_id=str(next(self.numbers)),
            booked_on=booked,
            effective_on=due or booked,
            cents=cents,
            is_payment=due is None,
            cause="-",
            iuv=iuv,
        )

    def charge(self, case_id: int, year: int, month: int) -> None:
        first = date(year, month, 1)
        self.book(case_id, RENT, first, first.replace(day=10), f"{case_id}/{year}/{month}")

    def pay_charge(self, case_id: int, year: int, month: int, day: int) -> None:
        self.book(case_id, -RENT, date(year, month, day), iuv=f"{case_id}/{year}/{month}")
