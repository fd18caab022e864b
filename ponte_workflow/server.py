"""What one process serves: the pages, the API beside them, whether it is alive and ready, and its numbers."""

import gc
import hmac
import re

from fastapi import Depends, FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount

from ponte_workflow import clock
from ponte_workflow.api.app import create_api
from ponte_workflow.bootstrap import Ponte
from ponte_workflow.errors import PonteError
from ponte_workflow.log import log
from ponte_workflow.services import metrics
from ponte_workflow.store import migrate
from ponte_workflow.store.engine import reachable
from ponte_workflow.web.app import create_app
from ponte_workflow.web.visit import open_to_all

NEAR = ("127.0.0.1", "::1")


def build(ponte: Ponte) -> FastAPI:
    """The ASGI application."""
    app = create_app(ponte)
    api = Mount("/api/v1", create_api(ponte))
    # Without it an address with a line break (%0A) would be answered by a page instead of a problem document.
    api.path_regex = re.compile(api.path_regex.pattern, re.DOTALL)
    app.router.routes.append(api)

    @app.get("/health/live", dependencies=[Depends(open_to_all)])
    def live() -> Response:
        """The process answers."""
        return JSONResponse({"status": "alive"})

    @app.get("/health/ready", dependencies=[Depends(open_to_all)])
    def ready() -> Response:
        """The database answers and has the version of this program, or a newer one (an upgrade is under way and this
        process goes on until it is replaced); else 503, and the log says why."""
        try:
            reachable(ponte.store.engine)
            migrate.check(ponte.store.engine, under_way=True)
        except PonteError as refusal:
            log.error("not ready", why=type(refusal).__name__)
            return JSONResponse({"status": "not ready"}, status_code=503)
        return JSONResponse({"status": "ready"})

    @app.get("/metrics", dependencies=[Depends(open_to_all)])
    def numbers(request: Request) -> Response:
        """For Prometheus: to whoever shows PONTE_METRICS_TOKEN; without one, to this machine alone."""
        if not _may_measure(ponte, request):
            return JSONResponse({"status": "not for you"}, status_code=403)
        content = metrics.exposition(ponte.store, request.app.state.requests, clock.now())
        return Response(content, media_type=metrics.CONTENT_TYPE)

    return app


def spare_the_collector() -> None:
    """Keep what the start has made out of the garbage collector's way, for good: it lives as long as the process, and
    walking all of it in the middle of a request made one page in a hundred wait for 0.2 seconds."""
    gc.collect()
    gc.freeze()


def _may_measure(ponte: Ponte, request: Request) -> bool:
    token = ponte.settings.metrics_token
    if token is None:
        # Behind a proxy everybody comes from this machine: then a token is wanted.
        return (request.client.host if request.client else "") in NEAR and "x-forwarded-for" not in request.headers
    shown = request.headers.get("authorization", "").removeprefix("Bearer ")
    return hmac.compare_digest(shown.encode(), token.get_secret_value().encode())
