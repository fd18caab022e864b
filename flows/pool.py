"""A worker of a Prefect work pool: any number of them on any number of machines, each with a queue of its own besides the
common one, by which whoever leads a night asks it for help."""

import asyncio
from contextlib import suppress
from typing import Any

from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.exceptions import ObjectAlreadyExists
from prefect.schedules import Cron
from prefect.types.entrypoint import EntrypointType
from prefect.workers.process import ProcessWorker

from flows.help_night import help_night
from flows.schedules import SCHEDULES, ZONE
from flows.serving import FLOWS

COMMON = "default"  # Prefect makes it with every pool


def deployments(pool: str) -> list[Any]:
    """The schedules, and the help that is asked for without one, by module path."""
    scheduled = [
        FLOWS[one.flow].to_deployment(
            name=one.name,
            schedule=Cron(one.cron, timezone=ZONE),
            description=one.reason,
            work_pool_name=pool,
            entrypoint_type=EntrypointType.MODULE_PATH,
        )
        for one in SCHEDULES
    ]
    helping = help_night.to_deployment(
        name="help",
        description="asked for by whoever leads a night",
        work_pool_name=pool,
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    return [*scheduled, helping]


def prepare(pool: str, own: str) -> None:
    """Make the pool, its deployments and this worker's queue; what is there already stays, or is brought up to date."""
    with get_client(sync_client=True) as client:
        with suppress(ObjectAlreadyExists):  # another worker was first
            client.create_work_pool(WorkPoolCreate(name=pool, type="process"))
        with suppress(ObjectAlreadyExists):  # this one was here before
            client.create_work_queue(name=own, work_pool_name=pool)
    for deployment in deployments(pool):
        deployment.apply()


def work(pool: str, own: str) -> None:
    """Run what the pool asks for, as the worker `own`, until SIGTERM or Ctrl-C."""
    prepare(pool, own)
    worker: Any = ProcessWorker(pool, work_queues=[COMMON, own], name=own, create_pool_if_not_found=False)
    asyncio.run(worker.start())
