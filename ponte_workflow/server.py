"""What one process serves: the pages, the API beside them, and whether it is alive."""

from fastapi import Depends, FastAPI
from starlette.responses import JSONResponse, Response

from ponte_workflow.api.app import create_api
from ponte_workflow.bootstrap import Ponte
from ponte_workflow.web.app import create_app
from ponte_workflow.web.visit import open_to_all


def build(ponte: Ponte) -> FastAPI:
    """The ASGI application."""
    app = create_app(ponte)
    app.mount("/api/v1", create_api(ponte))

    @app.get("/health/live", dependencies=[Depends(open_to_all)])
    def live() -> Response:
        """The process answers."""
        return JSONResponse({"status": "alive"})

    return app
