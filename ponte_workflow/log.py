"""Structured logs: ids, codes and counts only, never a name."""

import logging
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import PurePath
from typing import Any


class _Log:
    """structlog, on first use: most commands never log."""

    _bound: Any = None

    def __getattr__(self, level: str) -> Any:
        if self._bound is None:
            import structlog

            structlog.configure(
                processors=[
                    structlog.contextvars.merge_contextvars,
                    structlog.processors.add_log_level,
                    structlog.processors.TimeStamper(fmt="iso", utc=True),
                    structlog.processors.JSONRenderer(),
                ],
                wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
                logger_factory=lambda *_names: structlog.PrintLogger(sys.stderr),  # the stream of that moment
                cache_logger_on_first_use=False,
            )
            self._bound = structlog.get_logger()
        return getattr(self._bound, level)


log = _Log()


@contextmanager
def bound(**what: object) -> Iterator[None]:
    """Every line that is logged inside says this too: which night, step and shard. Ids, codes and dates only."""
    from structlog.contextvars import bound_contextvars

    with bound_contextvars(**what):
        yield


def whereabouts(error: BaseException, scope: Mapping[str, Any]) -> dict[str, str]:
    """What a log may say about a failure: class and places, never its text, which may hold somebody's data."""
    frames = traceback.extract_tb(error.__traceback__)
    places = [
        f"{PurePath(frame.filename).name}:{frame.lineno}" for frame in frames if "site-packages" not in frame.filename
    ]
    route = scope.get("route")
    return {"error": type(error).__name__, "at": " ".join(places[-6:]), "route": getattr(route, "path", "-")}
