"""Cases as `decide()` sees them: every argument has a default, so that a test names only what it is about."""

from datetime import date

from states.decide import decide
from states.decision import Decision, Refusal, StartClock
from states.loader import load_all
from states.snapshot import Attempt, CaseSnapshot, ClockDue, RunningClock, Triggered, Value

PATHWAYS = load_all()
BASE = PATHWAYS["un_ponte_sul_blu"]
MONDAY = date(2026, 11, 2)
WORKER = frozenset({"case_worker"})
SUPERVISOR = frozenset({"supervisor"})
AGENCY = frozenset({"job_agency"})
SYSTEM = frozenset({"system"})
CALL = Attempt(MONDAY, "phone", "spoken")
TRACKS = ("active.community.invited", "active.payment.negotiating", "active.work.waiting")


def case(*configuration: str, **more: object) -> CaseSnapshot:
    """A case with one adult, number 7."""
    return CaseSnapshot(1, configuration or ("detected",), adults=frozenset({7}))._replace(**more)


def fire(
    snapshot: CaseSnapshot,
    trigger: str,
    roles: frozenset[str] = WORKER,
    subject: int = 0,
    on: date = MONDAY,
    **fields: Value,
) -> Decision | Refusal:
    """Fire a trigger of the base pathway."""
    return decide(BASE, snapshot, Triggered(trigger, roles, fields, subject), on)


def taken(
    snapshot: CaseSnapshot,
    trigger: str,
    roles: frozenset[str] = WORKER,
    subject: int = 0,
    on: date = MONDAY,
    **fields: Value,
) -> Decision:
    """The same, expected to be accepted."""
    answer = fire(snapshot, trigger, roles, subject, on, **fields)
    assert isinstance(answer, Decision), answer
    return answer


def active(
    work: str = "waiting", payment: str = "negotiating", community: str = "invited", **more: object
) -> CaseSnapshot:
    return case(f"active.community.{community}", f"active.payment.{payment}", f"active.work.{work}", **more)


def ring(clock: RunningClock, snapshot: CaseSnapshot, on: date, pathway: str = "un_ponte_sul_blu") -> Decision:
    """A clock rings on that day."""
    answer = decide(PATHWAYS[pathway], snapshot, ClockDue(clock), on)
    assert isinstance(answer, Decision)
    return answer


def clocks(decision: Decision) -> tuple[RunningClock, ...]:
    """The clocks that a decision starts, as they then run."""
    return tuple(
        RunningClock(e.person_id, e.name, e.started_on, 0, 0, e.due_on)
        for e in decision.effects
        if isinstance(e, StartClock)
    )
