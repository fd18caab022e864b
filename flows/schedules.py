"""Every schedule, with its reason."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Schedule:
    """A flow by module path (a file path would put flows/ first on sys.path) and when it runs, in Europe/Rome."""

    name: str
    flow: str
    cron: str
    reason: str


ZONE = "Europe/Rome"
SCHEDULES = (
    Schedule(
        "night",
        "nightly_check",
        "30 3 * * *",
        "after the landlord's exports, outside 02:00-03:00 which DST skips or repeats",
    ),
    Schedule(
        "outbox", "deliver_outbox", "*/2 * * * *", "a reminder may wait two minutes; a run costs about one second"
    ),
    Schedule(
        "pec", "read_pec", "*/10 * * * *", "receipts of certified mail take minutes; providers dislike being asked more"
    ),
)
