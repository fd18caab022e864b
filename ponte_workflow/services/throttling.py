"""How often one may knock: per address or account, in this process. The lock of an account is kept in the store."""

from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

LIMITS = {
    "sign-in": parse("30/5minutes"),  # an office behind one address signs in together in the morning
    "code": parse("10/5minutes"),
    "password": parse("10/5minutes"),  # one's own, asked again before something weighty
    "break-glass": parse("10/hour"),
    "api": parse("600/minute"),
    "upload": parse("30/hour"),
}


class Throttle:
    """Moving windows in memory."""

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def lets_in(self, what: str, whom: str) -> bool:
        """Whether one more of `what` (a name of LIMITS) is let in for `whom`; it is counted."""
        return self._limiter.hit(LIMITS[what], what, whom)
