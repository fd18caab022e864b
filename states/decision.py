"""What `decide()` answers: the next configuration with its effects, or a refusal that says why in plain words."""

from dataclasses import dataclass
from datetime import date
from typing import Literal, NamedTuple

from states.document import Text
from states.snapshot import HOUSEHOLD, Value

Kind = Literal["remind", "escalate", "inform"]


class StartClock(NamedTuple):
    """A clock starts; `due_on` is its first alarm."""

    person_id: int
    name: str
    started_on: date
    due_on: date | None  # None: the case is paused, the clock begins to run when it goes on


class StopClock(NamedTuple):
    """A clock stops because its state was left."""

    person_id: int
    name: str


class MoveClock(NamedTuple):
    """A clock goes to its next alarm; `due_on` None: it has run out, or stands still."""

    person_id: int
    name: str
    position: int
    held: int
    due_on: date | None


class Notify(NamedTuple):
    """Somebody is told. `to`: a role, or "household", or "person".

    rule: what makes this notice unique for the case (with `due_on` and the recipient).
    at_once: a mail of its own; else it waits for the morning's digest.
    overtaken: earlier alarms of the same clock that fell due meanwhile and are told with this one.
    """

    kind: Kind
    to: str
    message: str
    rule: str
    due_on: date
    person_id: int = HOUSEHOLD
    at_once: bool = False
    overtaken: int = 0
    since: date | None = None  # since when the case stands there
    about: date | None = None  # the day of which it reminds: it leaves the day before, and never after


class OpenTask(NamedTuple):
    """A task for a role."""

    kind: str
    role: str
    person_id: int
    due_on: date | None


class CloseTask(NamedTuple):
    """A task of that kind is done."""

    kind: str
    person_id: int


class Withdraw(NamedTuple):
    """Messages that wait to leave are withdrawn: all, or demands only."""

    scope: Literal["all", "demands"]


class Record(NamedTuple):
    """A fact becomes known. Personal values never travel here: see `Decision.private`."""

    name: str
    value: Value
    person_id: int


class RecordAttempt(NamedTuple):
    """A contact attempt is written down."""

    on: date
    channel: str
    outcome: str


class Signal(NamedTuple):
    """A step of one machine was passed on to another; `taken` says whether it led to a step there."""

    trigger: str
    person_id: int
    taken: bool


class StartJourney(NamedTuple):
    """An adult's own machine begins."""

    person_id: int


class Perform(NamedTuple):
    """A service does what the pathway declares, with the event's fields: sign a plan, excuse instalments, mark a death."""

    what: str
    person_id: int


class Hold(NamedTuple):
    """The case is paused."""

    reason: str
    review_on: date


class Release(NamedTuple):
    """The pause ends after `days` calendar days."""

    days: int


Effect = (
    StartClock
    | StopClock
    | MoveClock
    | Notify
    | OpenTask
    | CloseTask
    | Withdraw
    | Record
    | RecordAttempt
    | Signal
    | StartJourney
    | Perform
    | Hold
    | Release
)


class Step(NamedTuple):
    """One transition taken. `needs`: the guards' truth as it was, for the replay."""

    person_id: int
    trigger: str
    source: tuple[str, ...]
    target: tuple[str, ...]
    needs: tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """What happens. `journeys` holds the persons whose state changes; `private` the fields that are personal."""

    configuration: tuple[str, ...]
    effects: tuple[Effect, ...]
    steps: tuple[Step, ...] = ()
    journeys: tuple[tuple[int, str], ...] = ()
    private: tuple[tuple[str, str, str], ...] = ()  # (field, value, personal | special)
    looked: Text | None = None  # a clock fired a trigger whose needs failed, and that is no news

    accepted: Literal[True] = True


class Failure(NamedTuple):
    """One thing that stands in the way: its name, what is needed, and which roles can see to it."""

    name: str
    sentence: Text
    fix_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Nothing happens, and why."""

    kind: Literal["unknown_trigger", "not_here", "not_yours", "fields", "needs", "paused", "not_paused", "pause_cap"]
    sentence: Text
    failures: tuple[Failure, ...] = ()

    accepted: Literal[False] = False
