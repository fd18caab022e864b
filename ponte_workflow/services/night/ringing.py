"""Step "clocks": every due clock rings once, a thousand in a transaction, the culprit of a failed batch found alone."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any, NamedTuple

from ponte_workflow.i18n import gettext as _
from ponte_workflow.i18n import language
from ponte_workflow.log import log
from ponte_workflow.services.casework import Standing, stand
from ponte_workflow.services.message_words import message_name
from ponte_workflow.services.night.context import Action, Night
from ponte_workflow.services.night.guarding import guarded, where
from ponte_workflow.services.night.ringing_whole import ring_whole, writing_of
from ponte_workflow.services.night.words import clock_name, day
from ponte_workflow.services.pathways import Pathways
from ponte_workflow.services.words import role_name, state_labels
from ponte_workflow.store import batches, casefile, cases, held, incidents, outbox
from ponte_workflow.store import history as chain
from ponte_workflow.store.batches import DueClock
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.failures import StoreFailed
from ponte_workflow.store.leases import LeaseLost
from ponte_workflow.store.network import Directory
from ponte_workflow.store.nights import StepCounts, count_step
from states.decide import decide
from states.decision import Decision, MoveClock, Notify, Refusal
from states.errors import IllegalConfiguration
from states.snapshot import CaseSnapshot, ClockDue, RunningClock

STEP = "clocks"


class _Ring(NamedTuple):
    """What a due clock comes to, for every case whose clock stands the same."""

    position: int
    next_due: date | None
    data: str
    notice: Notify
    since: str


Rings = dict[tuple[object, ...], _Ring | None]


class _Held:
    """The clocks that somebody holds back on this night: asked once, left alone, each told once."""

    def __init__(self, night: Night) -> None:
        self.night = night
        with night.unit() as tx:
            self.by = held.of_night(tx, night.on)
        self.told: set[str] = set()

    def fit(self, tx: Transaction, rows: list[DueClock]) -> list[DueClock]:
        """The clocks that may ring."""
        night = self.night
        if self.by:
            left = [row for row in rows if subject_of(row) in self.by]
            rows = [row for row in rows if subject_of(row) not in self.by]
            if night.report is not None:
                self._tell(tx, left)
        return [row for row in rows if row.case_id not in night.set_aside] if night.set_aside else rows

    def _tell(self, tx: Transaction, rows: list[DueClock]) -> None:
        for row in rows:
            subject = subject_of(row)
            if subject in self.told:  # every pass of the step meets it again
                continue
            self.told.add(subject)
            clock = clock_name(self.night.pathways.pinned(tx, row.pathway_version_id), row.name, row.person_id)
            what = _("{clock}, due on {day}").format(clock=clock, day=day(row.due_on))
            self.night.tell_held(STEP, row.code, what, self.by[subject], subject=subject)


def subject_of(clock: DueClock) -> str:
    """What is held back when somebody holds back what this clock does."""
    return f"clock:{clock.case_id}:{clock.person_id}:{clock.name}"


def ring(night: Night, shard: int) -> StepCounts:
    """Ring every clock that is due on the night's date, in order of due date. Counts are clocks."""
    total = StepCounts()
    rings: Rings = {}
    held_back = _Held(night)
    acted = True
    with _no_garbage():
        while acted:  # a clock whose next alarm is due as well comes up again in the next pass
            passed = _one_pass(night, shard, rings, held_back)
            total += passed
            acted = passed.acted_on > 0
    return total


@contextmanager
def _no_garbage() -> Iterator[None]:
    """Batches make many objects and no cycles: the collector would walk all of them again and again (a tenth of the step)."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _one_pass(night: Night, shard: int, rings: Rings, held_back: _Held) -> StepCounts:
    after, total = batches.BEFORE_ALL, StepCounts()
    while True:
        counts, after = _batch(night, shard, after, rings, held_back)
        if after is None:
            return total
        total += counts
        if night.progress is not None:
            night.progress(STEP, total)


def _batch(night: Night, shard: int, after: tuple[date, int], rings: Rings, held_back: _Held) -> tuple[StepCounts, Any]:
    """One transaction: read, decide, write. If it fails, the same rows one case at a time."""
    rows: list[DueClock] = []
    fit: list[DueClock] = []
    try:
        with night.unit() as tx:
            rows = batches.due_clocks(tx, night.on, after, night.batch_size, shard=shard, shards=night.shards)
            if not rows:
                return StepCounts(), None
            fit = held_back.fit(tx, rows)
            slow = _Batch(night, tx, night.directory(tx), rings).run(fit)
            slow = ring_whole(night, tx, slow)
            counts = StepCounts(len(fit) - len(slow), len(fit) - len(slow), 0)
            count_step(tx, night.id, STEP, shard, counts)
    except (StoreFailed, LeaseLost):
        raise  # no case is to blame: the shard is taken up again, here or elsewhere
    # Whatever else it was, its culprit is looked for below, where it is named.
    except Exception as error:
        if not rows:
            raise
        log.warning("a batch is done again case by case", cases=len(fit), why=where(error))
        slow, counts = fit, StepCounts()
        with night.unit() as tx:
            incidents.add(tx, night.id, STEP, shard, {"batches_redone": 1})
    for row in slow:
        alone = guarded(night, STEP, row.case_id, lambda tx, case_id, row=row: ring_alone(night, tx, row))  # type: ignore[misc]
        counts += alone
    return counts, (rows[-1].due_on, rows[-1].id)


class _Batch:
    """Decides the clocks of one batch and collects what is to be written."""

    def __init__(self, night: Night, tx: Transaction, book: Directory, rings: Rings) -> None:
        self.night, self.tx, self.book, self.rings = night, tx, book, rings
        self.at = chain.moment_text(night.at)
        self.today = night.on.isoformat()
        self.clocks: list[batches.ClockWrite] = []
        self.entries: list[batches.HistoryWrite] = []
        self.notices: list[batches.NoticeWrite] = []
        self.heads: dict[int, tuple[int, str, int, int]] = {}  # case id -> length, head, version now, version as read

    def run(self, rows: list[DueClock]) -> list[DueClock]:
        """Write what can be written in bulk; returns the clocks whose decision needs the whole case."""
        slow = [row for row in rows if not self._ring(row)]
        heads = [
            batches.CaseWrite(version, length, head, case_id, was)
            for case_id, (length, head, version, was) in self.heads.items()
        ]
        if heads:
            batches.write(
                self.tx,
                on=self.night.on,
                at=self.night.at,
                clocks=self.clocks,
                heads=heads,
                history=self.entries,
                notices=self.notices,
            )
        if recovered := [row.case_id for row in rows if row.set_aside and row.case_id in self.heads]:
            casefile.take_back(self.tx, recovered)
        return slow

    def _ring(self, row: DueClock) -> bool:
        """Collect what one clock comes to; False when it takes the whole case to say."""
        # A reminder depends on nothing but where the case stands and its clock: decide() is asked once for all that stand the same.
        key = (row.pathway_version_id, row.configuration, *row[2:8])
        try:
            ring = self.rings[key]
        except KeyError:
            ring = self.rings[key] = self._decide(row)
        if ring is None:
            return False
        case_id, notice = row.case_id, ring.notice
        known = self.heads.get(case_id)
        length, head, version, was = known or (row.history_length, row.history_head, row.version, row.version)
        seq = length + 1
        digest = chain.entry_hash(head, case_id, seq, "clock", self.today, self.at, None, ring.data, None)
        self.clocks.append(batches.ClockWrite(ring.position, ring.next_due, row.id))
        self.entries.append(batches.HistoryWrite(case_id, seq, ring.data, head, digest))
        self.heads[case_id] = (seq, digest, version + 1, was)
        holder = self.book.holder(
            notice.to, assigned_to=row.assigned_to, partner_id=row.partner_id, quarter_id=row.quarter_id
        )
        recipient = outbox.NOBODY if holder is None else f"staff:{holder}"
        self.notices.append(
            batches.NoticeWrite(case_id, notice.rule, notice.due_on, recipient, notice.kind, ring.since, seq)
        )
        if self.night.report is not None:
            self._tell(row, notice, recipient)
        return True

    def _decide(self, row: DueClock) -> _Ring | None:
        """None: the alarm may send something to a household or fire a trigger, or the case stands where nobody can."""
        pathway = self.night.pathways.pinned(self.tx, row.pathway_version_id)
        configuration = tuple(row.configuration.split())
        try:
            pathway.household.machine.check(configuration)
        except IllegalConfiguration:
            return None  # looked at alone, where it is set aside with its name
        alarm = pathway.alarms(row.name, row.person_id).at(row.position)
        if alarm is None or alarm.spec.do not in ("remind", "escalate"):
            return None
        event = ClockDue(RunningClock(row.person_id, row.name, row.started_on, row.position, row.held, row.due_on))
        decision = decide(pathway, CaseSnapshot(row.case_id, configuration), event, self.night.on)
        assert isinstance(decision, Decision)
        move, notice = decision.effects
        assert isinstance(move, MoveClock) and isinstance(notice, Notify)
        since = f'{{"since": "{row.started_on.isoformat()}"}}'
        return _Ring(move.position, move.due_on, clock_entry(notice, move), notice, since)

    def _tell(self, row: DueClock, notice: Notify, recipient: str) -> None:
        pathway = self.night.pathways.pinned(self.tx, row.pathway_version_id)
        say = pathway.say(notice.rule, row.person_id)
        why = _("{clock}, due on {day}, running since {since}").format(
            clock=clock_name(pathway, row.name, row.person_id), day=day(notice.due_on), since=day(row.started_on)
        )
        why += f" ({say.in_(language())})" if say else ""
        who = self.book.staff[int(recipient[6:])].username if recipient.startswith("staff:") else _("nobody yet")
        if notice.overtaken:
            told = _("{n} earlier reminders").format(n=notice.overtaken)
            self.night.tell(STEP, row.code, told, _("overtaken by this one"), done=False)
        what = _("escalate to {role} ({name})") if notice.kind == "escalate" else _("remind {role} ({name})")
        what = what.format(role=role_name(notice.to), name=who)
        self.night.tell(STEP, row.code, what, why, subject=subject_of(row))


def clock_entry(notice: Notify, move: MoveClock) -> str:
    """The canonical JSON of a clock entry, written by hand: its parts are names and dates, and json.dumps costs 4 us."""
    due = f'"{move.due_on.isoformat()}"' if move.due_on else "null"
    return (
        f'{{"clock":"{move.name}","due":"{notice.due_on.isoformat()}","kind":"{notice.kind}","next":{due},'
        f'"overtaken":{notice.overtaken},"person":{move.person_id},"position":{move.position},"rule":"{notice.rule}"}}'
    )


def ring_alone(night: Night, tx: Transaction, row: DueClock) -> bool:
    """One clock with its whole case: alarms that send to a household or fire a trigger, and the search for a culprit."""
    case = cases.by_id(tx, row.case_id)
    standing = stand(tx, night.who, case)
    clock = next((c for c in standing.snapshot.clocks if c.name == row.name and c.person_id == row.person_id), None)
    if clock is None or clock.due_on is None or clock.due_on > night.on:
        return False  # a person or an earlier alarm of this night was faster
    decision = decide(standing.pathway, standing.snapshot, ClockDue(clock), night.on)
    assert isinstance(decision, Decision), f"a clock is never refused: {decision}"
    _write(night, tx, standing, decision, clock)
    if night.report is not None:
        _tell_whole(night, tx, standing, decision, row, clock)
    return True


def _write(night: Night, tx: Transaction, standing: Standing, decision: Decision, clock: RunningClock) -> None:
    assert not isinstance(decision, Refusal)
    row, writing = standing.row, writing_of(night, decision, clock)
    casefile.write(
        tx,
        row,
        standing.snapshot,
        decision,
        writing,
        night.directory(tx),
        closed=standing.pathway.household.is_closed(decision.configuration),
        human=False,
        special_fields={},
        case_values={"set_aside_on": None, "set_aside_why": None},
    )


def _tell_whole(
    night: Night, tx: Transaction, standing: Standing, decision: Decision, row: DueClock, clock: RunningClock
) -> None:
    """What a rehearsal says of an alarm that was decided with its whole case."""
    subject, code, pathway = subject_of(row), standing.row.code, standing.pathway
    assert clock.due_on is not None
    running = clock_name(pathway, clock.name, clock.person_id)
    why = _("{clock}, due on {day}").format(clock=running, day=day(clock.due_on))
    for step in decision.steps:
        chart = pathway.person if step.person_id else pathway.household
        label = next(iter(chart.triggers[step.trigger].values())).label.in_(language())
        if step.person_id:
            there = ", ".join(chart.label(leaf).in_(language()) for leaf in step.target)
        else:
            there = "; ".join(state_labels(pathway, step.target))
        night.tell(STEP, code, f"{label} → {there}", why, subject=subject)
    if decision.looked is not None:
        what = _("{clock}: no step by itself").format(clock=running)
        night.tell(STEP, code, what, decision.looked.in_(language()), done=False)
    for effect in decision.effects:
        if isinstance(effect, Notify):
            what = {
                "escalate": _("escalate to {role}"),
                "remind": _("remind {role}"),
            }.get(effect.kind, _("write to {role}: {message}"))
            what = what.format(role=role_name(effect.to), message=message_name(effect.message))
            night.tell(STEP, code, what, why, subject=subject)
            if effect.to in ("household", "person"):
                _tell_cap(night, tx, standing, effect)


def _tell_cap(night: Night, tx: Transaction, standing: Standing, notice: Notify) -> None:
    """A rehearsal says when a message to the household is one too many this week: delivery lets it wait."""
    person_id = notice.person_id or cases.contact_person(tx, standing.row.household_id, night.on)
    cap = standing.pathway.document.messages.weekly_cap
    if person_id is None:
        return
    sent = outbox.household_send_moments(tx, person_id, night.at - timedelta(days=7), queued=True)
    if len(sent) > cap:
        why = _("over the cap of {cap} a week: it waits in the outbox").format(cap=cap)
        what = _("{message} does not leave yet").format(message=message_name(notice.message))
        night.tell(STEP, standing.row.code, what, why, done=False)


def standing_still(tx: Transaction, pathways: Pathways, on: date) -> list[Action]:
    """What a rehearsal says about paused cases: clocks that would have rung but stand still."""
    return [
        Action(
            on,
            STEP,
            code,
            _("{clock}: no reminder").format(clock=clock_name(pathways.pinned(tx, version_id), name, person_id)),
            _("the case is paused until its review on {day}").format(day=day(review_on)),
            done=False,
        )
        for code, name, person_id, version_id, review_on in batches.paused_clocks(tx)
    ]
