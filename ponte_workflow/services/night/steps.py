"""The steps of a night, in their order."""

from collections.abc import Callable
from dataclasses import dataclass

from ponte_workflow.services.night import (
    certifying,
    counting,
    detecting,
    digesting,
    freshness,
    reminding,
    ringing,
    settling,
    stalling,
)
from ponte_workflow.services.night.context import Night
from ponte_workflow.store.nights import StepCounts


@dataclass(frozen=True, slots=True)
class StepSpec:
    """A step: its name, what it does, and whether it is done shard by shard."""

    name: str
    run: Callable[[Night, int], StepCounts]
    sharded: bool = False


# What people hear depends on the order: money first, then who is new, then the clocks, who is silent, what is due.
STEPS: tuple[StepSpec, ...] = (
    StepSpec(freshness.STEP, freshness.look_at_ledgers),
    StepSpec(settling.STEP, settling.settle, sharded=True),
    StepSpec(detecting.STEP, detecting.detect),
    StepSpec(ringing.STEP, ringing.ring, sharded=True),
    StepSpec(stalling.STEP, stalling.find_stalls, sharded=True),
    StepSpec(reminding.STEP, reminding.remind, sharded=True),
    StepSpec(digesting.STEP, digesting.gather_digests),
    StepSpec(counting.STEP, counting.count_stays),
    StepSpec(certifying.STEP, certifying.certify),
)
BY_NAME = {spec.name: spec for spec in STEPS}
SHARDED = tuple(spec.name for spec in STEPS if spec.sharded)
