"""An SMS gateway over HTTP: JSON there and back, a bearer token, no redirect, and nothing believed that cannot be read."""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from notifications.channels.sms import Fate, Outgoing
from notifications.errors import ChannelDown, SendLater, SendNever, SendUncertain

if TYPE_CHECKING:
    import httpx

LONGEST_ANSWER = 256_000  # bytes
ASKED_AT_ONCE = 100  # ids
_ID = re.compile(r"[A-Za-z0-9._:@-]{1,150}")
# A wrong address or token is no fault of the SMS: failing every one for good would be worse than waiting.
_SETTINGS = frozenset({401, 402, 403, 404, 405, 407})
_BUSY = frozenset({408, 425, 429, 500})
FATES: dict[str, Fate] = {
    **dict.fromkeys(("accepted", "queued", "scheduled", "pending", "sending", "sent", "buffered"), "under_way"),
    **dict.fromkeys(("delivered", "read"), "delivered"),
    **dict.fromkeys(("undelivered", "undeliverable", "failed", "bounced"), "bounced"),
    **dict.fromkeys(("rejected", "refused", "invalid", "blocked"), "refused"),
    "expired": "expired",
}


@dataclass(frozen=True, slots=True)
class HttpGateway:
    """POST url/messages {to, text, from, reference} -> {id}; GET url/messages?ids=a,b -> {messages: [{id, status}]}."""

    url: str
    token: str | None = field(default=None, repr=False)
    timeout: float = 10.0  # seconds, for each step of the conversation

    def send(self, sms: Outgoing) -> str:
        """Hand over one SMS; the gateway's id."""
        body = {"to": sms.to, "text": sms.text, "from": sms.sender, "reference": sms.reference}
        status, content = self._call("POST", "/messages", json=body, headers={"Idempotency-Key": sms.reference})
        if 400 <= status < 500 and status not in _SETTINGS | _BUSY:
            raise SendNever(f"the SMS gateway answered {status}")
        _only_success(status)
        given = _read(content)
        name = given.get("id") if isinstance(given, dict) else None
        name = str(name) if isinstance(name, int) and not isinstance(name, bool) else name
        if not isinstance(name, str) or _ID.fullmatch(name) is None:
            # It said yes and gave no id: whether the SMS left, nobody knows.
            raise SendUncertain("the SMS gateway's answer cannot be read")
        return name

    def fates(self, ids: Collection[str]) -> Mapping[str, Fate]:
        """What became of these SMS, at most `ASKED_AT_ONCE` of them in one question."""
        asked, found = list(ids), dict[str, Fate]()
        for start in range(0, len(asked), ASKED_AT_ONCE):
            some = asked[start : start + ASKED_AT_ONCE]
            status, content = self._call("GET", "/messages", params={"ids": ",".join(some)})
            _only_success(status)
            given = _read(content)
            rows = given.get("messages") if isinstance(given, dict) else None
            if not isinstance(rows, list):
                raise SendLater("the SMS gateway's answer cannot be read")
            for row in rows:
                if isinstance(row, dict) and row.get("id") in some:
                    found[row["id"]] = fate(row.get("status"))
        return found

    def _call(self, method: str, path: str, **how: Any) -> tuple[int, bytes]:
        # Imported late: 0.1 s, and most commands send nothing.
        import httpx

        headers = {"User-Agent": "Ponte", "Accept": "application/json", **how.pop("headers", {})}
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        try:
            with (
                httpx.Client(timeout=self.timeout, follow_redirects=False, trust_env=False) as client,
                client.stream(method, self.url.rstrip("/") + path, headers=headers, **how) as answer,
            ):
                return answer.status_code, _limited(answer)
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise ChannelDown(f"the SMS gateway does not answer: {type(error).__name__}") from error


def fate(status: object) -> Fate:
    """What a gateway's word means; one that is not known: unknown, which is no end yet."""
    return FATES.get(status.strip().lower(), "unknown") if isinstance(status, str) else "unknown"


def _only_success(status: int) -> None:
    if 200 <= status < 300:
        return
    if status in _BUSY:
        raise SendLater(f"the SMS gateway answered {status}")
    raise ChannelDown(f"the SMS gateway answered {status}")


def _limited(answer: "httpx.Response") -> bytes:
    content = b""
    for part in answer.iter_bytes():
        content += part
        if len(content) > LONGEST_ANSWER:
            return b""  # no answer of a gateway: not read any further, and taken for one that cannot be read
    return content


def _read(content: bytes) -> object:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None
