"""The file that a household may ask for: everything that is kept about it, and who has looked at it."""

import json
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from ponte_workflow.services.disclosure import everything_about
from ponte_workflow.web.visit import Visit, needs

router = APIRouter()


@router.get("/cases/{code}/export.json")
def export(visit: Annotated[Visit, Depends(needs("household.export"))], code: str) -> Response:
    """A JSON file to download; its name has the case's code only."""
    with visit.reading() as tx:
        found = everything_about(tx, visit.who, code)
    return Response(
        json.dumps(found, ensure_ascii=False, indent=2),
        media_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="{found["case"]}.json"'},
    )
