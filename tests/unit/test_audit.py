"""`make audit`: what pip-audit answers is counted, so that "nobody could be asked" never reads as "nothing is wrong"."""

import importlib.util
from pathlib import Path
from typing import Any

import pytest

PATH = Path(__file__).parents[2] / ".ci" / "audit.py"
SPEC = importlib.util.spec_from_file_location("audit", PATH)
assert SPEC is not None and SPEC.loader is not None
audit = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(audit)

SOUND = {"name": "a", "version": "1", "vulns": []}
FLAWED = {"name": "b", "version": "2", "vulns": [{"id": "CVE-1", "fix_versions": ["3"]}]}
SKIPPED = {"name": "c", "skip_reason": "Dependency not found on PyPI and could not be audited: c (1)"}


@pytest.mark.parametrize(
    ("found", "code", "word"),
    [
        pytest.param(None, 2, "cannot be reached", id="no answer"),
        pytest.param([], 2, "NOT AUDITED", id="an empty answer"),
        pytest.param([SKIPPED, SKIPPED], 2, "NOT AUDITED", id="a mirror that knows nothing"),
        pytest.param([SOUND], 0, "1 packages audited, 0 known flaws", id="sound"),
        pytest.param([SOUND, SKIPPED], 2, "not audited: c", id="one that nobody knows"),
        pytest.param([SOUND, FLAWED, SKIPPED], 1, "b 2: CVE-1, mended in 3", id="a flaw"),
    ],
)
def test_the_exit_code_tells_sound_flawed_and_not_audited_apart(found: Any, code: int, word: str) -> None:
    answered, said = audit.verdict(None if found is None else {"dependencies": found})
    assert answered == code and word in "\n".join(said)
