"""Step "figures": the histories of the day become stays, and the stays the figures that supervisors look at."""

from ponte_workflow.services import projecting
from ponte_workflow.services.night.context import Night, Skip
from ponte_workflow.store.nights import StepCounts, count_step

STEP = "figures"


def count_stays(night: Night, shard: int) -> StepCounts:
    """Project what the histories grew by, a chunk in a transaction, then recount. Counts: entries read, stays written.

    A missed night leaves it to the real one that follows, a rehearsal to the night itself: nobody waits for figures.
    """
    if night.report is not None:
        return StepCounts()
    if night.replayed:
        raise Skip("a missed night: the figures are made with the next one")
    with night.unit() as tx:
        to = projecting.readable_to(tx, night.at)
    total, more = StepCounts(), True
    while more:
        with night.unit() as tx:
            chunk = projecting.project(tx, to)
            counts = StepCounts(chunk.looked_at, chunk.written, 0)
            count_step(tx, night.id, STEP, shard, counts)
        total, more = total + counts, chunk.more
    with night.unit() as tx:
        projecting.recount(tx, night.on)
    return total
