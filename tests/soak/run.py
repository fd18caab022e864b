"""A run of the soak: day after day ledgers, night, mails and people at work, with the faults of its plan in between."""

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from hashlib import sha256
from pathlib import Path
from random import Random

from pydantic import SecretStr
from sqlalchemy import event, text

from flows.delivering import deliver_all
from ponte_workflow import clock
from ponte_workflow.bootstrap import Ponte, open_ponte, open_store
from ponte_workflow.clock import ROME
from ponte_workflow.config import Settings
from ponte_workflow.i18n import use_language
from ponte_workflow.services import auditing
from ponte_workflow.services import night as nights
from ponte_workflow.services.importing import import_paths
from ponte_workflow.store import migrate
from states.calendars import WorkingCalendar
from tests.soak import people
from tests.soak.journal import Journal
from tests.soak.mail import PATIENCE, MailServer
from tests.soak.people import Office
from tests.soak.plan import MONDAY, draw
from tests.soak.poison import Poisons
from tests.soak.town import Town
from tests.soak.troubles import Troubles

FIRST_DAY = date(2026, 9, 7)  # a Monday
LEDGER_MAX_AGE = 9  # days: ledgers come each Monday with what was booked up to Sunday
LIMIT = 500  # messages in a round
ROUNDS = (time(9, 0), time(9, 30), time(16, 30))


class SoakFailure(AssertionError):
    """A promise did not hold, or something broke that must not: with all that it takes to see it again."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a run is: everything else follows from it."""

    seed: int
    days: int = 365
    homes: int = 2000
    until: date | None = None  # stop after that day: the faults stay those of the whole run

    @property
    def command(self) -> str:
        """What plays it again."""
        until = f" --until {self.until}" if self.until else ""
        return f"python -m tests.soak --seed {self.seed} --days {self.days} --households {self.homes}{until}"


@dataclass
class Soak:
    """A run under way."""

    shape: Shape
    ponte: Ponte
    town: Town
    office: Office
    post: MailServer
    journal: Journal
    today: date = FIRST_DAY
    now: datetime = field(default_factory=lambda: moment(FIRST_DAY, time(0)))
    verified: int = 0
    recovered: list[str] = field(default_factory=list)  # faults after which the promises are still to be looked at
    statements: int = 0  # of the last whole night in this process

    def __post_init__(self) -> None:
        self.plan = draw(self.shape.seed, FIRST_DAY, self.shape.days)
        self.poisons = Poisons(self.ponte.store, self.journal)
        self.troubles = Troubles(self)
        self.ledger_to = FIRST_DAY - timedelta(days=1)

    @property
    def folder(self) -> Path:
        """PONTE_HOME of the run."""
        return self.ponte.settings.folder

    @property
    def last_day(self) -> date:
        """The day after which the run ends."""
        last = FIRST_DAY + timedelta(days=self.shape.days - 1)
        return min(last, self.shape.until or last)

    def play(self, progress: Callable[[date], None] = lambda _day: None) -> None:
        """The whole run. Raises SoakFailure."""
        with clock.told_by(lambda: self.now):
            try:
                while self.today <= self.last_day:
                    self._day(self.today)
                    progress(self.today)
                    self.today += timedelta(days=1)
                self.poisons.heal(self.last_day, everything=True)
                self.look()
            except SoakFailure:
                raise
            except Exception as error:
                raise SoakFailure(self._told(f"{type(error).__name__}: {error}")) from error

    def _day(self, on: date) -> None:
        for fault in self.plan.get(on, []):
            self.journal.write(on, "planned", fault=fault.kind, size=round(fault.size, 4))
            self.troubles.begin(fault)
        self.recovered += ["case_poisoned"] * len(self.poisons.heal(on))
        if on.weekday() == MONDAY and on > FIRST_DAY:
            self.now = moment(on, time(1))
            self.troubles.ledgers(on)
        self.now = moment(on, time(3, 30))
        self.troubles.night(on)
        for at in ROUNDS:
            self.now = moment(on, at)
            self.troubles.mails(on, first=at == ROUNDS[0])
            if at == ROUNDS[1] and WorkingCalendar().is_working(on):
                self.now = moment(on, time(11))
                self.office.day(on, self.poisons.codes)
        if on.day == 1 or self.recovered:
            self.look()

    def bring_ledgers(self, up_to: date, *, broken: Random | None = None, twice: bool = False) -> int:
        """What was booked since the last ledger; how many lines were refused."""
        folder = self.folder / "exports"
        paths = self.town.increment(folder, self.ledger_to, up_to, broken=broken)
        report = import_paths(self.ponte.store, paths, at=self.now, rejects=self.ponte.rejects)
        refused = sum(len(one.refusals) for one in report.files)
        self.expect(not refused or broken is not None, f"{refused} lines of a ledger were refused")
        if twice:
            once = self.rows("movement")
            import_paths(self.ponte.store, paths, at=self.now, rejects=self.ponte.rejects)
            self.expect(self.rows("movement") == once, "a file imported twice changes nothing")
        if broken is None:
            self.ledger_to = up_to
        return refused

    def run_night(self, on: date) -> str:
        """The nights up to `on` in this process; the certificate's hash."""
        count = 0

        def counted(*_given: object) -> None:
            nonlocal count
            count += 1

        engine = self.ponte.store.engine
        event.listen(engine, "before_cursor_execute", counted)
        try:
            certificate = nights.run_nights(self.ponte.night_plan("plain"), on, at=lambda: self.now)
        finally:
            event.remove(engine, "before_cursor_execute", counted)
        self.statements = count
        return str(certificate["hash"])

    def deliver(self, patience: float = PATIENCE) -> dict[str, int]:
        """A round of the outbox in this process; patience: seconds, with the mail server."""
        ponte = self.ponte
        if patience != PATIENCE:
            ponte = replace(ponte, settings=ponte.settings.model_copy(update={"smtp_timeout": patience}))
        counts, _down = deliver_all(ponte, self.now, LIMIT)
        return counts

    def look(self) -> None:
        """Look whether every promise holds; what is wrong with a case that is poisoned just now is no news."""
        with self.ponte.store.reading() as tx:
            report = auditing.verify(tx, self.ponte.pathways, promises=True)
        found = [one for one in report.found if not self.poisons.explain(one)]
        self.verified += 1
        after, self.recovered = self.recovered, []
        self.expect(not found, f"after {', '.join(after) or 'nothing'}: " + "; ".join(found[:10]))
        twice = [number for number, times in self.post.post.taken.items() if times > 1]
        aside = self.poisons.still_aside(self.today)
        self.expect(not aside, f"healed, and still set aside: {', '.join(aside)}")
        legal = "SELECT count(*) FROM outbox WHERE legal AND id IN ({})".format(",".join(map(str, twice)) or "0")
        self.expect(self.number(legal) == 0, "a legal notice left twice")

    def rows(self, table: str) -> int:
        """How many rows a table has."""
        return self.number(f"SELECT count(*) FROM {table}")

    def number(self, sql: str) -> int:
        """One number from the database."""
        with self.ponte.store.reading() as tx:
            return int(tx.connection.execute(text(sql)).scalar_one())

    def expect(self, holds: bool, what: str) -> None:
        """A claim of the soak. Raises SoakFailure."""
        if not holds:
            raise SoakFailure(self._told(what))

    def _told(self, what: str) -> str:
        shown = re.sub(r"\s+", " ", what)[:2000]
        return (
            f"{shown}\nseed {self.shape.seed}, day {self.today} ({(self.today - FIRST_DAY).days + 1} of "
            f"{self.shape.days})\nthe journal's end ({self.journal.path}):\n{self.journal.tail()}\n"
            f"to see it again: {self.shape.command.split(' --until')[0]} --until {self.today}"
        )


def moment(on: date, at: time) -> datetime:
    """A moment in Rome."""
    return datetime.combine(on, at, tzinfo=ROME)


def begin(shape: Shape, folder: Path, *, database_url: str | None = None) -> Soak:
    """An empty Ponte in an empty folder, its town imported, its people there."""
    use_language("en")
    folder.mkdir(parents=True, exist_ok=True)
    post = MailServer()
    key = base64.urlsafe_b64encode(sha256(f"soak {shape.seed}".encode()).digest()).decode()
    settings = Settings(
        home=folder,
        database_url=database_url,
        key=SecretStr(key),
        language="en",
        ledger_max_age_days=LEDGER_MAX_AGE,
        smtp_host="127.0.0.1",
        smtp_port=post.port,
        smtp_tls="none",
        smtp_timeout=PATIENCE,
        database_patience=0,  # a database that is away ends the night, which is begun again
        batch_size=20,  # small, so that a kill falls between two of them
    )
    store = open_store(settings)
    migrate.upgrade(store.engine)
    store.engine.dispose()
    ponte = open_ponte(settings)
    town = Town(shape.seed, shape.homes, FIRST_DAY)
    at = moment(FIRST_DAY, time(0))
    with clock.told_by(lambda: at):
        paths = town.whole_export(folder / "exports", FIRST_DAY - timedelta(days=1))
        import_paths(ponte.store, paths, at=at, rejects=ponte.rejects)
        people.move_in(ponte, at)
    journal = Journal(folder / "journal.jsonl")
    return Soak(shape, ponte, town, Office(ponte, town, shape.seed), post, journal)


def end(soak: Soak) -> None:
    """Let go of everything but the folder."""
    soak.post.close()
    soak.ponte.store.engine.dispose()
