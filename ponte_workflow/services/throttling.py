"""How often one may knock: per address or account, in this process. The lock of an account is kept in the store."""

import math
from collections.abc import Mapping
from datetime import datetime

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

LIMITS = {
    "sign-in": parse("30/5minutes"),  # an office behind one address signs in together in the morning
    "code": parse("10/5minutes"),
    "password": parse("10/5minutes"),  # one's own, asked again before something weighty
    "break-glass": parse("10/hour"),
    "api": parse("600/minute"),
    "calendar": parse("120/5minutes"),  # an office's calendar programs ask every few minutes, from one address
    "upload": parse("30/hour"),
}


class Throttle:
    """Moving windows in memory."""

    def __init__(self, limits: Mapping[str, RateLimitItem] = LIMITS) -> None:
        self._limits = limits
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def lets_in(self, what: str, whom: str) -> bool:
        """Whether one more of `what` (a name of LIMITS) is let in for `whom`; it is counted."""
        return self._limiter.hit(self._limits[what], what, whom)

    def seconds_left(self, what: str, whom: str, at: datetime) -> int:
        """How many seconds after `at` one more is let in."""
        limit = self._limits[what]
        left = self._limiter.get_window_stats(limit, what, whom).reset_time - at.timestamp()
        return min(max(1, math.ceil(left)), limit.get_expiry())
