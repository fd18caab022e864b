"""docs/operation.md and docs/scaling.md tell the truth: commands, settings, metrics, units and container file are real."""

import configparser
import re
from pathlib import Path

import pytest

from flows.console import COMMANDS
from ponte_workflow.config import PREFIX, Settings
from ponte_workflow.services import metrics

REPOSITORY = Path(__file__).parents[2]
OPERATION, SCALING = (
    (REPOSITORY / "docs" / name).read_text(encoding="utf-8") for name in ("operation.md", "scaling.md")
)
PAGES = pytest.mark.parametrize("page", [OPERATION, SCALING], ids=["operation", "scaling"])
PREFECT = "prefect.server.api.server:create_app"


def blocks(page: str) -> list[str]:
    """What stands apart on a page, four signs to the right."""
    found = re.findall(r"(?:^    .*\n|^\n)+", page, re.MULTILINE)
    return [re.sub(r"^    ", "", block, flags=re.MULTILINE).strip() for block in found]


# A service and its timer stand in one block: each begins with its own [Unit].
UNITS = [
    f"[Unit]{part}"
    for block in [*blocks(OPERATION), *blocks(SCALING)]
    if "[Unit]" in block
    for part in block.split("[Unit]")[1:]
]


@PAGES
def test_every_command_and_setting_exists(page: str) -> None:
    commands = set(re.findall(r"\bponte ([a-z]+)", page)) - {"and", "user", "ponte"}
    assert len(commands) > 5 and commands <= set(COMMANDS)
    settings = {PREFIX + field.upper() for field in Settings.model_fields}
    named = set(re.findall(r"\bPONTE_[A-Z_]+\b", page))
    assert len(named) > 5 and named <= settings


def test_every_metric_exists() -> None:
    source = Path(metrics.__file__).read_text(encoding="utf-8")
    made = set(re.findall(r'"(ponte_[a-z_]+)"', source)) | {"ponte_requests_total"}
    named = set(re.findall(r"\bponte_(?!web|workflow|night\b)[a-z_]+\b", OPERATION))
    assert named <= made and made - named == {"ponte_requests"}, "every metric is explained, and no other"


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.split("Description=")[1].splitlines()[0])
def test_every_unit_can_be_read_and_starts_what_there_is(unit: str) -> None:
    read = configparser.RawConfigParser(strict=False)
    read.optionxform = str  # type: ignore[assignment]
    read.read_string(unit)
    if read.has_section("Timer"):
        assert read["Timer"]["OnCalendar"] and read["Install"]["WantedBy"] == "timers.target"
        return
    start = read["Service"]["ExecStart"]
    assert start.startswith("/")
    if PREFECT in start:  # the one that `ponte up` starts, at an address that other machines reach
        assert PREFECT in (REPOSITORY / "flows" / "up.py").read_text(encoding="utf-8")
        assert "PREFECT_HOME=" in unit and "PREFECT_UI_API_URL=" in unit
    else:
        assert re.search(r"/bin/ponte (\w+)", start)[1] in COMMANDS  # type: ignore[index]
    assert read["Service"]["User"] == "ponte", "nothing runs as root"
    if read["Service"].get("Type") != "oneshot":
        assert read["Service"]["NoNewPrivileges"] == "true" and read["Install"]["WantedBy"] == "multi-user.target"


def test_there_is_a_unit_for_each_process_and_each_timer() -> None:
    starts = " ".join(UNITS)
    for words in ("ponte up", "ponte web", "ponte worker", "ponte backup", "ponte watch --alert", PREFECT):
        assert words in starts
    assert starts.count("[Timer]") == 2


def test_the_container_file_copies_what_there_is() -> None:
    (file,) = [block for block in blocks(OPERATION) if block.startswith("FROM ")]
    copied = [name for line in re.findall(r"^COPY (.+) /opt/ponte", file, re.MULTILINE) for name in line.split()]
    assert {"pyproject.toml", "requirements.lock", "flows", "states", "notifications", "ponte_workflow"} <= set(copied)
    assert [name for name in copied if not (REPOSITORY / name).exists()] == []
    assert 'CMD ["ponte", "up"]' in file and "/health/ready" in file and "USER ponte" in file
    assert "--require-hashes -r /opt/ponte/requirements.lock" in file


@PAGES
def test_no_value_of_an_environment_file_has_a_comment_behind_it(page: str) -> None:
    lines = [line for block in blocks(page) for line in block.splitlines() if re.match(r"[A-Z_]+=", line)]
    assert lines and [line for line in lines if "#" in line] == [], "neither systemd nor docker would take it off"
