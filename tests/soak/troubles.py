"""The faults of the soak, each done for real, and what has to be true once it is over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import TYPE_CHECKING

from tests.soak.mail import PATIENCE, SHORT, MailServer
from tests.soak.plan import LEDGERS, MAIL, NIGHT, STALE_WEEKS, Fault, gap_of
from tests.soak.process import Child, Harm, Told, import_ledgers, run_delivery, run_night

if TYPE_CHECKING:
    from tests.soak.run import Soak

STOPS = {"machine_stops_before_sending": "before", "machine_stops_after_sending": "after"}
MOST_TIMES = 6  # so often a fault comes again when it met nothing
LIMIT = 500


@dataclass
class _Waiting:
    fault: Fault
    times: int = 0  # how often it has come and met nothing


class Troubles:
    """What is wrong just now."""

    def __init__(self, soak: Soak) -> None:
        self.soak = soak
        self.nights: list[_Waiting] = []  # those that met nothing to spoil come again, the next night or morning
        self.mornings: list[_Waiting] = []
        self.ledger: Fault | None = None
        self.no_ledgers_until: date | None = None
        self.no_nights_until: date | None = None

    def begin(self, fault: Fault) -> None:
        """A fault of the plan comes today."""
        soak = self.soak
        if fault.kind in NIGHT:
            self.nights.append(_Waiting(fault))
        elif fault.kind in MAIL:
            self.mornings.append(_Waiting(fault))
        elif fault.kind in LEDGERS:
            self.ledger = fault
        elif fault.kind == "case_poisoned":
            soak.poisons.put(fault, soak.today)
        else:
            days = 1 + int(fault.size * 15)
            ill = soak.office.absence(soak.today, days, Random(f"{soak.shape.seed}/{soak.today}/ill"))
            soak.journal.fault(soak.today, fault.kind, who=ill, days=days)

    # --- ledgers ------------------------------------------------------------------------------------------------

    def ledgers(self, on: date) -> None:
        """The ledgers of a Monday, unless they do not come."""
        soak, fault, up_to = self.soak, self.ledger, on - timedelta(days=1)
        self.ledger = None
        if fault is not None and fault.kind == "ledger_stale":
            self.no_ledgers_until = on + timedelta(days=7 * STALE_WEEKS)
        if self.no_ledgers_until is not None:
            if on < self.no_ledgers_until:
                return
            # They are here again: what the nights did meanwhile is in their steps.
            skipped = "SELECT count(*) FROM night_step WHERE note = 'stale ledgers'"
            self._over("ledger_stale", met=soak.number(skipped) > 0)
            self.no_ledgers_until = None
        kind = fault.kind if fault is not None else ""
        if kind == "import_killed":
            assert fault is not None
            paths = [str(path) for path in soak.town.increment(soak.folder / "exports", soak.ledger_to, up_to)]
            told = self._run(import_ledgers, paths, soak.now, Harm("kill", 1 + int(fault.size * 15)))
            soak.expect(told.how in ("killed", "done"), f"an import ended with {told}")
            self._over(kind, met=told.how == "killed")
        elif kind == "ledger_broken_lines":
            refused = soak.bring_ledgers(up_to, broken=Random(f"{soak.shape.seed}/{on}/broken"))
            self._over(kind, met=refused > 0, refused=refused)
        soak.bring_ledgers(up_to, twice=kind == "ledger_twice")
        if kind == "ledger_twice":
            self._over(kind)

    # --- nights -------------------------------------------------------------------------------------------------

    def night(self, on: date) -> None:
        """Tonight's night, however it goes."""
        soak = self.soak
        if self.no_nights_until is not None:
            if on < self.no_nights_until:
                return
            self.no_nights_until = None
            soak.run_night(on)
            self._over("nights_missed")
            return
        if not self.nights:
            soak.run_night(on)
            return
        waiting = self.nights[0]
        if self._tonight(on, waiting.fault, first=waiting.times == 0) or waiting.times == MOST_TIMES:
            self.nights.pop(0)
        waiting.times += 1

    def _tonight(self, on: date, fault: Fault, *, first: bool) -> bool:
        """Whether the fault met something."""
        soak = self.soak
        if fault.kind == "nights_missed":
            self.no_nights_until = on + timedelta(days=gap_of(fault, soak.shape.days))
        elif fault.kind == "night_killed":
            return self._killed(on, fault, first=first)
        elif fault.kind == "two_nights":
            self._two(on)
        elif fault.kind == "clock_ahead":
            self._ahead(on, fault)
        else:
            return self._starved(on, fault, first=first)
        return True

    def _killed(self, on: date, fault: Fault, *, first: bool) -> bool:
        soak, met = self.soak, False
        by_clock = first and int(fault.size * 1000) % 5 == 0  # one in five from outside, by the clock on the wall
        for again in range(1 + (fault.size > 0.7)):
            at = max(1, int(soak.statements * (fault.size if not again else fault.size / 2)))
            child = Child(run_night, soak.ponte.settings, on, soak.now, Harm("none" if by_clock else "kill", at))
            child.go()
            if by_clock:
                child.kill_after(0.02 + fault.size * 0.25)
            told = child.end()
            soak.expect(told.how in ("killed", "done"), f"a night ended with {told}")
            met = met or told.how == "killed"
            soak.journal.fault(on, fault.kind, met=told.how == "killed", statement=at, by_clock=by_clock)
            soak.now += timedelta(minutes=10)
        soak.run_night(on)
        soak.recovered.append(fault.kind)
        return met or by_clock  # what hangs on the wall is not asked: the same seed must go on in the same way

    def _two(self, on: date) -> None:
        soak = self.soak
        both = [Child(run_night, soak.ponte.settings, on, soak.now, Harm("none")) for _one in range(2)]
        for child in both:
            child.go()
        told = [child.end() for child in both]
        soak.expect(told[0].how == "done" and told[0] == told[1], f"two nights at once ended with {told}")
        self._over("two_nights")

    def _ahead(self, on: date, fault: Fault) -> None:
        soak, right = self.soak, self.soak.now
        soak.now += timedelta(days=1)
        soak.run_night(on + timedelta(days=1))
        if fault.size > 0.5:  # the clock was still wrong when the mails of the morning left
            soak.now = right + timedelta(days=1, hours=5, minutes=30)
            soak.deliver()
        soak.now = right
        self._over("clock_ahead", mails=fault.size > 0.5)

    def _starved(self, on: date, fault: Fault, *, first: bool) -> bool:
        soak = self.soak
        if fault.kind == "disk_full" and not soak.ponte.store.is_postgresql:
            harm = Harm("full", int(fault.size * 4) if first else 0)
        else:  # a server's disk cannot be filled from here: it is locked out as well
            what = "lock" if fault.kind == "database_locked" else "locked_out"
            harm = Harm(what, 1 + int(fault.size * 12), 0.2 if what == "lock" else 0.5)
        told = self._run(run_night, on, soak.now, harm)
        soak.expect(told.how != "killed", f"a night in want ended with {told}")
        soak.expect(harm.what != "lock" or told.how == "done", f"a night that had to wait ended with {told}")
        if told.how == "failed":
            soak.now += timedelta(minutes=10)
            soak.run_night(on)
        met = harm.what == "lock" or told.how == "failed"
        self._over(fault.kind, met=met, harm=harm.what, told=told.what)
        return met

    # --- mails --------------------------------------------------------------------------------------------------

    def mails(self, on: date, *, first: bool) -> None:
        """A round of the outbox, however the mail server feels."""
        soak, server = self.soak, self.soak.post
        if not (first and self.mornings):
            soak.deliver()
            return
        waiting = self.mornings[0]
        fault = waiting.fault
        if fault.kind in STOPS:
            met = self._stop(fault, server, 1 + (waiting.times == 0) * int(fault.size * 3))
        else:
            server.be(fault.kind.removeprefix("mail_"))
            counts = soak.deliver(SHORT if fault.kind == "mail_hangs" else PATIENCE)
            met = server.post.met + (counts["later"] if fault.kind == "mail_down" else 0)
            server.be("well")
        soak.journal.fault(on, fault.kind, met=met > 0, mails=met)
        if met or waiting.times == MOST_TIMES:
            self.mornings.pop(0)
            soak.recovered.append(fault.kind)
        waiting.times += 1

    def _stop(self, fault: Fault, server: MailServer, nth: int) -> int:
        soak = self.soak
        child = Child(run_delivery, soak.ponte.settings, soak.now, LIMIT, Harm("none"))
        server.stop_sender(child.pid, STOPS[fault.kind], nth)
        child.go()
        told = child.end()
        server.let_be()
        soak.expect(told.how in ("killed", "done"), f"a delivery ended with {told}")
        return int(told.how == "killed")

    # --- all ----------------------------------------------------------------------------------------------------

    def _run(self, target: object, *arguments: object) -> Told:
        child = Child(target, self.soak.ponte.settings, *arguments)
        child.go()
        return child.end()

    def _over(self, kind: str, *, met: bool = True, **more: object) -> None:
        self.soak.journal.fault(self.soak.today, kind, met=met, **more)
        self.soak.recovered.append(kind)
