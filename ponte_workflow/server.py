"""What one process serves: the pages, the API beside them, and whether it is alive."""

import re

from fastapi import Depends, FastAPI
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount

from ponte_workflow.api.app import create_api
from ponte_workflow.bootstrap import Ponte
from ponte_workflow.web.app import create_app
from ponte_workflow.web.visit import open_to_all


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

    return app
