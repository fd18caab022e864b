"""The certified mailbox as a Prefect flow, every ten minutes: receipts find their messages, the rest waits for a person."""

from prefect import flow, task

from ponte_workflow import clock
from ponte_workflow.bootstrap import open_ponte
from ponte_workflow.services import certified_mail


@task(name="mailbox", persist_result=False)
def read_mailbox(limit: int) -> dict[str, int]:
    """Read once; a server that is down is no failure of ours: the next run, ten minutes later, goes on from there."""
    ponte = open_ponte(patient=True)
    try:
        mailbox = ponte.pec_mailbox()
        if mailbox is None:
            return {"read": 0, "matched": 0, "for_people": 0, "known": 0, "down": 0}
        found = certified_mail.read(ponte.store, mailbox, at=clock.now(), limit=limit)
    finally:
        ponte.store.engine.dispose()
    return {
        "read": found.read,
        "matched": found.matched,
        "for_people": found.for_people,
        "known": found.known,
        "down": int(found.down is not None),
    }


@flow(name="read-pec", timeout_seconds=540, persist_result=False)  # the next run begins after ten minutes
def read_pec(limit: int = certified_mail.LIMIT) -> dict[str, int]:
    """Read up to `limit` mails; counts only."""
    return read_mailbox(limit)
