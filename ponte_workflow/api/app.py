"""The API put together, to be mounted at /api/v1."""

from typing import Annotated

from fastapi import Body, FastAPI, Request
from starlette.middleware import Middleware
from starlette.responses import JSONResponse

from ponte_workflow.api import (
    carriers,
    cases,
    desk,
    examples,
    ledger,
    messages,
    network,
    nights,
    openapi,
    pips,
    plans,
    problems,
    reach,
    safety,
    work,
)
from ponte_workflow.api.answers import EventTold
from ponte_workflow.api.repeating import UnderWay
from ponte_workflow.bootstrap import Ponte
from ponte_workflow.services.throttling import Throttle

ROUTERS = (
    cases.router,
    pips.router,
    plans.router,
    desk.router,
    network.router,
    safety.router,
    messages.router,
    work.router,
    ledger.router,
    nights.router,
    reach.router,
    carriers.router,
)


def create_api(ponte: Ponte) -> FastAPI:
    """The JSON API, as an ASGI application."""
    app = FastAPI(
        title="Ponte",
        openapi_url=None,  # served below: as complete as its test wants it
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        middleware=[Middleware(problems.Unbroken)],
    )
    app.state.ponte = ponte
    app.state.throttle = Throttle()
    app.state.under_way = UnderWay()
    problems.install(app)
    for router in ROUTERS:
        app.include_router(router)

    @app.webhooks.post("case-event", tags=["events"], summary="Something happened to a case")
    def case_event(event: Annotated[EventTold, Body(examples=[examples.EVENT])]) -> None:
        """Sent to each webhook (`ponte webhook add`), signed in `Ponte-Signature: t=SECONDS,v1=HEX`: HMAC-SHA256 of
        `SECONDS.BODY` with the secret. Answer 2xx; anything else is tried again, for about 17 hours."""

    @app.get("/openapi.json", include_in_schema=False)
    def document(request: Request) -> JSONResponse:
        """This API, for programs; open to all, since it holds nobody's data."""
        return JSONResponse(openapi.document(request.app))  # not this `app`: FastAPI remembers endpoints for good

    app.openapi = lambda: openapi.document(app)  # type: ignore[method-assign]
    return app
