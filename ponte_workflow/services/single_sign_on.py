"""Single sign-on (OpenID Connect): the way to the provider and back, what its token must hold, and who that is here."""

import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import httpx
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from ponte_workflow.errors import BadConfiguration, NotAllowed, PonteError
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services.accounts import by_login_name
from ponte_workflow.store import access, accounts, network
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.network import Member

# Signed by a private key of the provider's: with HS256 its public key could be used as a secret.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
LEEWAY = 60  # seconds by which clocks may differ
FRESH = timedelta(hours=1)  # how long the provider's document and keys are kept
_LOCAL = ("127.0.0.1", "::1", "localhost")


class ProviderSilent(PonteError):
    """The provider does not answer, or not as it should."""

    status = 502


@dataclass(frozen=True, slots=True)
class Pending:
    """What has to come back from the provider."""

    state: str
    nonce: str
    verifier: str  # PKCE (RFC 7636)


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom the provider vouches for. `subject` holds issuer and subject hashed: another issuer is another world."""

    subject: str
    username: str | None


@dataclass
class Provider:
    """An OpenID provider and Ponte as its client. Its documents are fetched when needed and kept for an hour."""

    issuer: str
    client_id: str
    client_secret: str | None
    username_claim: str
    timeout: float = 10.0
    _lock: Lock = field(default_factory=Lock, repr=False)
    _document: dict[str, Any] = field(default_factory=dict, repr=False)
    _keys: KeySet | None = field(default=None, repr=False)
    _fetched_at: datetime | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not _is_safe(self.issuer):
            raise BadConfiguration(
                _("PONTE_OIDC_ISSUER must begin with https:// (a provider on this machine: http://)")
            )

    def begin(self, redirect_uri: str, at: datetime) -> tuple[str, Pending]:
        """The provider's address to go to, and what has to come back."""
        document, _keys = self._known(at)
        pending = Pending(*(secrets.token_urlsafe(32) for _n in range(3)))
        challenge = base64.urlsafe_b64encode(hashlib.sha256(pending.verifier.encode()).digest()).rstrip(b"=")
        query = {
            "response_type": "code",
            "scope": "openid profile email",
            "client_id": self.client_id,
            "redirect_uri": redirect_uri,
            "state": pending.state,
            "nonce": pending.nonce,
            "code_challenge": challenge.decode(),
            "code_challenge_method": "S256",
        }
        where = document["authorization_endpoint"]
        return f"{where}{'&' if urlsplit(where).query else '?'}{urlencode(query)}", pending

    def finish(self, pending: Pending, answer: Mapping[str, str], redirect_uri: str, at: datetime) -> Identity:
        """Whom the provider's answer (its query) stands for; refused with `NotAllowed` when anything is not as it was."""
        if not secrets.compare_digest(pending.state.encode(), answer.get("state", "").encode()):
            raise _refusal()
        if answer.get("iss", self.issuer) != self.issuer or not answer.get("code"):  # RFC 9207; or `error`
            raise _refusal()
        document, keys = self._known(at)
        tokens = self._exchange(document, pending, answer["code"], redirect_uri)
        claims = self._claims(tokens.get("id_token"), keys, pending.nonce, at)
        subject = hashlib.sha256(f"{self.issuer}\n{claims['sub']}".encode()).hexdigest()
        if self.username_claim not in claims and "userinfo_endpoint" in document:
            claims = self._userinfo(document, tokens) | claims
        return Identity(subject, self._username(claims))

    def _claims(self, token: object, keys: KeySet, nonce: str, at: datetime) -> dict[str, Any]:
        wanted = jwt.JWTClaimsRegistry(
            now=int(at.timestamp()),
            leeway=LEEWAY,
            iss={"essential": True, "value": self.issuer},
            aud={"essential": True, "value": self.client_id},
            nonce={"essential": True, "value": nonce},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
        )
        try:
            found = self._decoded(str(token), keys, at)
            wanted.validate(found)
        except (JoseError, ValueError, OverflowError) as error:
            raise _refusal() from error
        if found.get("azp", self.client_id) != self.client_id:
            raise _refusal()
        if isinstance(found["aud"], list) and len(found["aud"]) > 1 and "azp" not in found:
            raise _refusal()
        return found

    def _decoded(self, token: str, keys: KeySet, at: datetime) -> dict[str, Any]:
        try:
            return jwt.decode(token, keys, algorithms=ALGORITHMS).claims
        except InvalidKeyIdError:  # providers change their keys
            return jwt.decode(token, self._known(at, anew=True)[1], algorithms=ALGORITHMS).claims

    def _username(self, claims: Mapping[str, Any]) -> str | None:
        name = claims.get(self.username_claim)
        if self.username_claim == "email" and claims.get("email_verified") is not True:
            return None  # anybody could have written it there
        return name if isinstance(name, str) and name.strip() else None

    def _exchange(self, document: Mapping[str, Any], pending: Pending, code: str, redirect_uri: str) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": pending.verifier,
        }
        methods = document.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        if self.client_secret is None:
            return self._ask("POST", document["token_endpoint"], data=form | {"client_id": self.client_id})
        if "client_secret_basic" in methods:
            auth = (quote(self.client_id, safe=""), quote(self.client_secret, safe=""))  # RFC 6749, 2.3.1
            return self._ask("POST", document["token_endpoint"], data=form, auth=auth)
        own = {"client_id": self.client_id, "client_secret": self.client_secret}
        return self._ask("POST", document["token_endpoint"], data=form | own)

    def _userinfo(self, document: Mapping[str, Any], tokens: Mapping[str, Any]) -> dict[str, Any]:
        bearer = {"Authorization": f"Bearer {tokens.get('access_token', '')}"}
        return self._ask("GET", document["userinfo_endpoint"], headers=bearer)

    def _known(self, at: datetime, *, anew: bool = False) -> tuple[dict[str, Any], KeySet]:
        with self._lock:
            if anew or self._keys is None or self._fetched_at is None or at - self._fetched_at >= FRESH:
                document = self._ask("GET", f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
                ends = [document.get(end) for end in ("authorization_endpoint", "token_endpoint", "jwks_uri")]
                ends.append(document.get("userinfo_endpoint", document.get("jwks_uri")))
                if document.get("issuer") != self.issuer or not all(isinstance(e, str) and _is_safe(e) for e in ends):
                    raise _silence()
                keys = self._ask("GET", document["jwks_uri"]).get("keys", [])
                self._keys = _key_set(keys)
                self._document, self._fetched_at = document, at
            return self._document, self._keys

    def _ask(self, method: str, url: str, **kwargs: Any) -> dict[str, Any]:
        try:
            answer = httpx.request(method, url, timeout=self.timeout, follow_redirects=False, **kwargs)
            found = answer.json() if answer.status_code == 200 else None
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise _silence() from error
        if isinstance(found, dict):
            return found
        # 400 is how the provider refuses a code that is used up or was never given (RFC 6749, 5.2).
        raise _refusal() if answer.status_code == 400 else _silence()


def recognise(tx: Transaction, identity: Identity, at: datetime) -> Member:
    """Who that is at Ponte. At the first sign-in the username binds the subject; from then on the subject decides.

    No account is made: whoever is unknown, inactive or bound to another subject is refused with one sentence.
    """
    staff_id = accounts.staff_of_subject(tx, identity.subject)
    if staff_id is not None:
        member = network.members(tx)[staff_id]
        if not member.active:
            raise _stranger()
        return member
    found = by_login_name(tx, identity.username) if identity.username else None
    if found is None or not found.active or not accounts.bind_subject(tx, found.id, identity.subject):
        raise _stranger()
    access.record(tx, staff_id=found.id, at=at, what="account.single_sign_on", household_id=None, detail="on")
    return found


def forget(tx: Transaction, staff_id: int, at: datetime) -> None:
    """The next single sign-on binds anew, by the username; open sessions end."""
    accounts.put_credential(tx, staff_id, oidc_subject=None)
    accounts.revoke_sessions(tx, staff_id, at)
    access.record(tx, staff_id=staff_id, at=at, what="account.single_sign_on", household_id=None, detail="off")


def _key_set(keys: object) -> KeySet:
    if not isinstance(keys, list):
        raise _silence()
    ours = [
        key for key in keys if isinstance(key, dict) and key.get("kty") in ("RSA", "EC") and key.get("use") != "enc"
    ]
    try:
        return KeySet.import_key_set({"keys": ours})
    except (JoseError, ValueError) as error:
        raise _silence() from error


def _is_safe(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOCAL)


def _refusal() -> NotAllowed:
    return NotAllowed(_("The single sign-on did not succeed: begin again from here"))


def _stranger() -> NotAllowed:
    return NotAllowed(_("You are known there, but have no account in Ponte: ask the administrator"))


def _silence() -> ProviderSilent:
    return ProviderSilent(_("The single sign-on does not answer. Try again later, or sign in with your password."))
