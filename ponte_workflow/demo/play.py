"""The demo: sets up the neighbourhood and its partners, then plays day by day up to the eve of the last night."""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Any

from ponte_workflow.bootstrap import Ponte
from ponte_workflow.clock import ROME
from ponte_workflow.demo import community, desk, post, reached, veterans
from ponte_workflow.demo.life import AGENCY, TEAMS, Day
from ponte_workflow.demo.neighbourhood import Neighbourhood
from ponte_workflow.demo.rent import Steering
from ponte_workflow.services import night as nights
from ponte_workflow.services.casework import Occasion
from ponte_workflow.services.importing import import_paths
from ponte_workflow.services.rights import actor_of
from ponte_workflow.store import neighbours, network
from states.calendars import WorkingCalendar, add_months

LAST_DAYS = timedelta(days=14)
LEAD = "capofila.aler"
PARTNERS = (
    ("aler", "ALER Brescia-Cremona-Mantova", "landlord", ("sanpolino", "san_polo")),
    ("comune", "Comune di Brescia", "municipality", ("sanpolino", "san_polo")),
    ("elefanti_volanti", "Cooperativa Elefanti Volanti", "cooperative", ("sanpolino",)),
    ("la_rete", "Cooperativa La Rete", "cooperative", ("san_polo",)),
    ("sol_co", "Sol.Co Brescia", "agency", ("sanpolino", "san_polo")),
    ("amici_elefanti", "Amici degli Elefanti Volanti", "association", ("sanpolino",)),
    ("la_rete_dimora", "La Rete una dimora per l'emarginazione", "association", ("san_polo",)),
)
# Roles, not people: nobody is invented.
STAFF = (
    (LEAD, "Capofila del programma", "aler", ("lead",)),
    ("coordinatrice.ev", "Coordinatrice Elefanti Volanti", "elefanti_volanti", ("supervisor",)),
    ("operatrice.ev1", "Prima operatrice Elefanti Volanti", "elefanti_volanti", ("case_worker",)),
    ("operatore.ev2", "Secondo operatore Elefanti Volanti", "elefanti_volanti", ("case_worker",)),
    ("coordinatore.rete", "Coordinatore La Rete", "la_rete", ("supervisor",)),
    ("operatrice.rete1", "Prima operatrice La Rete", "la_rete", ("case_worker",)),
    ("operatore.rete2", "Secondo operatore La Rete", "la_rete", ("case_worker",)),
    (AGENCY, "Agenzia per il lavoro Sol.Co", "sol_co", ("job_agency",)),
    ("volontari.amici", "Volontari Amici degli Elefanti Volanti", "amici_elefanti", ("volunteers",)),
    ("volontari.dimora", "Volontari La Rete una dimora", "la_rete_dimora", ("volunteers",)),
    ("ufficio.aler", "Ufficio gestione ALER", "aler", ("landlord",)),
    ("amministrazione", "Amministrazione del sistema", "comune", ("admin",)),
)


@dataclass(frozen=True, slots=True)
class Saved:
    """What a second run needs to go on: how the neighbourhood was made, and how far it has come."""

    seed: int
    first_month: str
    last_day: str
    played_to: str
    steering: tuple[dict[str, Any], ...]


@dataclass
class Game:
    """The demo under way."""

    ponte: Ponte
    neighbourhood: Neighbourhood
    seed: int
    first_month: date
    last_day: date
    played_to: date
    today: date

    @property
    def folder(self) -> Path:
        """Where the landlord's files of the demo lie."""
        return self.ponte.settings.folder / "exports"

    def days(self) -> Iterator[date]:
        """The days still to play, each with its night, but for the last night."""
        day = self.played_to
        while day < self.today:
            day += timedelta(days=1)
            yield day

    def play_day(self, day: date, *, with_night: bool = True) -> dict[str, int]:
        """One day: the night before dawn, the mails of the morning, files twice a week, then people at work."""
        if day.weekday() in (0, 3):
            self._files(day)
        if with_night:
            nights.run_nights(self.ponte.night_plan("plain"), day, at=lambda: _moment(day, 3, 30))
        self.deliver(day)
        life = Day(self.ponte, self.neighbourhood, day, Random(f"{self.seed} {day}"), self.last_day - day < LAST_DAYS)
        if WorkingCalendar().is_working(day) and day < self.today:
            life.live()
            if day == self.last_day - timedelta(weeks=desk.WEEK_OF_HANDOVER, days=self.last_day.weekday()):
                with self.ponte.store.transaction() as tx:
                    who = Occasion(
                        actor_of(tx, TEAMS["sanpolino"][0], day), day, _moment(day, 18, 0), self.ponte.pathways
                    )
                    desk.hand_over(tx, who, day + timedelta(days=14))
            volunteers = {quarter: team[2] for quarter, team in TEAMS.items()}
            community.live(self.ponte, day, _moment(day, 19, 0), self.seed, volunteers)
            post.letters_of_the_day(self.ponte, day, [supervisor for supervisor, _workers, _others in TEAMS.values()])
            reached.ask_and_mend(self.ponte, _moment(day, 12, 0), self.seed)
        self.played_to = day
        self.save()
        return life.steps

    def deliver(self, day: date) -> None:
        """The messages of a morning, and what came back."""
        reached.deliver_morning(self.ponte, _moment(day, 9, 0), self.seed)

    def save(self) -> None:
        """How far the game has come."""
        saved = Saved(
            self.seed,
            self.first_month.isoformat(),
            self.last_day.isoformat(),
            self.played_to.isoformat(),
            tuple(asdict(change) for change in self.neighbourhood.steering),
        )
        path = self.ponte.settings.folder / "demo.json"
        path.write_text(json.dumps(asdict(saved), default=str), encoding="utf-8")

    def _files(self, day: date) -> None:
        # The landlord exports on Sunday and on Wednesday evening; a file has old and new movements together.
        paths = self.neighbourhood.write_increment(
            self.folder / f"{day:%Y-%m-%d}", day - timedelta(days=8), day - timedelta(days=1)
        )
        import_paths(self.ponte.store, paths, at=_moment(day, 1, 0), rejects=self.ponte.rejects, progress=None)


def states_without_anybody(ponte: Ponte) -> list[str]:
    """The leaf states of the pathway, of households and of persons, in which nobody stands."""
    pathway = ponte.pathways.current("sanpolino")
    leaves = [
        path for chart in (pathway.household, pathway.person) for path, one in chart.states.items() if one.is_leaf
    ]
    with ponte.store.reading() as tx:
        here = neighbours.standing_in(tx)
    return [leaf for leaf in leaves if not here[leaf]]


def begin(ponte: Ponte, *, seed: int, weeks: int, today: date, say: Callable[[str], None]) -> Game:
    """A new game, or the one that lies in PONTE_HOME."""
    path = ponte.settings.folder / "demo.json"
    if path.is_file():
        return _resume(ponte, json.loads(path.read_text(encoding="utf-8")), today)
    start = today - timedelta(weeks=weeks)
    start -= timedelta(days=start.weekday())  # a Monday: the first files have just come
    first_month = add_months(date(start.year, start.month, 1), -24)
    say("neighbourhood")
    neighbourhood = Neighbourhood.generate(seed, first_month, today)
    game = Game(ponte, neighbourhood, seed, first_month, today, start - timedelta(days=1), today)
    paths = neighbourhood.write_exports(game.folder / "start", start - timedelta(days=1))
    say("import")
    import_paths(ponte.store, paths, at=_moment(start, 1, 0), rejects=ponte.rejects, progress=None)
    with ponte.store.transaction() as tx:
        for code, name, kind, quarters in PARTNERS:
            network.add_partner(tx, code, name, kind, quarters)
        there = {member.username for member in network.members(tx).values()}  # a first run may have been interrupted
        for username, name, partner, roles in (row for row in STAFF if row[0] not in there):
            network.add_staff(
                tx,
                username=username,
                name=name,
                partner_code=partner,
                roles=roles,
                email=f"{username}@example.org",
                language="it",
                at=_moment(start, 1, 0),
            )
        if not there:
            who = Occasion(actor_of(tx, LEAD, start), start, _moment(start, 10, 0), ponte.pathways)
            community.put_directory(tx, who)
            desk.make_teams(tx, who)
    if not there:
        say("veterans")
        veterans.play(ponte, neighbourhood, start, TEAMS)
    game.save()
    return game


def _resume(ponte: Ponte, saved: dict[str, Any], today: date) -> Game:
    first_month, last_day = date.fromisoformat(saved["first_month"]), date.fromisoformat(saved["last_day"])
    neighbourhood = Neighbourhood.generate(saved["seed"], first_month, last_day)
    for change in saved["steering"]:
        neighbourhood.steer(_steering(change))
    played_to = date.fromisoformat(saved["played_to"])
    return Game(ponte, neighbourhood, saved["seed"], first_month, last_day, played_to, max(today, played_to))


def _steering(saved: dict[str, Any]) -> Steering:
    return Steering(
        saved["tenancy_code"],
        date.fromisoformat(saved["from_day"]),
        saved["pays"],
        saved["monthly_extra_cents"],
        tuple((date.fromisoformat(due), cents) for due, cents in saved["instalments"]),
    )


def _moment(day: date, hour: int, minute: int) -> datetime:
    return datetime.combine(day, time(hour, minute), tzinfo=ROME)


__all__ = ["STAFF", "TEAMS", "Game", "begin", "states_without_anybody"]
