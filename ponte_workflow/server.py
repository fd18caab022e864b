"""What one process serves: the pages, the API beside them, and whether it is alive."""

from fastapi import FastAPI
from starlette.responses import JSONResponse, Response

from ponte_workflow.bootstrap import Ponte
from ponte_workflow.web.app import create_app


def build(ponte: Ponte) -> FastAPI:
    """The ASGI application."""
    app = create_app(ponte)

    @app.get("/health/live")
    def live() -> Response:
        """The process answers."""
        return JSONResponse({"status": "alive"})

    return app
