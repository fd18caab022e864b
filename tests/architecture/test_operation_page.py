"""docs/operation.md tells the truth: its commands, settings, metrics, units and container file are those of the program."""

import configparser
import re
from pathlib import Path

import pytest

from flows.console import COMMANDS
from ponte_workflow.config import PREFIX, Settings
from ponte_workflow.services import metrics

REPOSITORY = Path(__file__).parents[2]
PAGE = (REPOSITORY / "docs" / "operation.md").read_text(encoding="utf-8")
BLOCKS = [
    re.sub(r"^    ", "", block, flags=re.MULTILINE).strip() for block in re.findall(r"(?:^    .*\n|^\n)+", PAGE, re.M)
]
# A service and its timer stand in one block: each begins with its own [Unit].
UNITS = [f"[Unit]{part}" for block in BLOCKS if "[Unit]" in block for part in block.split("[Unit]")[1:]]


def test_every_command_setting_and_metric_exists() -> None:
    commands = set(re.findall(r"\bponte ([a-z]+)", PAGE)) - {"and", "user", "ponte"}
    assert commands <= set(COMMANDS)
    settings = {PREFIX + field.upper() for field in Settings.model_fields}
    assert set(re.findall(r"\bPONTE_[A-Z_]+\b", PAGE)) <= settings
    source = Path(metrics.__file__).read_text(encoding="utf-8")
    made = set(re.findall(r'"(ponte_[a-z_]+)"', source)) | {"ponte_requests_total"}
    named = set(re.findall(r"\bponte_(?!web|night\b)[a-z_]+\b", PAGE))
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
    assert start.startswith("/") and re.search(r"/bin/ponte (\w+)", start)[1] in COMMANDS  # type: ignore[index]
    assert read["Service"]["User"] == "ponte", "nothing runs as root"
    if read["Service"].get("Type") != "oneshot":
        assert read["Service"]["NoNewPrivileges"] == "true" and read["Install"]["WantedBy"] == "multi-user.target"


def test_there_is_a_unit_for_each_process_and_each_timer() -> None:
    starts = " ".join(UNITS)
    for words in ("ponte up", "ponte web", "ponte worker", "ponte backup", "ponte watch --alert"):
        assert words in starts
    assert starts.count("[Timer]") == 2


def test_the_container_file_copies_what_there_is() -> None:
    (file,) = [block for block in BLOCKS if block.startswith("FROM ")]
    assert 'CMD ["ponte", "up"]' in file and "/health/ready" in file and "USER ponte" in file
    assert (REPOSITORY / "requirements.lock").is_file() and "--require-hashes -r /opt/ponte/requirements.lock" in file
