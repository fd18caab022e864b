"""One `advance` of one case: from the locked row to the history entry, in a transaction of its own."""

import statistics
import time
from datetime import timedelta

from ponte_workflow.store.engine import Store
from tests.builders import MONDAY, create_team


def advance_seconds(store: Store, *, cases: int = 60) -> float:
    """Median seconds of `assign` over so many new cases."""
    team = create_team(store)
    with store.transaction() as tx:
        codes = [team.open_case(tx).code for _ in range(cases)]
    seconds = []
    for code in codes:
        begun = time.perf_counter()
        with store.transaction() as tx:
            team.do(tx, "sara", code, "assign", MONDAY + timedelta(days=1), case_worker="wanda")
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds)
