"""Prefect's environment, set before Prefect is imported: everything under PONTE_HOME, nothing leaves the machine."""

import os
from pathlib import Path

from ponte_workflow.config import Settings


def prepare(settings: Settings) -> None:
    """Set Prefect's variables, keeping any that the operator has set already. Makes its home: Prefect does not."""
    home = Path(os.environ.get("PREFECT_HOME") or settings.folder / "prefect")
    home.mkdir(parents=True, exist_ok=True)
    defaults = {
        "PREFECT_HOME": str(home),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
        "PREFECT_LOGGING_LEVEL": "WARNING",
        "PREFECT_WORKER_QUERY_SECONDS": "2",  # whoever is asked to help comes while there is still something to do
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "100",
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "100",
        "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_READ_BATCH_SIZE": "50",
        "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_BATCH_SIZE": "100",
    }
    if settings.prefect_api_url:
        defaults["PREFECT_API_URL"] = settings.prefect_api_url
    for name, value in defaults.items():
        os.environ.setdefault(name, value)
