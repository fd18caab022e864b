"""The web application's look at the night, every few minutes: Prefect and its worker may be dead, this process is not."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from flows.delivering import tell_alerts
from ponte_workflow import clock
from ponte_workflow.bootstrap import Ponte
from ponte_workflow.i18n import use_language
from ponte_workflow.log import log, whereabouts
from ponte_workflow.services import watching

STOP_SECONDS = 2.0  # how long the end of the process waits for a look that is under way


@contextmanager
def watched(ponte: Ponte) -> Iterator[None]:
    """Look every PONTE_WATCH_SECONDS while the block runs; 0: do not look."""
    seconds = ponte.settings.watch_seconds
    if not seconds:
        yield
        return
    end = Event()
    thread = Thread(target=_watch, args=(ponte, end, seconds), name="watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join(STOP_SECONDS)


def _watch(ponte: Ponte, end: Event, seconds: int) -> None:
    use_language(ponte.settings.language)  # a thread begins without one
    said = None
    while not end.wait(seconds):  # not at once: a machine that was off has its nights still to catch up
        try:
            missed = look(ponte)
        # Whatever it was, the next look comes: a watch that dies of what it sees is none.
        except Exception as error:  # noqa: BLE001
            log.error("the night cannot be looked at", **whereabouts(error, {}))
            continue
        if missed is not None and missed != said:
            log.error("no certificate of the night", night=missed)
        said = missed


def look(ponte: Ponte) -> str | None:
    """Look once, and tell what there is to tell; the business date of the night that is missed, or None."""
    at = clock.now()
    with ponte.store.transaction() as tx:
        missed = watching.note(tx, at)
    tell_alerts(ponte, [], at)
    return None if missed is None else missed.isoformat()
