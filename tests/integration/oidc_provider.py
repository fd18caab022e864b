"""A small OpenID provider for tests: a real server on this machine, strict about codes, that can be told to misbehave."""

import base64
import hashlib
import hmac
import json
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

CLIENT, SECRET = "ponte", "a secret: with / and %"


@dataclass
class FakeTown:
    """The town's identity provider. `person`: who is signed in there; `spoil`: claims that its tokens get wrong."""

    port: int
    person: dict[str, Any] = field(default_factory=lambda: {"sub": "u-1", "preferred_username": "wanda"})
    spoil: dict[str, Any] = field(default_factory=dict)
    without: tuple[str, ...] = ()  # claims that its tokens lack
    alg: str = "RS256"
    broken: bool = False
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, auto_kid=True))
    signs_with: RSAKey | None = None  # another key than the published one
    asked: dict[str, int] = field(default_factory=dict)
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)
    _tokens: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def app(self) -> Starlette:
        ends = {
            "/.well-known/openid-configuration": self._document,
            "/jwks": self._jwks,
            "/authorize": self._authorize,
            "/token": self._token,
            "/userinfo": self._userinfo,
        }
        return Starlette(routes=[Route(path, end, methods=["GET", "POST"]) for path, end in ends.items()])

    def _count(self, name: str) -> None:
        self.asked[name] = self.asked.get(name, 0) + 1

    async def _document(self, request: Request) -> Response:
        self._count("document")
        if self.broken:
            return Response("no", status_code=503)
        ends = {"authorization": "authorize", "token": "token", "userinfo": "userinfo"}
        return JSONResponse(
            {"issuer": self.spoil.get("document_issuer", self.issuer), "jwks_uri": f"{self.issuer}/jwks"}
            | {f"{name}_endpoint": f"{self.issuer}/{path}" for name, path in ends.items()}
        )

    async def _jwks(self, request: Request) -> Response:
        self._count("jwks")
        other = {"kty": "OKP", "crv": "X25519", "x": "AAAA", "use": "enc", "kid": "not-for-us"}
        return JSONResponse({"keys": [other, self.key.as_dict(private=False) | {"use": "sig"}]})

    async def _authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        assert asked["response_type"] == "code" and "openid" in asked["scope"].split()
        assert asked["client_id"] == CLIENT and asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self._codes[code] = asked
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}")

    async def _token(self, request: Request) -> Response:
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        user, _colon, password = (
            base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode().partition(":")
        )
        if (unquote(user), unquote(password)) != (CLIENT, SECRET):
            return JSONResponse({"error": "invalid_client"}, status_code=401)
        asked = self._codes.pop(form["code"], None)  # a code is good once
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if asked is None or challenge != asked["code_challenge"] or form["redirect_uri"] != asked["redirect_uri"]:
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        access = secrets.token_urlsafe(16)
        self._tokens[access] = self.person
        return JSONResponse({"access_token": access, "token_type": "Bearer", "id_token": self._id_token(asked)})

    async def _userinfo(self, request: Request) -> Response:
        person = self._tokens.get(request.headers["authorization"].removeprefix("Bearer "))
        return JSONResponse(person) if person else Response("", status_code=401)

    def _id_token(self, asked: dict[str, str]) -> str:
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": asked["nonce"]}
        claims |= self.person | self.spoil
        key = self.signs_with or self.key
        for name in self.without:
            del claims[name]
        header = {"alg": self.alg, "kid": self.key.kid}
        return jwt.encode(header, claims, key) if self.alg == "RS256" else self._forged(header, claims)

    def _forged(self, header: dict[str, Any], claims: dict[str, Any]) -> str:
        """Signed with the public key as if it were a secret, or not at all: no library would write it."""
        parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, claims)]
        public = self.key.as_pem(private=False)
        digest = hmac.digest(public, b".".join(parts), "sha256") if self.alg == "HS256" else b""
        return b".".join([*parts, base64.urlsafe_b64encode(digest).rstrip(b"=")]).decode()


@contextmanager
def running() -> Iterator[FakeTown]:
    """A provider that answers, on a free port of this machine."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        town = FakeTown(listener.getsockname()[1])
        server = uvicorn.Server(uvicorn.Config(town.app(), log_level="warning", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield town
        finally:
            server.should_exit = True
            thread.join(10)
