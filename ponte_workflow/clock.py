"""The one place that reads the clock; everything below the edges takes the date as an argument."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

ROME = ZoneInfo("Europe/Rome")


def today() -> date:
    """The business date in Europe/Rome."""
    return datetime.now(ROME).date()


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)
