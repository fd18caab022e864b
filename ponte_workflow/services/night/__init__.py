"""The night: one module a step, `run` to go through them. Flows and console only call what is here."""

from ponte_workflow.services.night.context import Action, Night
from ponte_workflow.services.night.run import (
    Plan,
    begin,
    certificate,
    help_with,
    join,
    leading,
    nights_to_run,
    rehearse,
    run_nights,
    run_patiently,
)
from ponte_workflow.services.night.sharing import finish_step, open_step, run_step
from ponte_workflow.services.night.steps import BY_NAME, STEPS, StepSpec

__all__ = [
    "BY_NAME",
    "STEPS",
    "Action",
    "Night",
    "Plan",
    "StepSpec",
    "begin",
    "certificate",
    "finish_step",
    "help_with",
    "join",
    "leading",
    "nights_to_run",
    "open_step",
    "rehearse",
    "run_nights",
    "run_patiently",
    "run_step",
]
