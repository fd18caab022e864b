"""Waiting for a database that went away: with growing pauses, up to a limit, and then taking the work up again."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from ponte_workflow.i18n import gettext as _
from ponte_workflow.log import log
from ponte_workflow.store.engine import Store, reachable
from ponte_workflow.store.failures import DatabaseAway

Result = TypeVar("Result")
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 15.0  # seconds
DEFAULT = 300.0  # seconds


@dataclass(frozen=True, slots=True)
class Patience:
    """How long somebody waits for the database. seconds: in all, for one piece of work; 0: not at all."""

    store: Store
    seconds: float = DEFAULT

    def through(self, act: Callable[[], Result], *, back: Callable[[], None] | None = None) -> Result:
        """Do it, and do it again whenever the database went away and came back; only for work that may be repeated.

        back: called each time the database is there again, before the next try.
        Raises `DatabaseAway` when it does not come back in time.
        """
        left = self.seconds
        while True:
            try:
                return act()
            except DatabaseAway as away:
                left = self._wait(away, left)
            if back is not None:
                back()

    def _wait(self, away: DatabaseAway, left: float) -> float:
        """Until the database answers; how many seconds of patience are left."""
        log.warning("database away", left=round(left))
        pause = FIRST_PAUSE
        until = time.monotonic() + left  # asking takes time as well: a machine that is gone answers nobody
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(pause, left))
            pause = min(pause * 2, LONGEST_PAUSE)
            try:
                reachable(self.store.engine)
            except DatabaseAway:
                continue
            left = max(0.0, until - time.monotonic())
            log.warning("database back", left=round(left))
            return left
        if not self.seconds:
            raise away
        raise DatabaseAway(
            _(
                "The database does not answer, and was waited for {n} seconds. What was done before is kept: "
                "start it (“ponte doctor” says more), then do this again and it goes on from there"
            ).format(n=round(self.seconds))
        ) from away
