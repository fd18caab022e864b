"""The page of benchmarks is put together of sections, and the comparison with other engines names every one that takes part."""

from pathlib import Path

import pytest

from tests.benchmarks import peers_report
from tests.benchmarks.page import PAGE, joined, sections
from tests.benchmarks.peers_report import CONTENDERS, HEADING, PONTE, REMARKS, Contender, Figure

PEERS = Path(peers_report.__file__).parent / "peers"
SHARED = {"__init__", "job", "tables"}
MODULES = {path.stem for path in PEERS.iterdir() if path.suffix == ".py" or (path / "__main__.py").exists()} - SHARED


def figure(one: Contender, wall_us: float) -> Figure:
    """Of a made-up run."""
    return Figure(one, 40, 10 if not one.large else 20, 5, wall_us, wall_us / 2)


def test_every_peer_takes_part_and_has_its_remark() -> None:
    assert {one.module for one in CONTENDERS} == set(REMARKS) == MODULES


def test_the_section_names_every_module_and_every_row() -> None:
    section = peers_report.text([figure(one, 5_000) for one in CONTENDERS], (0.0, 0.0))
    assert section.startswith(f"{HEADING}\n")
    assert [name for name in MODULES if f"`{name}`" not in section] == []
    assert [one.title for one in CONTENDERS if f"| {one.title} | {one.store} |" not in section] == []


def test_the_page_names_every_module_once_it_has_the_section() -> None:
    section = sections(PAGE.read_text(encoding="utf-8")).get(HEADING)
    if section is None:
        pytest.skip("make bench has not written it yet")
    assert [name for name in MODULES if f"`{name}`" not in section] == []


@pytest.mark.parametrize(("ours", "verdict"), [(50, "100.0 times"), (5_000, "1.0 times, by CPU 1.0, missed")])
def test_the_section_says_whether_the_target_was_reached(ours: float, verdict: str) -> None:
    figures = [figure(one, ours if one.module == PONTE else 5_000) for one in CONTENDERS]
    assert peers_report.text(figures, (0.0, 0.0)).count(verdict) == 2


def test_a_tuned_row_does_not_hide_the_documented_one() -> None:
    figures = [figure(one, 100 if one.tuned else 5_000) for one in CONTENDERS]
    section = peers_report.text(figures, (0.0, 0.0))
    assert "- SQLite, as documented: Prefect" in section
    assert "- PostgreSQL, tuned: django-viewflow, state machine, tuned" in section


def test_a_section_is_written_again_without_touching_the_others() -> None:
    page = "# Benchmarks\n\nhead\n\n## One\n\n1\n\n## Two\n\n### Part\n"
    parts = sections(page)
    assert list(parts) == ["", "## One", "## Two"]
    assert joined(parts) == page
    assert joined(parts | {"## One": "## One\n\n2\n"}) == page.replace("\n1\n", "\n2\n")
    assert joined(parts | {"## Three": "## Three\n\n3"}) == page + "\n## Three\n\n3\n"


def test_the_page_is_what_its_parts_make() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert joined(sections(page)) == page
