"""One broken case never stops the night: it is set aside, named, and tried again next night."""

import traceback
from collections.abc import Callable, Iterable
from pathlib import PurePath

from ponte_workflow.errors import CaseChanged
from ponte_workflow.i18n import gettext as _
from ponte_workflow.log import bound, log
from ponte_workflow.services.night.context import Night
from ponte_workflow.store import casefile, cases
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.failures import StoreFailed
from ponte_workflow.store.leases import LeaseLost
from ponte_workflow.store.nights import StepCounts, count_step


def one_by_one(night: Night, step: str, case_ids: Iterable[int], act: Callable[[Transaction, int], bool]) -> StepCounts:
    """Do something for each case in a transaction of its own. `act` says whether it did anything."""
    counts = StepCounts()
    for case_id in case_ids:
        counts += guarded(night, step, case_id, act)
    return counts


def guarded(
    night: Night,
    step: str,
    case_id: int,
    act: Callable[[Transaction, int], bool],
    *,
    looked: int = 1,
) -> StepCounts:
    """The same for one case. A case that a person changed meanwhile is looked at once more.

    Counted in the transaction that did it, so that a killed night tells what it has done. looked: how many it counts as
    looked at.
    """
    if case_id in night.set_aside:
        return StepCounts()
    for last_try in (False, True):
        try:
            with bound(case_id=case_id), night.unit() as tx:
                counts = StepCounts(looked, int(act(tx, case_id)), 0)
                count_step(tx, night.id, step, night.shard, counts)
            return counts
        except CaseChanged as error:
            if last_try:
                return _set_aside(night, step, case_id, error, looked)
        except (StoreFailed, LeaseLost):
            raise  # the case is not to blame, and nobody could write down that it was set aside
        # Any other error at all: what is wrong with one case must not cost the others their night. It is never hidden:
        # the case, the certificate and the log say so.
        except Exception as error:  # noqa: BLE001
            return _set_aside(night, step, case_id, error, looked)
    raise AssertionError("unreachable")


def _set_aside(night: Night, step: str, case_id: int, error: Exception, looked: int) -> StepCounts:
    why = f"{step}: {where(error)}"
    with night.unit() as tx:
        row = cases.by_id(tx, case_id)
        # A night that was killed has met it before: still one case.
        counts = StepCounts(looked, 0, int(row.set_aside_on != night.on))
        casefile.set_aside(tx, case_id, night.on, why)
        count_step(tx, night.id, step, night.shard, counts)
    code = night.set_aside[case_id] = row.code
    log.error("case set aside", case=code, case_id=case_id, step=step, error=type(error).__name__)
    night.tell(step, code, _("set aside"), why, done=False)
    return counts


def where(error: BaseException) -> str:
    """The error's class and place. Its text may hold data of the case, and is left out."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {PurePath(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"
