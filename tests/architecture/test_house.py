"""The rules of the house: who may import whom, what nobody may do, and that the documents tell the truth."""

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from flows.console import COMMANDS
from notifications.registry import MESSAGES
from ponte_workflow.config import PREFIX, Settings
from ponte_workflow.store import migrate
from states import messages
from states.loader import load_all

REPOSITORY = Path(__file__).parents[2]
PACKAGES = ("flows", "states", "notifications", "ponte_workflow")
SOURCES = sorted(path for package in PACKAGES for path in (REPOSITORY / package).rglob("*.py"))
MIGRATIONS = REPOSITORY / "ponte_workflow" / "store" / "migrations"


def test_the_import_contracts_hold() -> None:
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("package", PACKAGES)
def test_each_package_is_ours_and_not_a_namesake_from_an_index(package: str) -> None:
    file = importlib.import_module(package).__file__
    assert file is not None and Path(file).is_relative_to(REPOSITORY)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_no_module_is_nameless_long_or_without_a_sentence(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert path.stem not in {"utils", "helpers", "common", "manager"}
    assert path.stem != "base" or path.parent.name == "schema"
    assert MIGRATIONS in path.parents or len(text.splitlines()) <= 400
    assert not text.strip() or ast.get_docstring(ast.parse(text)), "open with one sentence that says what lives here"


def test_only_the_clock_module_reads_the_clock() -> None:
    readers = {("date", "today"), ("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("time", "time")}
    found = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Name)
                and (node.value.id, node.attr) in readers
            ):
                found.append(path.name)
    assert set(found) == {"clock.py"}


def test_services_never_commit() -> None:
    for path in (REPOSITORY / "ponte_workflow" / "services").rglob("*.py"):
        assert not re.search(r"\.(commit|rollback)\(", path.read_text(encoding="utf-8")), path


def test_a_casework_command_starts_without_prefect_alembic_and_the_mail_templates() -> None:
    code = (
        "import sys\nsys.argv = ['ponte', 'case', 'list', '--as', 'x']\nfrom flows.console import app\n"
        "try:\n    app()\nexcept SystemExit:\n    pass\n"
        "print(sorted({'prefect', 'alembic', 'jinja2', 'holidays'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.stderr.splitlines()[-1] == "[]"


def test_the_pathways_know_the_messages_that_exist() -> None:
    to_staff = {name for name, kind in MESSAGES.items() if kind.audience == "staff"}
    assert MESSAGES.keys() >= messages.MESSAGES and to_staff >= messages.TO_STAFF
    assert {name for name, kind in MESSAGES.items() if kind.demand} == messages.DEMANDS
    assert {name for name, kind in MESSAGES.items() if kind.legal} == messages.LEGAL


def test_the_head_named_in_the_program_is_the_newest_migration() -> None:
    from alembic.script import ScriptDirectory

    assert ScriptDirectory.from_config(migrate.configuration()).get_heads() == [migrate.HEAD]


def test_the_lock_holds_hashes_and_no_addresses() -> None:
    text = (REPOSITORY / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in text and "index" not in text
    requirements = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    assert len(requirements) > 50 and all(line.endswith("\\") for line in requirements)


README = (REPOSITORY / "README.md").read_text(encoding="utf-8")


def test_the_readme_names_every_command_and_setting() -> None:
    missing = [name for name in COMMANDS if f"ponte {name}" not in README]
    missing += [name for field in Settings.model_fields if (name := PREFIX + field.upper()) not in README]
    assert missing == []


def test_every_setting_and_state_that_the_readme_names_exists() -> None:
    settings = {PREFIX + field.upper() for field in Settings.model_fields}
    assert set(re.findall(r"\bPONTE_[A-Z_]+\b", README)) <= settings
    states = {path for pathway in load_all().values() for path in pathway.household.states}
    named = set(re.findall(r"`((?:active|engagement|closed)\.[a-z_.]+)`", README))
    assert named <= states


def test_every_path_that_the_readme_names_exists() -> None:
    named = set(re.findall(r"`((?:flows|states|ponte_workflow|notifications|tests|docs)/[\w/.*-]*)`", README))
    assert len(named) > 5
    assert [path for path in named if not list(REPOSITORY.glob(path.rstrip("/")))] == []
