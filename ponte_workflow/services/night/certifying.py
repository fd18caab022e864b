"""Step "certificate": what the night looked at, did and set aside, sealed over the history. Counts and dates only."""

from typing import Any

from notifications.errors import NotificationError
from ponte_workflow.clock import ROME
from ponte_workflow.log import log
from ponte_workflow.services.night.context import Night
from ponte_workflow.services.night.freshness import ages, is_fresh
from ponte_workflow.services.watching import due_night
from ponte_workflow.store import casefile, digests, held, incidents, nights, outbox, stalls
from ponte_workflow.store.casefile import SetAside
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.nights import StepCounts

STEP = "certificate"


def certify(night: Night, shard: int) -> StepCounts:
    """Write the certificate and complete the night, in one transaction."""
    with night.unit() as tx:
        aside = casefile.now_set_aside(tx)
        _take_back(night, tx, aside)
        content = content_of(night, tx, aside)
        if night.report is None:  # a rehearsal seals nothing: the web application, which rehearses, may not
            nights.certify(tx, night.id, content)
        nights.end_step(tx, night.id, STEP, shard, skipped=False, note=None)
        nights.complete(tx, night.id, night.at)
    return StepCounts(content["history"]["entries"], 1, 0)


def _take_back(night: Night, tx: Transaction, aside: list[SetAside]) -> None:
    """Cases that an earlier night had set aside are well again when tonight the same step went through without that."""
    done = {row.step for row in nights.steps(tx, night.id) if row.status == "completed"}
    well = [case.id for case in aside if case.on < night.on and case.why.partition(":")[0] in done]
    if well:
        casefile.take_back(tx, well)


def content_of(night: Night, tx: Transaction, aside: list[SetAside]) -> dict[str, Any]:
    """The certificate's content."""
    steps: dict[str, dict[str, Any]] = {}
    for row in nights.steps(tx, night.id):
        if row.step == STEP:
            continue
        known = steps.setdefault(row.step, {"status": row.status, "looked_at": 0, "acted_on": 0, "set_aside": 0})
        for name, count in row.counts._asdict().items():
            known[name] += count
        if row.note:
            known["note"] = row.note
    row = nights.night_row(tx, night.on)
    happened = incidents.of_night(tx, night.id, night.at)
    ahead = (night.on - night.at.astimezone(ROME).date()).days
    return {
        "night": night.on.isoformat(),
        "runner": night.runner,
        "replayed": night.replayed,
        "attempts": row.attempts,
        "missed_nights": [day.isoformat() for day in nights.replayed_since_last_real(tx, night.on)],
        "ledgers": {name: {"age_days": age} for name, age in sorted(ages(night, tx).items())},
        "fresh": is_fresh(night, tx),
        "steps": steps,
        "set_aside": [case.code for case in aside if case.on == night.on],
        "forgotten": stalls.forgotten(tx),
        "held": held.count(tx, night.on),
        "nobody_to_tell": digests.nobody_to_tell(tx),
        "outbox": outbox.counts(tx),
        "history": nights.seal(tx, close=night.report is None),
        **({"incidents": happened} if happened else {}),
        **({"ahead_days": ahead} if ahead > 0 else {}),  # what comes in until then is the next night's
    }


def beat(night: Night) -> None:
    """Tell the watcher outside; that it cannot be reached is its own affair, and never the night's."""
    tonight = not night.replayed and night.on >= due_night(night.at)
    if night.heartbeat is None or not tonight:
        return  # the last of several missed nights beats, and no night that is run again for the past
    try:
        night.heartbeat()
    except NotificationError as error:
        log.warning("the heartbeat was not heard: look at PONTE_HEARTBEAT_URL", night=str(night.on), why=str(error))
