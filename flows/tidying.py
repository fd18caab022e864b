"""Flow runs that a killed machine left as running: marked as crashed before the schedules start again.

Nothing can be running yet when `ponte up` starts, so whatever says so is a leftover. Ponte's own night table knows where to go on.
Run as a module with PREFECT_API_URL set: python -m flows.tidying
"""

from typing import Any


def crash_leftovers() -> int:
    """How many runs were marked."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterState, FlowRunFilterStateType
    from prefect.client.schemas.objects import StateType
    from prefect.states import Crashed

    left = FlowRunFilter(
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.RUNNING, StateType.PENDING]))
    )
    with get_client(sync_client=True) as client:
        runs: list[Any] = client.read_flow_runs(flow_run_filter=left)
        for run in runs:
            client.set_flow_run_state(run.id, Crashed(message="left behind by a stop of the machine"), force=True)
    return len(runs)


if __name__ == "__main__":
    crash_leftovers()
