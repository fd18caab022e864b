"""The rule of every migration after the first release: it only adds, so that the version before works on while it runs."""

import ast
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, MetaData, String, UniqueConstraint, inspect

from ponte_workflow.store import migrate
from ponte_workflow.store.engine import open_engine

FOLDER = migrate.MIGRATIONS / "versions"
SCRIPTS = ScriptDirectory.from_config(migrate.configuration())
REVISIONS = [script.revision for script in reversed(list(SCRIPTS.walk_revisions()))]
FIRST_RELEASE = "0001"
LATER = [path for path in sorted(FOLDER.glob("[0-9]*.py")) if path.name[:4] > FIRST_RELEASE]
TAKES_AWAY = {"alter_column", "batch_alter_table", "rename_table", "bulk_insert"}
WORDS = re.compile(
    r"\b(DROP|RENAME|TRUNCATE|ALTER\s+(TABLE|COLUMN|TYPE)|DELETE\s+FROM|SET\s+NOT\s+NULL)\b", re.IGNORECASE
)
# (file, what): why it is no harm to the version before.
EXCEPTIONS: dict[tuple[str, str], str] = {
    ("0015_room_in_pages.py", "ALTER TABLE"): "how full PostgreSQL makes its pages: no statement notices",
}


def takings(source: str) -> Iterator[str]:
    """What a migration's upgrade would take away or change, by name."""
    tree = ast.parse(source)
    docstrings = {id(one) for one in docstrings_of(tree)}
    outside = [one for one in tree.body if not (isinstance(one, ast.FunctionDef) and one.name == "downgrade")]
    for node in (inner for part in outside for inner in ast.walk(part)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            name = node.func.attr
            if isinstance(node.func.value, ast.Name) and node.func.value.id in ("op", "batch_op"):
                if name.startswith("drop_") or name in TAKES_AWAY:
                    yield name
                if name.startswith("create_") and name.endswith("_constraint"):
                    yield name  # on a table that is there: the version before does not know it
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            # TRUNCATE is spoken of where triggers refuse it.
            found = WORDS.search(re.sub(r"BEFORE TRUNCATE", "", node.value))
            if found:
                yield found[0].upper()


def docstrings_of(tree: ast.Module) -> Iterator[ast.expr]:
    """The texts that only tell people what something is."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            first = node.body[0]
            assert isinstance(first, ast.Expr)
            yield first.value


@pytest.mark.parametrize("path", LATER, ids=lambda path: path.stem)
def test_no_migration_takes_anything_away(path: Path) -> None:
    found = [one for one in takings(path.read_text(encoding="utf-8")) if (path.name, one) not in EXCEPTIONS]
    assert found == [], "what the version before still uses goes in the release after the next, not in this one"


@pytest.mark.parametrize(
    "statement",
    [
        'op.drop_column("a", "b")',
        'op.drop_table("a")',
        'op.rename_table("a", "b")',
        'op.alter_column("a", "b", nullable=False)',
        'op.execute("ALTER TABLE a RENAME TO b")',
        'op.execute(f"DROP INDEX {name}")',
        'op.create_unique_constraint("u", "a", ["b"])',
        'op.execute("""\n        DELETE FROM a\n        WHERE b = 1\n    """)',
        "op.execute(\"DELETE FROM a WHERE b = 'it ends.'.\")",
    ],
)
def test_the_rule_itself_sees_what_it_forbids(statement: str) -> None:
    assert list(takings(f"def upgrade():\n    {statement}\n"))
    assert not list(takings(f"def downgrade():\n    {statement}\n"))


def test_the_rule_lets_people_speak_of_what_it_forbids() -> None:
    """A docstring may say DELETE FROM."""
    spoken = '"""No DELETE FROM here\n\nand no DROP TABLE.\n"""'
    assert not list(takings(f"{spoken}\ndef upgrade():\n    {spoken}\n"))


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty database of each kind."""
    from tests.databases import administer

    url, name = f"sqlite:///{tmp_path / 'rule.sqlite3'}", "rule_of_migrations"
    if request.param == "postgresql":
        base = request.getfixturevalue("postgresql_url")
        administer(base, f"CREATE DATABASE {name}")
        url = base.format(name)
    made = open_engine(url)
    yield made
    made.dispose()
    if request.param == "postgresql":
        administer(base, f"DROP DATABASE {name} WITH (FORCE)")


def state(engine: Engine) -> tuple[MetaData, dict[str, set[tuple[str, ...]]]]:
    """The tables, and by table every set of columns that must be unique."""
    tables = MetaData()
    tables.reflect(engine)
    unique: dict[str, set[tuple[str, ...]]] = {}
    for name, table in tables.tables.items():
        keys = {tuple(c.name for c in one.columns) for one in table.constraints if isinstance(one, UniqueConstraint)}
        keys |= {tuple(one["column_names"]) for one in inspect(engine).get_indexes(name) if one["unique"]}  # type: ignore[arg-type]
        unique[name] = keys
    return tables, unique


def test_every_step_leaves_room_for_the_version_before(engine: Engine) -> None:
    """Seen in the database itself, whatever words the migration uses."""
    migrate.upgrade(engine, FIRST_RELEASE)
    wrong = []
    old, old_unique = state(engine)
    for before, after in pairwise(REVISIONS):
        migrate.upgrade(engine, after)
        new, new_unique = state(engine)
        for name, table in old.tables.items():
            if name not in new.tables:
                wrong.append(f"{after}: table {name} is gone")
                continue
            columns = new.tables[name].columns
            for column in table.columns:
                if column.name not in columns:
                    wrong.append(f"{after}: {name}.{column.name} is gone")
                    continue
                now = columns[column.name]
                if column.nullable and not now.nullable:
                    wrong.append(f"{after}: {name}.{column.name} may no longer be empty")
                if type(now.type) is not type(column.type) or (
                    isinstance(now.type, String) and (now.type.length or 1 << 30) < (column.type.length or 1 << 30)  # type: ignore[attr-defined]
                ):
                    wrong.append(f"{after}: {name}.{column.name} was {column.type!r}, is {now.type!r}")
                if len(now.foreign_keys) > len(column.foreign_keys):
                    wrong.append(f"{after}: {name}.{column.name} must now name a row that is there")
            for column in columns:
                if column.name not in table.columns and not column.nullable and column.server_default is None:
                    wrong.append(f"{after}: {name}.{column.name} is new, not empty and without a default")
            checks = {one["name"] for one in inspect(engine).get_check_constraints(name)}
            known = {one.name for one in table.constraints} | {None}
            wrong += [f"{after}: {name} has the new check {one}" for one in checks - known]
            wrong += [f"{after}: {name} {key} must now be unique" for key in new_unique[name] - old_unique[name]]
        old, old_unique = new, new_unique
        assert before < after
    assert wrong == []
