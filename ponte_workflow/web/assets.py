"""Static files under hashed names: ours, Bootstrap Italia's and htmx, compressed once, cached by browsers for ever."""

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from starlette.requests import Request
from starlette.responses import Response

TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "woff2": "font/woff2",
    "ico": "image/x-icon",
}
_TITILLIUM = "fonts/Titillium_Web/titillium-web-v10-latin-ext_latin-{}.woff2"
# Name: (package, path in it). Only what is listed here is ever served: no path of a request reaches the file system.
_LISTED: dict[str, tuple[str, str]] = {
    "bootstrap-italia.css": ("bootstrap_italia_template", "static/css/bootstrap-italia.min.css"),
    "icons.svg": ("bootstrap_italia_template", "static/svg/sprites.svg"),
    "titillium-regular.woff2": ("bootstrap_italia_template", f"static/{_TITILLIUM.format('regular')}"),
    "titillium-600.woff2": ("bootstrap_italia_template", f"static/{_TITILLIUM.format('600')}"),
    "titillium-700.woff2": ("bootstrap_italia_template", f"static/{_TITILLIUM.format('700')}"),
    "htmx.js": ("django_htmx", "static/django_htmx/htmx-2.min.js"),
    "ponte.css": ("ponte_workflow.web", "static/ponte.css"),
    "ponte.js": ("ponte_workflow.web", "static/ponte.js"),
    "ponte.svg": ("ponte_workflow.web", "static/ponte.svg"),
}
_FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    """A static file as it is served."""

    name: str
    digest: str
    type: str
    plain: bytes
    compressed: bytes | None  # None: it is compressed already

    @property
    def url(self) -> str:
        """Its address; another content has another one."""
        return f"/static/{self.digest}/{self.name}"


@cache
def assets() -> dict[str, Asset]:
    """Every static file by name, read and compressed once."""
    found = {name: _load(name, *place) for name, place in _LISTED.items() if name != "ponte.css"}
    # Our style sheet names the fonts by their hashed addresses.
    css = _read(*_LISTED["ponte.css"]).decode()
    for name, asset in found.items():
        css = css.replace(f"asset({name})", f'url("{asset.url}")')
    found["ponte.css"] = _asset("ponte.css", css.encode())
    return found


def serve(request: Request) -> Response:
    """GET /static/{digest}/{name}."""
    asset = assets().get(request.path_params["name"])
    if asset is None or asset.digest != request.path_params["digest"]:
        return Response("", status_code=404)
    headers = {"Cache-Control": _FOR_EVER, "Vary": "Accept-Encoding", "ETag": f'"{asset.digest}"'}
    if asset.compressed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        return Response(asset.compressed, media_type=asset.type, headers=headers | {"Content-Encoding": "gzip"})
    return Response(asset.plain, media_type=asset.type, headers=headers)


def _load(name: str, package: str, path: str) -> Asset:
    return _asset(name, _read(package, path))


def _read(package: str, path: str) -> bytes:
    # Not import_module: the theme's package would want Django. Its files are all we use.
    place: Traversable = files(package)
    for part in path.split("/"):
        place = place / part
    return place.read_bytes()


def _asset(name: str, content: bytes) -> Asset:
    kind = name.rpartition(".")[2]
    digest = hashlib.sha256(content).hexdigest()[:12]
    compressed = None if kind == "woff2" else gzip.compress(content, 9, mtime=0)
    return Asset(name, digest, TYPES[kind], content, compressed)
