"""The lives of the region's cases: how each came to where it stands, with history, stays, clocks, notices and plans."""

from collections.abc import Sequence
from datetime import date, timedelta
from random import Random
from typing import Any, Protocol

from ponte_workflow.store.crypto import FieldCipher
from ponte_workflow.store.history import FIRST, canonical, entry_hash
from states.machine import ancestors
from states.pathway import PAUSE_CLOCK, Pathway

QUARTERS, WORKERS = 40, 6
FEW, MANY, LEAD = "worker.few", "worker.many", "lead"
FEW_CASES, MANY_CASES = 5, 50
PEOPLE = 1 + WORKERS  # of a cooperative
FIRST_AGENT = QUARTERS * PEOPLE + 2  # staff ids after the cooperatives' and the two of the table above
HUMAN, RING = 0, 1

# Until the household is active: what leads on, and about how many days people stay before.
ROAD = (
    ("opened", ("detected",), 4),
    ("assign", ("screening",), 9),
    ("confirm", ("engagement.to_contact",), 14),
    ("meet", ("engagement.met",), 12),
    ("consent", ("planning",), 35),
)
STEPS = {
    "work": (("adult_searching", "searching"), ("adult_placed", "placed"), ("placement_kept", "stable")),
    "payment": (("agree_plan", "paying"), ("instalment_late", "struggling"), ("back_on_track", "paying"),
                ("settle", "settled")),
    "community": (("participate", "taking_part"), ("root", "rooted")),
}  # fmt: skip
BEGIN = {"work": "waiting", "payment": "negotiating", "community": "invited"}
# Where the open cases stand: (how far on the road; 5: active, 6: follow-up), of a hundred.
STAGES = ((0, 2), (1, 9), (2, 15), (3, 7), (4, 15), (5, 40), (6, 12))
CLOSED = ("closed.autonomous", "closed.declined", "closed.dropped_out", "closed.not_eligible")


class Writer(Protocol):
    """Where rows go."""

    def add(self, table: str, columns: str, *values: Any) -> None:
        """One row."""


def place_of(username: str) -> int:
    """The staff id of somebody of the region."""
    if username in (FEW, MANY):
        return QUARTERS * PEOPLE + (1 if username == FEW else 2)
    kind, _dot, number = username.partition(".")
    if kind == "supervisor":
        return (int(number) - 1) * PEOPLE + 1
    if kind == "worker":
        partner, _dot, n = number.partition(".")
        return (int(partner) - 1) * PEOPLE + 1 + int(n)
    if kind.startswith("agency"):
        return FIRST_AGENT + int(kind.removeprefix("agency")) * 3 + int(number)
    if kind.startswith("friends"):
        return FIRST_AGENT + 24 + (int(kind.removeprefix("friends")) - 1) * 2 + int(number)
    return FIRST_AGENT + 24 + 2 * QUARTERS + {"landlord": 1, LEAD: 2, "admin": 3}[kind]


class Lives:
    """Cases one after the other; the same ones each time, but for the day."""

    def __init__(
        self,
        rows: Writer,
        pathways: Sequence[Pathway],
        versions: Sequence[int],
        today: date,
        cipher: FieldCipher,
    ) -> None:
        self._rows, self._pathways, self._versions, self._today = rows, pathways, versions, today
        self._rng = Random(1)
        self._seal = cipher.encrypt
        self._token = cipher.encrypt("x" * 100)  # what stands in a mail is not measured
        self._rings: dict[tuple[int, str, date], tuple[int, date | None, list[tuple[str, date, str, str]]]] = {}
        self._paths: dict[tuple[str, ...], frozenset[str]] = {}
        self._history = self._outbox = self._plan = 0

    @staticmethod
    def quarter_of(number: int) -> int:
        """In which quarter a case is."""
        return 1 if number <= FEW_CASES + MANY_CASES else number % QUARTERS + 1

    def live(self, number: int, *, is_open: bool, rich: bool) -> None:
        """One case with everything that hangs on it."""
        rng, today = self._rng, self._today
        quarter = self.quarter_of(number)
        variant = (quarter - 1) % 2
        pathway = self._pathways[variant]
        partner: int | None = quarter if rng.random() < 0.5 else (quarter - 2) % QUARTERS + 1
        worker: int | None
        if number <= FEW_CASES + MANY_CASES:
            partner, worker, stage = QUARTERS, place_of(FEW if number <= FEW_CASES else MANY), 1 + number % 4
        else:
            n = int(rng.triangular(1, WORKERS + 1, 4))
            worker = place_of(f"worker.{partner}.{min(n, WORKERS)}")
            stage = rng.choices([s for s, _w in STAGES], [w for _s, w in STAGES])[0]
        if rich and stage == 0:
            stage = 5
        if stage == 0 and is_open:
            partner = worker = None
        walk = self._walk(stage, closed=not is_open)
        events, current = self._events(walk, rich=rich, is_open=is_open)
        opened_on, last_event = events[0][0], max(on for on, _o, kind, _d in events if kind != "clock")
        entered, clocks = self._stays(number, quarter, partner, walk), []
        paused = is_open and rng.random() < 0.02 and last_event < today
        if is_open:
            clocks = self._clocks(pathway, variant, current, entered, events, paused=paused)
        events.sort(key=lambda event: (event[0], event[1]))
        closed_on = None if is_open else walk[-1][0].isoformat()
        stalled = is_open and not paused and (today - last_event).days > 45
        supervisor = place_of(f"supervisor.{partner or quarter}")
        head = self._write_history(number, events, worker, partner, paused=paused)
        self._rows.add(
            "cases", "id, code, tenancy_id, household_id, quarter_id, pathway_version_id, configuration, version,"
            " opened_on, closed_on, partner_id, assigned_to, paused, last_event_on, stalled_on, stall_told_to,"
            " history_length, history_head",
            number, f"P-{number:06d}", number, number, quarter, self._versions[variant], " ".join(current),
            len(events), opened_on.isoformat(), closed_on, partner, worker, paused, last_event.isoformat(),
            (last_event + timedelta(days=30)).isoformat() if stalled else None, supervisor if stalled else None,
            len(events), head,
        )  # fmt: skip
        self._put_clocks(number, clocks)
        self._notices(number, events, worker, supervisor, quarter)
        self._around(number, current, walk, worker, paused=paused, is_open=is_open)

    def _walk(self, stage: int, *, closed: bool) -> list[tuple[date, str, tuple[str, ...]]]:
        """(day, trigger, configuration after it), the oldest first; the days are counted back from today."""
        rng = self._rng
        steps: list[tuple[str, tuple[str, ...], int]] = list(ROAD[: min(stage, 4) + 1])
        if stage >= 5:
            here = dict(BEGIN)
            steps.append(("activate", _active(here), 40))
            tracks = [track for track in STEPS for _n in STEPS[track]]
            rng.shuffle(tracks)
            done = dict.fromkeys(STEPS, 0)
            for track in tracks[: len(tracks) if stage == 6 else rng.randrange(len(tracks))]:
                trigger, here[track] = STEPS[track][done[track]]
                done[track] += 1
                steps.append((trigger, _active(here), 40))
        if stage == 6:
            steps.append(("begin_follow_up", ("follow_up",), 150))
        if closed:
            steps.append(("drop_out", (rng.choice(CLOSED),), 200))
        on = self._today
        found = []
        for trigger, configuration, typical in reversed(steps):
            on -= timedelta(days=int(typical * rng.uniform(0.1, 1.6)) + 1)
            found.append((on, trigger, configuration))
        return found[::-1]

    def _events(
        self, walk: list[tuple[date, str, tuple[str, ...]]], *, rich: bool, is_open: bool
    ) -> tuple[list[tuple[date, int, str, dict[str, Any]]], tuple[str, ...]]:
        """(day, order of the day, kind, data) of what people did."""
        rng = self._rng
        events: list[tuple[date, int, str, dict[str, Any]]] = []
        before: tuple[str, ...] = ()
        for on, trigger, configuration in walk:
            if trigger == "opened":
                data: dict[str, Any] = {"class": "contained", "balance_cents": 60_000, "to": list(configuration)}
            else:
                data = {"trigger": trigger, "from": list(before), "to": list(configuration)}
                data["steps"] = [[0, trigger, list(before), list(configuration)]]
            events.append((on, HUMAN, "opened" if trigger == "opened" else "step", data))
            before = configuration
        last, now = walk[-1][0], walk[-1][2]
        touches = 12 - len(events) if rich else int(rng.random() < 0.7)
        days = max((self._today - last).days - 1, 0)
        for _n in range(max(touches, int(rich)) if is_open else 0):
            on = last + timedelta(days=max(0, days - int(rng.expovariate(1 / (40 if rich else 6)))))
            same = list(now)
            events.append((on, HUMAN, "recorded", {"trigger": "record_attempt", "from": same, "to": same}))
        return events, now

    def _stays(
        self, number: int, quarter: int, partner: int | None, walk: list[tuple[date, str, tuple[str, ...]]]
    ) -> dict[str, date]:
        """State -> since when; what was left on the way goes to the table, as the night projects it."""
        columns = "case_id, quarter_id, partner_id, state, entered_on, entered_seq, left_on, left_seq"
        here: dict[str, tuple[date, int]] = {}
        for seq, (on, _trigger, configuration) in enumerate(walk, start=1):
            paths = self._around_all(configuration)
            for path in [path for path in here if path not in paths]:
                since, first = here.pop(path)
                self._rows.add("stay", columns, number, quarter, partner, path, since.isoformat(), first,
                               on.isoformat(), seq)  # fmt: skip
            for path in paths:
                here.setdefault(path, (on, seq))
        for path, (since, first) in here.items():
            self._rows.add("stay", columns, number, quarter, partner, path, since.isoformat(), first, None, None)
        return {path: since for path, (since, _seq) in here.items()}

    def _clocks(
        self,
        pathway: Pathway,
        variant: int,
        current: tuple[str, ...],
        entered: dict[str, date],
        events: list[tuple[date, int, str, dict[str, Any]]],
        *,
        paused: bool,
    ) -> list[tuple[str, date, int, date | None]]:
        """(name, started on, position, due on); each ring so far becomes an entry of the history."""
        found: list[tuple[str, date, int, date | None]] = []
        for path in sorted(self._around_all(current)):
            for name in pathway.clock_names(path, person=False):
                position, due, rung = self._rung(pathway, variant, name, entered[path])
                found.append((name, entered[path], position, None if paused else due))
                for rule, on, kind, to in rung:
                    data = {"clock": name, "rule": rule, "kind": kind, "due": on.isoformat(), "role": to,
                            "from": list(current), "to": list(current)}  # fmt: skip
                    events.append((on, RING, "clock", data))
        if paused:
            review = self._today + timedelta(days=self._rng.randrange(2, 40))
            found.append((PAUSE_CLOCK, self._today - timedelta(days=3), 0, review))
        return found

    def _rung(
        self, pathway: Pathway, variant: int, name: str, started: date
    ) -> tuple[int, date | None, list[tuple[str, date, str, str]]]:
        """(next position, when it is due, rings so far as (rule, day, kind, role)) of a clock begun that day."""
        key = (variant, name, started)
        if key not in self._rings:
            position = 0
            rung: list[tuple[str, date, str, str]] = []
            while (due := pathway.due(name, 0, position, started)) is not None and due <= self._today:
                alarm = pathway.alarms(name, 0).at(position)
                assert alarm is not None
                kind = "escalate" if alarm.spec.do == "fire" else alarm.spec.do
                role: str = alarm.spec.to or next(
                    iter(pathway.household.waits_on((name.partition("/")[0],))), "case_worker"
                )
                if kind in ("remind", "escalate") and alarm.spec.trigger != "relapse":
                    rung.append((f"{name}/{alarm.name}", due, kind, role))
                position += 1
            self._rings[key] = position, due, rung
        return self._rings[key]

    def _write_history(
        self,
        number: int,
        events: list[tuple[date, int, str, dict[str, Any]]],
        worker: int | None,
        partner: int | None,
        *,
        paused: bool,
    ) -> str:
        head = FIRST
        columns = 'id, case_id, seq, kind, "on", at, actor_id, data, previous_hash, hash'
        for seq, (on, _order, kind, data) in enumerate(events, start=1):
            self._history += 1
            if kind in ("step", "recorded"):
                before = {
                    "configuration": data["from"], "closed_on": None, "paused": paused, "assigned_to": worker,
                    "partner_id": partner, "clocks": [[0, "screening/screening", on.isoformat(), 0, 0, None]],
                    "journeys": [], "open_tasks": [], "pause": None,
                }  # fmt: skip
                data = data | {"before": before}
            if kind == "recorded":
                self._rows.add(
                    "contact_attempt", 'case_id, "on", channel, outcome, by, history_id, retracted',
                    number, on.isoformat(), ("phone", "door", "email")[seq % 3], "no_answer", worker, self._history,
                    False,
                )  # fmt: skip
            text = canonical(data)
            hour = "02:30" if kind == "clock" else "09:00"
            actor = None if kind in ("clock", "opened") else worker
            at = f"{on.isoformat()}T{hour}:00.000000+00:00"
            digest = entry_hash(head, number, seq, kind, on.isoformat(), at, actor, text, None)
            self._rows.add("history", columns, self._history, number, seq, kind, on.isoformat(),
                           f"{on.isoformat()} {hour}:00.000000", actor, text, head, digest)  # fmt: skip
            head = digest
        return head

    def _put_clocks(self, number: int, clocks: list[tuple[str, date, int, date | None]]) -> None:
        for name, started, position, due in clocks:
            self._rows.add("clock", "case_id, person_id, name, started_on, position, held, due_on", number, 0, name,
                           started.isoformat(), position, 0, due and due.isoformat())  # fmt: skip

    def _notices(
        self,
        number: int,
        events: list[tuple[date, int, str, dict[str, Any]]],
        worker: int | None,
        supervisor: int,
        quarter: int,
    ) -> None:
        """A notice for each ring, gathered into the morning's digest; a mail to the household now and then."""
        told = {
            "supervisor": supervisor,
            "lead": place_of(LEAD),
            "job_agency": place_of(f"agency{(quarter - 1) // 5}.1"),
            "volunteers": place_of(f"friends{quarter}.1"),
        }
        for seq, (on, _order, kind, data) in enumerate(events, start=1):
            if kind == "clock":
                recipient = f"staff:{told.get(data['role'], worker or supervisor)}"
                self._send(number, data["rule"], on, recipient, "digest", data["kind"], "digest", "gathered", seq)
            elif kind == "step" and data["trigger"] in ("confirm", "agree_plan"):
                status = "sent" if self._rng.random() < 0.998 else self._rng.choice(("held", "failed"))
                person = f"person:{2 * number - 1 + number // 2}"  # the first of the household
                self._send(number, data["trigger"], on, person, "plan_signed", "inform", "direct", status, seq)

    def _send(
        self, case: int | None, rule: str, on: date, to: str, message: str, kind: str, delivery: str, status: str,
        seq: int | None,
    ) -> None:  # fmt: skip
        self._outbox += 1
        at = f"{on.isoformat()} 06:00:00.000000" if status == "sent" else None
        self._rows.add(
            "outbox", "id, case_id, rule, due_on, recipient, message, kind, delivery, legal, data, status, attempts,"
            " sent_at, why, history_seq",
            self._outbox, case, rule, on.isoformat(), to, message, kind, delivery, False, "{}", status, 1, at,
            None if status in ("sent", "gathered") else "the server did not answer", seq,
        )  # fmt: skip
        if status == "sent":
            self._rows.add(
                "evidence", "outbox_id, channel, address, subject, body, message_id, accepted_at, reply",
                self._outbox, "file", self._token, self._token, self._token, f"<{self._outbox}@x>", at, "250",
            )  # fmt: skip

    def digests(self, days: int) -> None:
        """The mails of the mornings past: one for each worker."""
        for back in range(1, days + 1):
            on = self._today - timedelta(days=back)
            for staff in range(1, QUARTERS * PEOPLE + 1):
                self._send(None, "digest", on, f"staff:{staff}", "digest", "inform", "direct", "sent", None)

    def _around(
        self,
        number: int,
        current: tuple[str, ...],
        walk: list[tuple[date, str, tuple[str, ...]]],
        worker: int | None,
        *,
        paused: bool,
        is_open: bool,
    ) -> None:
        """Facts, consents, plans, tasks, pauses and snoozes."""
        rng, rows, first = self._rng, self._rows, self._history
        for on, trigger, _configuration in walk:
            if trigger == "confirm":
                for name in ("objective", "transitory"):
                    rows.add("fact", 'case_id, name, value, "on", history_id, retracted', number, name, "true",
                             on.isoformat(), first, False)  # fmt: skip
            elif trigger == "consent":
                for name in ("privacy", "participation"):
                    rows.add("consent", "household_id, kind, given_on, recorded_by, history_id", number, name,
                             on.isoformat(), worker, first)  # fmt: skip
            elif trigger == "agree_plan":
                self._pay(number, on)
        if worker is None or not is_open:
            return
        if rng.random() < 0.15:
            rows.add("task", "case_id, person_id, kind, role, opened_on, due_on, history_id", number, 0,
                     rng.choice(("decide_closing", "referral_answer")), rng.choice(("case_worker", "supervisor")),
                     (self._today - timedelta(days=rng.randrange(20))).isoformat(), None, first)  # fmt: skip
        if paused:
            rows.add("pause", "case_id, reason, owner_id, from_on, review_on", number, "hospital", worker,
                     (self._today - timedelta(days=3)).isoformat(),
                     (self._today + timedelta(days=20)).isoformat())  # fmt: skip
        if rng.random() < 0.01:
            rows.add("snooze", "staff_id, case_id, until_on, at", worker, number,
                     (self._today + timedelta(days=rng.randrange(1, 9))).isoformat(),
                     f"{self._today} 08:00:00.000000")  # fmt: skip

    def _pay(self, number: int, on: date) -> None:
        self._plan += 1
        self._rows.add("payment_plan", "id, case_id, version, signed_on, total_cents, status", self._plan, number, 1,
                       on.isoformat(), 60_000, "active")  # fmt: skip
        for n in range(1, 13):
            due = on + timedelta(days=30 * n)
            paid = due < self._today
            self._rows.add("instalment", "plan_id, number, due_on, cents, paid_cents, status, paid_on", self._plan, n,
                           due.isoformat(), 5000, 5000 if paid else 0, "paid" if paid else "due",
                           due.isoformat() if paid else None)  # fmt: skip

    def _around_all(self, configuration: tuple[str, ...]) -> frozenset[str]:
        if configuration not in self._paths:
            self._paths[configuration] = frozenset(path for leaf in configuration for path in ancestors(leaf))
        return self._paths[configuration]


def _active(here: dict[str, str]) -> tuple[str, ...]:
    return tuple(sorted(f"active.{track}.{state}" for track, state in here.items()))
