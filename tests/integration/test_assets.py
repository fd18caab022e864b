"""Static files: light on a first visit, never asked for again, under names that follow from what is in them."""

import gzip
import hashlib
from datetime import timedelta

import pytest

from ponte_workflow import clock
from ponte_workflow.web.assets import assets
from tests.site import Site
from tests.weight import first_visit

HEAVIEST = 300_000  # bytes over the wire of a first visit
TODAY = clock.today()


def test_a_first_visit_to_a_full_worktray_is_light(site: Site) -> None:
    with site.ponte.store.transaction() as tx:
        for _n in range(50):
            code = site.team.open_case(tx, TODAY - timedelta(days=5)).code
            site.team.do(tx, "sara", code, "assign", TODAY, case_worker="wanda")
    browser = site.signed_in("wanda")
    loaded = first_visit(browser, "/")
    assert browser.get("/").text.count("data-row") == 50
    assert sum(one.wire for one in loaded) < HEAVIEST
    kinds = {one.type for one in loaded}
    assert kinds == {"text/html", "text/css", "text/javascript", "font/woff2", "image/svg+xml"}, "the parser saw it all"
    assert all(one.path == "/" or one.path.startswith("/static/") for one in loaded), "nothing from outside"


def test_what_a_page_loads_is_kept_for_ever_and_the_page_itself_never(site: Site) -> None:
    page, *files = first_visit(site.signed_in("wanda"), "/")
    assert page.headers["cache-control"] == "no-store" and page.headers["content-encoding"] == "gzip"
    assert files
    for one in files:
        assert one.headers["cache-control"] == "public, max-age=31536000, immutable", one.path
        assert one.headers["vary"] == "Accept-Encoding" and one.headers["x-content-type-options"] == "nosniff"
        assert "set-cookie" not in one.headers


def test_the_name_of_a_file_follows_from_what_is_in_it(site: Site) -> None:
    visitor = site.visitor()
    for name, asset in assets().items():
        answer = visitor.get(asset.url, headers={"accept-encoding": "identity"})
        assert answer.status_code == 200 and "content-encoding" not in answer.headers
        assert asset.url == f"/static/{hashlib.sha256(answer.content).hexdigest()[:12]}/{name}"


def test_files_are_compressed_once_for_those_who_take_it(site: Site) -> None:
    for asset in assets().values():
        answer = site.visitor().get(asset.url, headers={"accept-encoding": "gzip"})
        assert answer.content == asset.plain
        if asset.type == "font/woff2":  # compressed by its format
            assert asset.compressed is None and "content-encoding" not in answer.headers
        else:
            assert asset.compressed is not None and gzip.decompress(asset.compressed) == asset.plain
            assert answer.headers["content-encoding"] == "gzip"
            assert int(answer.headers["content-length"]) == len(asset.compressed) < len(asset.plain)


@pytest.mark.parametrize(
    "path",
    [
        "/static/000000000000/ponte.css",
        "/static/{digest}/gate.py",
        "/static/{digest}/",
        "/static/{digest}",
        "/static/ponte.css",
        "/static/{digest}/../gate.py",
        "/static/{digest}/%2e%2e/gate.py",
        "/static/{digest}/..%2fgate.py",
        "/static/{digest}/..%5cgate.py",
        "/static/%2e%2e%2f%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "/static/{digest}/%2fetc%2fpasswd",
        "/static/{digest}/ponte.css%00.txt",
        "/static//ponte.css",
    ],
)
def test_nothing_but_the_listed_files_is_ever_served(site: Site, path: str) -> None:
    asked = path.format(digest=assets()["ponte.css"].digest)
    answer = site.visitor().get(asked)
    assert answer.status_code == 404
    assert "import" not in answer.text and "root:" not in answer.text
