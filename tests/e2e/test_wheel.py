"""The wheel, installed elsewhere, works: YAML, templates, migrations and catalogues travel with it."""

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PAGE = """
from starlette.testclient import TestClient
from ponte_workflow.bootstrap import open_ponte
from ponte_workflow.server import build
browser = TestClient(build(open_ponte()), base_url="https://ponte.test")
print(browser.get("/sign-in").text, browser.get("/cases").url)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this repository, built without network."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
    )
    return next(folder.glob("*.whl"))


def test_the_wheel_holds_what_is_not_python(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for wanted in (
        "states/pathways/san_polo.yaml",
        "notifications/messages/digest/body.it.html",
        "flows/console.py",
        "ponte_workflow/store/migrations/versions/0001_spine.py",
        "ponte_workflow/locale/it/LC_MESSAGES/ponte.mo",
        "ponte_workflow/web/templates/base.html",
        "ponte_workflow/web/static/ponte.css",
        "ponte_workflow/services/common_passwords.txt",
    ):
        assert wanted in names
    assert not [name for name in names if name.startswith("tests/")]


def test_the_wheel_installed_elsewhere_runs(wheel: Path, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "venv")], check=True)
    site = tmp_path / "venv" / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    zipfile.ZipFile(wheel).extractall(site)
    # Its dependencies are those of this environment; Ponte itself comes from the wheel, which stands before them.
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PONTE_")},
        "PYTHONPATH": os.pathsep.join([str(site), sysconfig.get_paths()["purelib"]]),
        "PONTE_HOME": str(tmp_path / "home"),
        "PONTE_LANGUAGE": "it",
    }
    python = tmp_path / "venv" / "bin" / "python"

    def ponte(*words: str) -> str:
        done = subprocess.run(
            [python, "-m", "flows.console", *words],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    where = subprocess.run(
        [python, "-c", "import states, flows; print(states.__file__, flows.__file__)"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert where.count(str(site)) == 2
    ponte("--help")
    ponte("db", "key")
    assert "aggiornata" in ponte("db", "upgrade")
    assert "un_ponte_sul_blu" in ponte(
        "pathway", "validate", str(site / "states" / "pathways" / "un_ponte_sul_blu.yaml")
    )
    ponte("nightly", "--on", "2026-11-02", "--without-prefect")
    page = subprocess.run(
        [python, "-W", "ignore", "-c", PAGE], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert page.returncode == 0, page.stderr
    assert "<h1>Accedi</h1>" in page.stdout and "/static/" in page.stdout
