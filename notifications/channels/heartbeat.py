"""A sign of life to an outside watcher: one GET, no content. Whoever hears nothing for a day raises the alarm."""

from collections.abc import Callable
from http.client import HTTPException
from urllib.request import Request, urlopen

from notifications.errors import SendLater

TIMEOUT = 10.0  # seconds: the night is over, and waits for nobody
AGENT = "Ponte"


def heartbeat(url: str) -> Callable[[], None]:
    """What beats once each time it is called; raises `SendLater`, without the address in it: it is a secret."""

    def beat() -> None:
        request = Request(url, headers={"user-agent": AGENT})  # noqa: S310  # the settings have looked at its scheme
        try:
            with urlopen(request, timeout=TIMEOUT):  # noqa: S310
                return
        except (OSError, HTTPException, ValueError) as error:
            code = getattr(error, "code", None)
            raise SendLater(f"{type(error).__name__} {code}" if code else type(error).__name__) from None

    return beat
