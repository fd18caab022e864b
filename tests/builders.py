"""Rows for tests: every argument has a default, so that a test names only what it is about."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import func, insert, select

from ponte_workflow.services import casework, pips
from ponte_workflow.services.casework import Occasion
from ponte_workflow.services.pathways import Pathways
from ponte_workflow.services.rights import SYSTEM, Actor, actor_of
from ponte_workflow.store import balances, network
from ponte_workflow.store.cases import CaseRow
from ponte_workflow.store.engine import Store, Transaction
from ponte_workflow.store.people import search_name
from ponte_workflow.store.schema.money import account, creditor, movement
from ponte_workflow.store.schema.neighbourhood import building, contact, dwelling, household, person, tenancy
from ponte_workflow.store.schema.network import quarter
from states.pip import PipDocument

MONDAY = date(2026, 11, 2)
NOON = datetime(2026, 11, 2, 11, 0, tzinfo=UTC)
_numbers = count(700_001)


def create_quarter(tx: Transaction, code: str = "sanpolino", name: str = "Sanpolino") -> int:
    """A quarter; the same one when it is there."""
    found = tx.connection.execute(select(quarter.c.id).where(quarter.c.code == code)).scalar()
    return int(found) if found else _insert(tx, quarter, code=code, name=name, pathway=code)


def create_tenancy(
    tx: Transaction,
    *,
    quarter_code: str = "sanpolino",
    code: str | None = None,
    rent: int = 20_000,
    service: int = 5_000,
    starts_on: date = date(2020, 1, 1),
) -> dict[str, int]:
    """A tenancy with dwelling, building and household: {tenancy_id, household_id, quarter_id}."""
    number = next(_numbers)
    quarter_id = create_quarter(
        tx, quarter_code, {"sanpolino": "Sanpolino", "san_polo": "San Polo"}.get(quarter_code, quarter_code)
    )
    building_id = _insert(tx, building, quarter_id=quarter_id, name=f"Casa {number}")
    dwelling_id = _insert(
        tx, dwelling, building_id=building_id, code=f"UI-{number}", address="Via 1", stair="A", unit="1"
    )
    household_id = _insert(tx, household, code=code or str(number))
    tenancy_id = _insert(
        tx,
        tenancy,
        code=code or str(number),
        dwelling_id=dwelling_id,
        household_id=household_id,
        quarter_id=quarter_id,
        starts_on=starts_on,
        rent_cents=rent,
        service_cents=service,
    )
    return {"tenancy_id": tenancy_id, "household_id": household_id, "quarter_id": quarter_id}


def create_person(
    tx: Transaction,
    household_id: int,
    *,
    ordinal: int = 1,
    born: date = date(1985, 5, 1),
    email: str | None = None,
    name: str = "Persona",
    language: str = "it",
) -> int:
    """A member of a household, with a mail address if one is given."""
    person_id = _insert(
        tx,
        person,
        household_id=household_id,
        ordinal=ordinal,
        surname="Prova",
        given_name=f"{name}{ordinal}",
        search_name=search_name("Prova", f"{name}{ordinal}"),
        sex="F",
        birth_date=born,
        relation="intestatario",
        language=language,
    )
    if email:
        _insert(
            tx,
            contact,
            person_id=person_id,
            channel="email",
            value=tx.cipher.encrypt(email),
            value_index=tx.cipher.blind_index(email),
        )
    return person_id


def create_ledger(
    tx: Transaction,
    tenancy_id: int,
    *,
    name: str = "ALER",
    on: date = MONDAY,
    cents: int = 60_000,
    due_on: date = date(2026, 10, 10),
) -> int:
    """An account that owes `cents` since `due_on`, of a creditor whose ledger reaches to `on`."""
    found = tx.connection.execute(select(creditor.c.id).where(creditor.c.name == name)).scalar()
    creditor_id = int(found) if found else _insert(tx, creditor, name=name, ledger_on=on)
    account_id = _insert(tx, account, tenancy_id=tenancy_id, item="canone", creditor_id=creditor_id)
    create_movement(tx, account_id, cents=cents, on=due_on)
    return account_id


def create_movement(tx: Transaction, account_id: int, *, cents: int, on: date) -> None:
    """A charge (cents > 0) or a payment (< 0), with the balances that follow from it."""
    creditor_id = tx.connection.execute(select(account.c.creditor_id).where(account.c.id == account_id)).scalar_one()
    before = tx.connection.execute(select(func.coalesce(func.max(movement.c.id), 0))).scalar_one()
    _insert(
        tx,
        movement,
        account_id=account_id,
        creditor_id=creditor_id,
        external_id=f"M{next(_numbers)}",
        booked_on=on,
        effective_on=on,
        cents=cents,
        is_payment=cents < 0,
        cause="TEST",
    )
    balances.open_months(tx, balances.month_of(on), balances.month_of(on))
    balances.add_movements_after(tx, before)


@dataclass
class Team:
    """The staff of the two quarters, by username."""

    store: Store
    pathways: Pathways = field(default_factory=lambda: Pathways(None))

    def occasion(self, tx: Transaction, username: str | None, on: date = MONDAY) -> Occasion:
        """Somebody at work on a day; None: the system."""
        actor: Actor = SYSTEM if username is None else actor_of(tx, username, on)
        return Occasion(actor, on, datetime(on.year, on.month, on.day, 11, tzinfo=UTC), self.pathways)

    def open_case(
        self, tx: Transaction, on: date = MONDAY, *, quarter_code: str = "sanpolino", adults: int = 1, **person_: Any
    ) -> CaseRow:
        """A case of a new tenancy, opened that day."""
        ids = create_tenancy(tx, quarter_code=quarter_code)
        for ordinal in range(1, adults + 1):
            create_person(tx, ids["household_id"], ordinal=ordinal, **person_)
        return casework.open_case(
            tx,
            self.occasion(tx, None, on),
            pathway=quarter_code,
            why={"class": "contained", "balance_cents": 60_000},
            **ids,
        )

    def do(
        self,
        tx: Transaction,
        username: str | None,
        code: str,
        trigger: str,
        on: date = MONDAY,
        *,
        person_id: int = 0,
        **fields: Any,
    ) -> CaseRow:
        """Somebody fires a trigger."""
        return casework.advance(tx, self.occasion(tx, username, on), code, trigger, fields, person_id=person_id)

    def write_pip(
        self, tx: Transaction, username: str, code: str, person_id: int, on: date = MONDAY, **part: Any
    ) -> None:
        """A PIP that can be proposed; `part`: of its document."""
        who = self.occasion(tx, username, on)
        pips.write(tx, who, code, person_id, PipDocument(**{**PIP, "review_on": on + timedelta(days=90), **part}))
        pips.plan_action(
            tx, who, code, person_id, kind="cv", what="Write the CV", doer="job_agency", due_on=on + timedelta(days=14)
        )

    def sign_pip(self, tx: Transaction, username: str, code: str, person_id: int, on: date = MONDAY) -> CaseRow:
        """From assessment to signed."""
        self.do(tx, username, code, "assessed", on, person_id=person_id)
        self.write_pip(tx, username, code, person_id, on)
        self.do(tx, username, code, "propose", on, person_id=person_id)
        return self.do(tx, username, code, "sign", on, person_id=person_id, **BOTH_SIGN)


PIP: dict[str, Any] = {
    "work_situation": "unemployed",
    "education": "3",
    "availability": "Mornings",
    "goals": ("A job near home",),
}
BOTH_SIGN = {"signed_by_person": True, "signed_by_operator": True}
STAFF = (
    ("lidia", "aler", ("lead",)),
    ("sara", "elefanti_volanti", ("supervisor",)),
    ("wanda", "elefanti_volanti", ("case_worker",)),
    ("walter", "elefanti_volanti", ("case_worker",)),
    ("rita", "la_rete", ("supervisor", "case_worker")),
    ("gino", "sol_co", ("job_agency",)),
    ("vera", "amici_elefanti", ("volunteers",)),
)


def create_team(store: Store) -> Team:
    """Two quarters, six partners, seven members of staff with mail addresses."""
    with store.transaction() as tx:
        create_quarter(tx)
        create_quarter(tx, "san_polo", "San Polo")
        both = ("sanpolino", "san_polo")
        network.add_partner(tx, "aler", "ALER", "landlord", both)
        network.add_partner(tx, "elefanti_volanti", "Elefanti Volanti", "cooperative", ("sanpolino",))
        network.add_partner(tx, "la_rete", "La Rete", "cooperative", ("san_polo",))
        network.add_partner(tx, "sol_co", "Sol.Co", "agency", both)
        network.add_partner(tx, "amici_elefanti", "Amici degli Elefanti Volanti", "association", ("sanpolino",))
        network.add_partner(tx, "la_rete_dimora", "La Rete una dimora", "association", ("san_polo",))
        for username, partner, roles in STAFF:
            network.add_staff(
                tx,
                username=username,
                name=username.title(),
                partner_code=partner,
                roles=roles,
                email=f"{username}@example.org",
                language="it",
                at=NOON,
            )
    return Team(store)


def _insert(tx: Transaction, table: Any, **values: Any) -> int:
    key = tx.connection.execute(insert(table).values(**values)).inserted_primary_key
    assert key is not None
    return int(key[0])
