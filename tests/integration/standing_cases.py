"""Two quarters, people of every role, and cases that stand where each kind of sight begins and ends."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import update

from ponte_workflow import clock
from ponte_workflow.services import community, directory, integrations, tasks, teaming
from ponte_workflow.services.casework import Occasion
from ponte_workflow.services.rights import actor_of
from ponte_workflow.services.throttling import Throttle
from ponte_workflow.store import cases, glass, history, network, outbox, vulnerability
from ponte_workflow.store.cases import CaseRow
from ponte_workflow.store.crypto import FieldCipher
from ponte_workflow.store.engine import Store, Transaction, open_engine
from ponte_workflow.store.schema.messages import outbox as outbox_rows
from tests.builders import Team
from tests.site import Site, make_site

TODAY = clock.today()
# One person for each role; the quarters are those where their partner works.
STAFF_OF = {
    "supervisor": "sara",  # Sanpolino
    "case_worker": "wanda",  # Sanpolino
    "job_agency": "gino",  # both
    "volunteers": "vera",  # Sanpolino
    "landlord": "leo",  # both
    "lead": "lidia",
    "admin": "ada",
}


def add_landlord(tx: Transaction) -> None:
    """Somebody at the landlord's: builders.STAFF has nobody there."""
    network.add_staff(
        tx,
        username="leo",
        name="Leo",
        partner_code="aler",
        roles=("landlord",),
        email="leo@example.org",
        language="it",
        at=clock.now(),
    )


def walk(
    team: Team, tx: Transaction, stage: str, worker: str, *, quarter: str = "sanpolino", on: date = TODAY
) -> CaseRow:
    """A new case, led by `worker` to a stage: detected, screening, to_contact, neighbours, met, planning or active."""
    supervisor = "rita" if quarter == "san_polo" else "sara"
    row = team.open_case(tx, on, quarter_code=quarter, email="home@example.org")
    road: list[tuple[str, str, dict[str, Any]]] = [
        ("screening", "assign", {"case_worker": worker}),
        ("to_contact", "confirm", {"cause": "dismissal", "objective": True, "transitory": True}),
    ]
    if stage == "neighbours":
        road += [
            ("", "record_attempt", {"channel": one, "outcome": "no_answer"}) for one in ("phone", "door", "letter")
        ]
        road += [("neighbours", "ask_neighbours", {})]
    road += [
        ("", "record_attempt", {"channel": "door", "outcome": "spoken"}),
        ("met", "meet", {}),
        ("planning", "consent", {"privacy_consent": True, "participation": True}),
        ("", "start_pip", {}),
        ("", "record_assessment", {}),
        ("", "record_esf_entry", {}),
        ("", "excuse_pip", {"reason_without_pip": "retired"}),
        ("active", "activate", {}),
    ]
    here = "detected"
    for reached, trigger, fields in road:
        if here == stage and trigger != "start_pip":  # in planning one adult has a PIP
            break
        if trigger in ("start_pip", "excuse_pip"):
            fields = {**fields, "person": adult_of(tx, row)}
        row = team.do(tx, supervisor if trigger == "assign" else worker, row.code, trigger, on, **fields)
        here = reached or here
    assert stage == here
    return row


def adult_of(tx: Transaction, row: CaseRow) -> int:
    """The first person of a case's household."""
    return min(cases.persons(tx, row.household_id))


def things_of(tx: Transaction, row: CaseRow) -> dict[str, str]:
    """What a path may name of a case: its code, a message of it that waits for a decision, an opening with a reason."""
    message = outbox.queue(
        tx,
        outbox.OutboxRow(
            rule="test",
            due_on=TODAY,
            recipient=f"person:{adult_of(tx, row)}",
            message="first_meeting_invitation",
            kind="inform",
            delivery="direct",
            case_id=row.id,
        ),
    )
    assert message is not None
    tx.connection.execute(update(outbox_rows).where(outbox_rows.c.id == message).values(status="held"))
    walter = network.member_by_username(tx, "walter").id
    at = clock.now()
    opening = glass.add(tx, staff_id=walter, case_id=row.id, reason="asked by the hospital", at=at, until_at=at)
    entry = history.of_case(tx, row.id)[-1].id
    flag = vulnerability.add(
        tx,
        household_id=row.household_id,
        person_id=None,
        kind="reading",
        detail=None,
        on=TODAY,
        until_on=None,
        staff_id=walter,
        history_id=entry,
    )
    person = str(adult_of(tx, row))
    found = {"code": row.code, "number": str(message), "opening_id": str(opening), "flag_id": str(flag)}
    return found | {"person": person, "action": "1"}


def token_for(site: Site, tx: Transaction, username: str) -> str:
    """What a program that acts for somebody shows, with every scope."""
    admin = Occasion(actor_of(tx, "ada", TODAY), TODAY, clock.now(), site.ponte.pathways)
    _row, token = integrations.create_token(
        tx,
        admin,
        name=f"program-of-{username}",
        username=username,
        scopes=integrations.SCOPES,
        expires_on=TODAY + timedelta(days=30),
    )
    return token


def add_surroundings(team: Team, tx: Transaction) -> None:
    """An event to come and a service, for the paths that name one."""
    who = team.occasion(tx, "vera", TODAY)
    starts = datetime.combine(TODAY + timedelta(days=7), time(18), UTC)
    place = ("sanpolino", "amici_elefanti", "Hall", starts, starts + timedelta(hours=2))
    community.plan_event(tx, who, community.Planned("dinner", "Dinner", *place))
    sara = team.occasion(tx, "sara", TODAY)
    directory.put(tx, sara, directory.Entry("A school", "training"))
    team_id = teaming.add(tx, sara, "elefanti_volanti", "Sanpolino north")
    teaming.put(tx, sara, team_id, "Sanpolino north", "sara", ("wanda",))
    tasks.add(tx, team.occasion(tx, "wanda", TODAY), "Call the school", TODAY + timedelta(days=3))


@contextmanager
def sqlite_site(template: Path, folder: Path, cipher: FieldCipher) -> Iterator[Site]:
    """A site over a SQLite file of its own, for the tests of a whole module."""
    path = folder / "ponte.sqlite3"
    shutil.copy(template, path)
    engine = open_engine(f"sqlite:///{path}")
    site = make_site(Store(engine, cipher), folder / "home")
    with site.ponte.store.transaction() as tx:
        add_landlord(tx)
        add_surroundings(site.team, tx)
    yield site
    site.close()
    engine.dispose()


class Keeper:
    """Puts a site's SQLite database back to where it was, so that no request can spoil the next one."""

    def __init__(self, site: Site) -> None:
        database = site.ponte.store.engine.url.database
        assert database is not None
        self._site = site
        self._live = sqlite3.connect(database)
        self._kept = sqlite3.connect(":memory:")
        self._live.backup(self._kept)
        self._seen = self._version()

    def changed(self) -> bool:
        """Whether anything was committed since the last look."""
        before, self._seen = self._seen, self._version()
        return before != self._seen

    def deeds(self) -> tuple[int, ...]:
        """How much has been done in all: entries, messages, facts, movements. Who called and looked is not counted."""
        tables = ("history", "outbox", "fact", "task", "clock", "movement", "import_file", "person")
        return tuple(self._live.execute(f"SELECT COUNT(*) FROM {name}").fetchone()[0] for name in tables)

    def put_back(self) -> None:
        """Everything as it was, throttles too."""
        self._kept.backup(self._live)
        self._site.app.state.throttle = Throttle()
        self._seen = self._version()

    def close(self) -> None:
        """Let go of both databases."""
        with closing(self._live), closing(self._kept):
            pass

    def _version(self) -> int:
        return int(self._live.execute("PRAGMA data_version").fetchone()[0])
