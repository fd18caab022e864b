"""Calls that come twice: one key, one deed. The key and the answer commit together with what was done."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from pydantic import BaseModel
from starlette.responses import Response

from ponte_workflow.api.calls import Call
from ponte_workflow.api.problems import CallUnderWay, KeyReused
from ponte_workflow.i18n import gettext as _
from ponte_workflow.store import integrations
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.integrations import Kept

KEPT = timedelta(hours=24)
REPLAYED = "Idempotent-Replayed"


class UnderWay:
    """The keys of calls that this process is working on."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys: set[tuple[int, str]] = set()

    def take(self, one: tuple[int, str]) -> bool:
        """False when it is taken already."""
        with self._lock:
            if one in self._keys:
                return False
            self._keys.add(one)
            return True

    def give_back(self, one: tuple[int, str]) -> None:
        """The call has ended."""
        with self._lock:
            self._keys.discard(one)


def fingerprint(call: Call, *asked: object) -> str:
    """What a call asks for: the same call sent again has the same one, however its JSON was written."""
    parts = [call.request.method, call.request.url.path, *asked]
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


@contextmanager
def alone(call: Call, key: str) -> Iterator[None]:
    """No other call with this key runs meanwhile."""
    under_way: UnderWay = call.request.app.state.under_way
    one = (call.caller.token.id, key)
    if not under_way.take(one):
        raise _under_way()
    try:
        yield
    finally:
        under_way.give_back(one)


def begin(tx: Transaction, call: Call, key: str, asked: str) -> Response | None:
    """Take the key; None: go on, and `keep` the answer in this transaction. Else the answer of the first call, again.

    A refusal rolls the key back with everything else: nothing was done, so nothing is remembered.
    """
    token_id = call.caller.token.id
    kept = integrations.begin_call(tx, token_id, key, asked, call.at, kept_since=call.at - KEPT)
    return None if kept is None else _again(kept, asked)


def earlier(tx: Transaction, call: Call, key: str, asked: str) -> Response | None:
    """The answer of the first call with this key, if there was one; takes nothing."""
    kept = integrations.kept_call(tx, call.caller.token.id, key)
    return None if kept is None else _again(kept, asked)


def keep(
    tx: Transaction, call: Call, key: str, answer: BaseModel, *, status: int = 200, version: int | None = None
) -> Response:
    """Keep the answer for repetitions, and give it."""
    headers = {} if version is None else {"ETag": f'"{version}"'}
    body = answer.model_dump_json()
    text = json.dumps({"headers": headers, "body": body}, ensure_ascii=False)
    integrations.end_call(tx, call.caller.token.id, key, status, text)
    return Response(body, status_code=status, headers=headers, media_type="application/json")


def _again(kept: Kept, asked: str) -> Response:
    if kept.request_hash != asked:
        raise KeyReused(_("This Idempotency-Key was used for another call: take a new one"), field="Idempotency-Key")
    if not kept.status:
        raise _under_way()
    known = json.loads(kept.answer)
    headers = {**known["headers"], REPLAYED: "true"}
    return Response(known["body"], status_code=kept.status, headers=headers, media_type="application/json")


def _under_way() -> CallUnderWay:
    return CallUnderWay(
        _("The first call with this Idempotency-Key has not ended: ask again in a moment"), field="Idempotency-Key"
    )
