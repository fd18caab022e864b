"""The web application put together: pages, static files, gate and refusals."""

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Route

from ponte_workflow.bootstrap import Ponte
from ponte_workflow.services.metrics import Requests
from ponte_workflow.services.throttling import Throttle
from ponte_workflow.web import (
    account,
    administration,
    assets,
    audit_pages,
    calendar_feed,
    caseloads,
    cases,
    certified_pages,
    contacts,
    costs,
    directory,
    disclosure,
    events,
    glass,
    heat,
    inbox,
    letter_pages,
    mending,
    message_pages,
    night_pages,
    partner_pages,
    pathway_pages,
    people,
    pips,
    plans,
    proposals,
    receipts,
    refusals,
    sign_in,
    single_sign_on,
    steps,
    supervision,
    tasks,
    teams,
    uploads,
    vulnerability,
    work,
)
from ponte_workflow.web.gate import Gate

ROUTERS = (
    sign_in.router,
    single_sign_on.router,
    account.router,
    glass.router,
    inbox.router,
    work.router,
    tasks.router,
    calendar_feed.router,
    disclosure.router,
    cases.router,
    contacts.router,
    vulnerability.router,
    steps.router,
    events.router,
    directory.router,
    pips.router,
    plans.router,
    receipts.router,
    proposals.router,
    night_pages.router,
    caseloads.router,
    supervision.router,
    heat.router,
    letter_pages.router,
    certified_pages.router,
    costs.router,
    administration.router,
    people.router,
    teams.router,
    partner_pages.router,
    uploads.router,
    mending.router,
    pathway_pages.router,
    message_pages.router,
    audit_pages.router,
)


def create_app(ponte: Ponte) -> FastAPI:
    """The pages, as an ASGI application."""
    requests = Requests()
    app = FastAPI(
        title="Ponte",
        openapi_url=None,  # pages are no API: that one is at /api/v1
        docs_url=None,
        redoc_url=None,
        # The gate is outermost, so that whatever fails inside bears its headers and becomes a page with a reference.
        middleware=[
            Middleware(Gate, ponte=ponte, broken=refusals.broken, refused=refusals.refused, requests=requests),
            Middleware(GZipMiddleware, minimum_size=1000, compresslevel=5),
        ],
    )
    app.state.ponte = ponte
    if ponte.settings.ibans:
        _ = ponte.ibans  # an account that cannot be is refused at the start, not when somebody is about to pay
    app.state.throttle = Throttle()
    app.state.requests = requests
    app.router.routes.append(Route("/static/{digest}/{name}", assets.serve, methods=["GET"], name="static"))
    refusals.install(app)
    for router in ROUTERS:
        app.include_router(router)
    return app
