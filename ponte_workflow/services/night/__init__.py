"""The night: one module a step, `run` to go through them. Flows and console only call what is here."""

from ponte_workflow.services.night.context import Action, Night
from ponte_workflow.services.night.run import (
    STEPS,
    Plan,
    StepSpec,
    begin,
    certificate,
    nights_to_run,
    rehearse,
    run_nights,
    run_patiently,
    run_step,
)

__all__ = [
    "STEPS",
    "Action",
    "Night",
    "Plan",
    "StepSpec",
    "begin",
    "certificate",
    "nights_to_run",
    "rehearse",
    "run_nights",
    "run_patiently",
    "run_step",
]
