"""Notices for other programs: one signed POST, no redirect followed, no address inside the own network unless allowed."""

import hashlib
import hmac
import ipaddress
import re
import socket
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from notifications.errors import SendLater, SendNever

TIMEOUT = 10.0  # seconds, for each step of the conversation
SIGNATURE = "Ponte-Signature"
_SIGNS = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")  # of a URL (RFC 3986)


@dataclass(frozen=True, slots=True)
class WebhookChannel:
    """private: addresses inside the own network are allowed, and plain http with them."""

    private: bool = False

    def post(self, url: str, body: bytes, *, secret: str, moment: int) -> str:
        """Send once; what the receiver said, a 2xx status. `moment`: seconds since 1970, signed with the body.

        Raises `SendNever` for an address that may not be, `SendLater` for everything else that is no 2xx.
        """
        # Imported late: 0.1 s, and most commands send nothing.
        import httpx

        parts = checked_address(url, private=self.private)
        pinned, host = self._place(parts), parts.netloc.rpartition("@")[2]
        headers = {
            "Host": host,
            "Content-Type": "application/json",
            "User-Agent": "Ponte",
            SIGNATURE: signature(secret, body, moment),
        }
        try:
            # The name is asked once and the answer is where we go: else it could change between the look and the call.
            # The certificate is still held against the name.
            with (
                httpx.Client(timeout=TIMEOUT, follow_redirects=False, trust_env=False) as client,
                client.stream(
                    "POST", pinned, content=body, headers=headers, extensions={"sni_hostname": parts.hostname}
                ) as answer,
            ):
                status = answer.status_code  # its body is of no use, and could be endless
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise SendLater(f"no answer: {type(error).__name__}") from error
        if not 200 <= status < 300:
            raise SendLater(f"the receiver answered {status}")
        return str(status)

    def _place(self, parts: SplitResult) -> str:
        """The URL with the host's number instead of its name; `SendNever` when it lies inside."""
        port = parts.port or (443 if parts.scheme == "https" else 80)
        try:
            found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise SendLater("the name service does not know the host") from error
        places = [str(address[0]).partition("%")[0] for *_family, address in found]
        if not self.private and not all(is_public(place) for place in places):
            raise SendNever("the address lies inside the own network")
        number = f"[{places[0]}]" if ":" in places[0] else places[0]
        return parts._replace(netloc=f"{number}:{port}", fragment="").geturl()


def checked_address(url: str, *, private: bool) -> SplitResult:
    """The parts of a URL that a webhook may have; `SendNever` otherwise."""
    try:
        parts = urlsplit(url)
        _port = parts.port
    except ValueError:
        raise SendNever("the address cannot be read") from None
    schemes = ("https", "http") if private else ("https",)
    if parts.scheme not in schemes or not parts.hostname or parts.username or _SIGNS.fullmatch(url) is None:
        raise SendNever("the address must begin with https:// and hold no password")
    try:
        inside = not is_public(parts.hostname)
    except ValueError:
        inside = parts.hostname == "localhost" or parts.hostname.endswith(".localhost")
    if inside and not private:
        raise SendNever("the address lies inside the own network")
    return parts


def is_public(place: str) -> bool:
    """Whether an IP address is one of the world's: not our own, private, link-local, shared or multicast."""
    address = ipaddress.ip_address(place)
    embedded = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None)
    return address.is_global and not address.is_multicast and (embedded is None or is_public(str(embedded)))


def signature(secret: str, body: bytes, moment: int) -> str:
    """`t=SECONDS,v1=HEX`: HMAC-SHA256 of "SECONDS.BODY". A receiver that refuses old seconds cannot be sent it again."""
    digest = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest}"
