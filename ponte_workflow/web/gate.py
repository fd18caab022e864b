"""The gate that every request passes: who is it, does it come from our own pages, and which headers the answer bears."""

import secrets
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from anyio import to_thread
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request, cookie_parser
from starlette.responses import Response

from ponte_workflow import clock
from ponte_workflow.bootstrap import Ponte
from ponte_workflow.i18n import LANGUAGES, use_language
from ponte_workflow.i18n import gettext as _
from ponte_workflow.log import log, whereabouts
from ponte_workflow.services import accounts
from ponte_workflow.services.accounts import SignedIn
from ponte_workflow.services.metrics import Requests
from ponte_workflow.store.accounts import touch_session
from ponte_workflow.store.failures import StoreFailed

COOKIE = "__Host-ponte"  # the prefix makes browsers insist on Secure, Path=/ and no Domain
LANGUAGE_COOKIE = "ponte-language"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self' data:; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Broken = Callable[[Request, str], Response]
Refused = Callable[[Request, Exception], Response]


class BrokenOff(Exception):
    """An answer of which a part had left already; its text is the reference in the log."""


class Gate:
    """ASGI middleware; pure, because the language of a request must reach the thread in which its page is made."""

    def __init__(self, app: App, *, ponte: Ponte, broken: Broken, refused: Refused, requests: Requests) -> None:
        self.app, self.ponte, self.broken, self.refused, self.requests = app, ponte, broken, refused, requests
        self.required = frozenset(r.strip() for r in ponte.settings.second_factor_roles.split(",") if r.strip())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers, path = Headers(scope=scope), scope["path"]
        personal = not path.startswith("/static/")
        state = scope.setdefault("state", {})
        state |= {"signed_in": None, "reference": secrets.token_hex(4)}
        started, begun = False, time.monotonic()

        async def answer(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                # Of the route, never of the address: that names cases.
                route = scope.get("root_path", "") + getattr(scope.get("route"), "path", "-")
                self.requests.note(scope["method"], route, message["status"], time.monotonic() - begun)
                out = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    out.setdefault(name, value)
                if personal:
                    out["Cache-Control"] = "no-store"
            await send(message)

        cookies = cookie_parser(headers.get("cookie", ""))
        if not personal:
            await self.app(scope, receive, answer)
            return
        use_language(self._language(cookies, headers))
        if scope["method"] not in SAFE and is_foreign(headers):
            sentence = _("This request comes from another site's page: begin again in Ponte.")
            refusal = Response(sentence, status_code=403, media_type="text/plain")
            await refusal(scope, receive, answer)
            return
        try:
            if token := cookies.get(COOKIE):
                state["signed_in"] = found = await to_thread.run_sync(self._who, token)
                if found is not None and LANGUAGE_COOKIE not in cookies:
                    use_language(found.member.language)
            await self.app(scope, receive, answer)
        # Whatever it was: the user gets a reference instead of a stack trace, the log gets its place without data.
        except Exception as error:  # noqa: BLE001
            if (
                isinstance(error, StoreFailed) and not started
            ):  # while it was asked who this is; the rest is refused inside
                await self.refused(Request(scope), error)(scope, receive, answer)
                return
            log.error("request failed", reference=state["reference"], **whereabouts(error, scope))
            if started:  # no page can follow; what the server is told to write down holds nobody's data
                raise BrokenOff(state["reference"]) from None
            await self.broken(Request(scope), state["reference"])(scope, receive, answer)

    def _who(self, token: str) -> SignedIn | None:
        at = clock.now()
        with self.ponte.store.reading() as tx:
            found = accounts.signed_in(tx, token, at, required=self.required)
        if found is not None and at - found.session.last_seen_at >= accounts.TOUCH:
            with self.ponte.store.transaction() as tx:
                touch_session(tx, found.session.id, last_seen_at=at)
        return found

    def _language(self, cookies: dict[str, str], headers: Headers) -> str:
        chosen = cookies.get(LANGUAGE_COOKIE)
        if chosen in LANGUAGES:
            return chosen
        for wanted in headers.get("accept-language", "").split(","):
            if (code := wanted.strip()[:2].lower()) in LANGUAGES:
                return code
        return self.ponte.settings.language


def is_foreign(headers: Headers) -> bool:
    """Whether an unsafe request comes from another site's page (the way of Go 1.25: no token to carry around).

    Browsers say so in Sec-Fetch-Site, older ones in Origin. A request with neither comes from no browser, and a
    program that has somebody's cookie needs no trick.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != headers.get("host")
