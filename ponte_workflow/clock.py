"""The one place that reads the clock; everything below the edges takes the date as an argument."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

ROME = ZoneInfo("Europe/Rome")


def _system() -> datetime:
    return datetime.now(UTC)


_source: Callable[[], datetime] = _system


def today() -> date:
    """The business date in Europe/Rome."""
    return now().astimezone(ROME).date()


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return _source()


@contextmanager
def told_by(source: Callable[[], datetime]) -> Iterator[None]:
    """Another clock for the whole process, for simulations and tests: months of casework in a minute."""
    global _source
    before, _source = _source, source
    try:
        yield
    finally:
        _source = before
