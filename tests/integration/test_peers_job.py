"""The job of the comparison with other engines is really done by Ponte, and its check sees when a job is not done."""

from dataclasses import replace
from pathlib import Path

import pytest

from ponte_workflow.services.night import ringing
from ponte_workflow.store.engine import Store
from tests.benchmarks.peers import job, ponte_night
from tests.benchmarks.peers.job import AFTER, BEFORE, NEXT_DUE, Job, JobFailed, Outcome

SMALL = Job(cases=12, due=4)


@pytest.mark.parametrize("kind", ["fire", "remind"])
def test_the_job_is_done_by_ponte(store: Store, tmp_path: Path, kind: str) -> None:
    known = ponte_night.pathways(tmp_path)
    ponte_night.seed(store, known, SMALL, kind=kind)
    with pytest.raises(JobFailed):  # before the night it is not
        ponte_night.verify(SMALL, store, known, kind)
    counts = ringing.ring(ponte_night.begin(store, known), 0)
    assert (counts.acted_on, counts.set_aside) == (SMALL.due, 0)
    ponte_night.verify(SMALL, store, known, kind)


def test_the_next_timer_of_the_job_is_the_one_that_ponte_starts(tmp_path: Path) -> None:
    assert ponte_night.next_due(ponte_night.pathways(tmp_path), "fire") == NEXT_DUE


def done() -> Outcome:
    """The job well done."""
    due = SMALL.due_ids
    return Outcome(
        [(n, AFTER if n in due else BEFORE) for n in SMALL.numbers],
        [(n, BEFORE, AFTER) for n in due],
        [(n, NEXT_DUE if n in due else SMALL.due_on(n)) for n in SMALL.numbers],
        list(due),
    )


def test_a_job_well_done_passes_the_check() -> None:
    job.check(SMALL, done())


@pytest.mark.parametrize("part", ["states", "audit", "timers", "notices"])
@pytest.mark.parametrize("wrong", ["one is missing", "one is there twice"])
def test_a_row_too_many_or_too_few_is_seen(part: str, wrong: str) -> None:
    rows = getattr(done(), part)
    changed = rows[1:] if wrong == "one is missing" else [*rows, rows[0]]
    with pytest.raises(JobFailed, match=part):
        job.check(SMALL, replace(done(), **{part: changed}))
