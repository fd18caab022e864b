"""Serving the schedules to a Prefect server."""

from typing import Any

from prefect import Flow, serve
from prefect.schedules import Cron
from prefect.types.entrypoint import EntrypointType

from flows.deliver_outbox import deliver_outbox
from flows.nightly_check import nightly_check
from flows.read_pec import read_pec
from flows.schedules import SCHEDULES, ZONE

FLOWS: dict[str, Flow[..., Any]] = {
    "nightly_check": nightly_check,
    "deliver_outbox": deliver_outbox,
    "read_pec": read_pec,
}


def deployments() -> list[Any]:
    """One deployment a schedule, by module path."""
    return [
        FLOWS[schedule.flow].to_deployment(
            name=schedule.name,
            schedule=Cron(schedule.cron, timezone=ZONE),
            description=schedule.reason,
            entrypoint_type=EntrypointType.MODULE_PATH,
        )
        for schedule in SCHEDULES
    ]


def serve_all() -> None:
    """Until SIGTERM or Ctrl-C; schedules stay when it stops, and go on when it comes back."""
    serve(*deployments(), pause_on_shutdown=False)
