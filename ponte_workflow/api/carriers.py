"""What carriers tell by themselves: a signed call of the SMS gateway for each SMS that came to an end. No token: a secret."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from ponte_workflow import clock
from ponte_workflow.api.calls import limited
from ponte_workflow.api.problems import RateLimited
from ponte_workflow.bootstrap import Ponte
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services import sms_fates
from ponte_workflow.services.throttling import Throttle

router = APIRouter()
LONGEST = 10_000  # bytes
HEADER = "ponte-signature"


async def small_body(request: Request) -> bytes:
    """The body as it came: the signature is over these bytes."""
    return b"".join([part async for part in limited(request, LONGEST).stream()])


def signed(request: Request) -> Request:
    """The rule of a call that shows a signature instead of a token; it is looked at where the body is known."""
    return request


signed.rule = "anybody"  # type: ignore[attr-defined]  # ANYBODY of web/visit.py: nobody has to be signed in


@router.post("/sms/status", include_in_schema=False)
def take_status(request: Annotated[Request, Depends(signed)], body: Annotated[bytes, Depends(small_body)]) -> Response:
    """What became of one SMS. 204, also when it was told before: a gateway may tell it twice."""
    throttle: Throttle = request.app.state.throttle
    if not throttle.lets_in("api", "sms gateway"):
        raise RateLimited(_("Too many calls: try again in {n} seconds").format(n=60), headers={"Retry-After": "60"})
    ponte: Ponte = request.app.state.ponte
    secret = ponte.settings.sms_secret.get_secret_value() if ponte.settings.sms_secret else None
    header, at = request.headers.get(HEADER, ""), clock.now()
    sms_fates.check_signature(body, header, secret, at)  # before a transaction begins for whoever comes along
    with ponte.store.transaction() as tx:
        sms_fates.take_call(tx, body, header, secret, at)
    return Response(status_code=204)
