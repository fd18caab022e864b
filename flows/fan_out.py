"""Where the shards of a night or a delivery run: threads or processes here, a Dask cluster, other workers of the pool.

Chosen by settings alone; the flows do not change. What is taken and done stands in Ponte's own tables: this only brings hands.
"""

from typing import TYPE_CHECKING, Any

from ponte_workflow.config import Settings
from ponte_workflow.errors import BadConfiguration
from ponte_workflow.i18n import gettext as _
from ponte_workflow.log import log

if TYPE_CHECKING:
    from prefect.task_runners import TaskRunner

# Of a night: in one process a second thread would only wait for the interpreter. Of a delivery: it waits for servers.
NIGHT_THREADS, DELIVERY_THREADS = 1, 8


def task_runner(settings: Settings, threads: int) -> "TaskRunner[Any]":
    """Dask when PONTE_DASK_ADDRESS is set, processes when PONTE_PROCESSES is more than one, else threads of this process."""
    from prefect.task_runners import ProcessPoolTaskRunner, ThreadPoolTaskRunner

    if settings.dask_address:
        try:
            from prefect_dask.task_runners import DaskTaskRunner
        except ImportError as error:
            raise BadConfiguration(
                _("PONTE_DASK_ADDRESS is set, but prefect-dask is not installed: install what requirements.lock holds")
            ) from error
        return DaskTaskRunner(address=settings.dask_address)
    if settings.processes > 1:
        return ProcessPoolTaskRunner(max_workers=settings.processes)
    return ThreadPoolTaskRunner(max_workers=threads)


def call_others(settings: Settings, deployment: str, parameters: dict[str, Any]) -> int:
    """Ask every other worker of the pool that is online for a run of a deployment, each through its own queue; how many.

    deployment: "flow name/deployment name". Without a pool there is nobody to ask. Whoever cannot be asked is missed by
    nobody: the work is done here then.
    """
    if settings.work_pool is None:
        return 0
    import httpx
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.objects import WorkerStatus
    from prefect.deployments import run_deployment
    from prefect.exceptions import PrefectException

    own, asked = own_name(settings), 0
    try:
        with get_client(sync_client=True) as client:
            workers = client.read_workers_for_work_pool(settings.work_pool)
        for worker in workers:
            if worker.status == WorkerStatus.ONLINE and worker.name != own:
                run_deployment(
                    deployment, parameters=parameters, timeout=0, work_queue_name=worker.name, as_subflow=False
                )
                asked += 1
    except (PrefectException, httpx.HTTPError) as error:
        log.warning("other workers could not be asked", error=type(error).__name__)
    return asked


def own_name(settings: Settings) -> str:
    """This machine's worker in the pool: PONTE_WORKER_NAME, or the host's name."""
    import socket

    return settings.worker_name or socket.gethostname()
