"""The threat model names tests: they are there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")


def test_every_test_that_the_threat_model_names_exists() -> None:
    missing, last = [], ""
    named = re.findall(r"`(\w+/test_\w+\.py)?(?:::(\w+))?`", PAGE)
    assert sum(bool(function) for _file, function in named) > 20
    assert {file for file, _function in named if file} == set(re.findall(r"\w+/test_\w+\.py", PAGE)), "each is read"
    for file, function in named:
        last = file or last
        if not (file or function):
            continue
        path = ROOT / "tests" / last
        if not path.is_file() or (function and f"def {function}(" not in path.read_text(encoding="utf-8")):
            missing.append(f"{last}::{function}")
    assert missing == []
