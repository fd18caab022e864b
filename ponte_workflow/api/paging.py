"""Pages by cursor: where the next one begins, opaque to whoever holds it, in the body and in a Link header."""

import base64
import binascii
import re
from typing import Annotated

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from ponte_workflow.api.problems import InvalidRequest
from ponte_workflow.i18n import gettext as _

LONGEST, USUAL = 200, 50
_PLACE = re.compile(r"([a-z]+):([0-9]{1,18})")

Limit = Annotated[int, Query(ge=1, le=LONGEST, description="How many at most")]
_SIGNS = {"max_length": 60, "pattern": "^[A-Za-z0-9_-]*$"}
Cursor = Annotated[
    str | None, Query(alias="cursor", description="`next` of the page before; leave it out to begin", **_SIGNS)
]
After = Annotated[str | None, Query(description="`next` of the call before; leave it out to begin", **_SIGNS)]


def cursor(kind: str, place: int) -> str:
    """The cursor of a place in a list of that kind."""
    return base64.urlsafe_b64encode(f"{kind}:{place}".encode()).decode().rstrip("=")


def place(kind: str, given: str | None) -> int | None:
    """The place that a cursor means; None without one. A cursor of another list is refused."""
    if not given:
        return None
    try:
        text = base64.urlsafe_b64decode(given + "=" * (-len(given) % 4)).decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        text = ""
    match = _PLACE.fullmatch(text)
    if match is None or match[1] != kind:
        raise InvalidRequest(_("This cursor does not belong to this list: begin without one"), field="cursor")
    return int(match[2])


def link(request: Request, response: Response, following: str | None, name: str = "cursor") -> None:
    """The Link header of a page that has one after it."""
    if following is not None:
        address = request.url.include_query_params(**{name: following})
        response.headers["Link"] = f'<{address.path}?{address.query}>; rel="next"'
