"""A small OpenID provider for tests, on a port of its own: it vouches for whom it is told to, rightly or wrongly."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.browser import served

CLIENT, SECRET = "ponte", "a secret of the client"


@dataclass
class OidcProvider:
    """`claims` and `key` override what its tokens hold and who signs them."""

    issuer: str = ""
    username: str = "wanda"
    subject: str = "subject-1"
    claims: dict[str, Any] = field(default_factory=dict)
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one", "use": "sig"}))
    forger: RSAKey | None = None
    issued: dict[str, dict[str, str]] = field(default_factory=dict)  # code: what was asked
    lock: threading.Lock = field(default_factory=threading.Lock)

    def app(self) -> Starlette:
        """Its four addresses."""
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._document),
                Route("/keys", self._keys),
                Route("/authorize", self._authorize),
                Route("/token", self._token, methods=["POST"]),
            ]
        )

    def _document(self, request: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
            }
        )

    def _keys(self, request: Request) -> Response:
        return JSONResponse({"keys": [self.key.as_dict(private=False)]})

    def _authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        code = f"code-{len(self.issued)}"
        self.issued[code] = asked
        return RedirectResponse(f"{asked['redirect_uri']}?code={code}&state={asked['state']}", status_code=303)

    async def _token(self, request: Request) -> Response:
        form = dict(await request.form())
        with self.lock:
            asked = self.issued.pop(str(form["code"]), None)  # a code is worth one token
        if asked is None or not _verifies(str(form.get("code_verifier")), asked["code_challenge"]):
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "sub": self.subject,
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            "preferred_username": self.username,
        } | self.claims
        signer = self.forger or self.key
        return JSONResponse(
            {"token_type": "Bearer", "id_token": jwt.encode({"alg": "RS256", "kid": "one"}, claims, signer)}
        )


def _verifies(verifier: str, challenge: str) -> bool:
    import base64
    import hashlib

    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode() == challenge


@contextmanager
def running() -> Iterator[OidcProvider]:
    """The provider, listening."""
    provider = OidcProvider()
    with served(provider.app()) as address:
        provider.issuer = address
        yield provider
