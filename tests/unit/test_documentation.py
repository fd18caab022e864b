"""The pathway written out: nothing is left out, nothing lies over something else, and it is the same every time."""

import re
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import pytest

from states.documentation import mermaid, svg, table
from states.loader import BUNDLED, load, load_all

PATHWAYS = load_all()
BASE = PATHWAYS["un_ponte_sul_blu"]
SVG = "{http://www.w3.org/2000/svg}"
BOTH = pytest.mark.parametrize("language", ["it", "en"])
EACH = pytest.mark.parametrize("name", PATHWAYS)
LETTERS = {"l": 6.2, "h": 10.0}  # pixels of an average letter at 10 and 16 px; 7.4 at 12
Area = tuple[float, float, float, float]


def area(element: ElementTree.Element) -> Area:
    """Left, top, right and lower end of a box or of a text."""
    x, y = float(element.attrib["x"]), float(element.attrib["y"])
    if element.tag == f"{SVG}rect":
        return x, y, x + float(element.attrib["width"]), y + float(element.attrib["height"])
    size = {"l": 10, "h": 16}.get(element.attrib["class"], 12)
    width = len(element.text or "") * LETTERS.get(element.attrib["class"], 7.4)
    return x, y - size * 0.8, x + width, y + size * 0.2


def touch(one: Area, other: Area) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def within(one: Area, other: Area) -> bool:
    return one[0] >= other[0] and one[1] >= other[1] and one[2] <= other[2] and one[3] <= other[3]


def drawn(name: str, language: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg(PATHWAYS[name], language))


@BOTH
@EACH
def test_no_text_lies_over_another_or_over_a_box_not_its_own(name: str, language: str) -> None:
    picture = drawn(name, language)
    texts = [(text.text, area(text)) for text in picture.iter(f"{SVG}text")]
    boxes = [(box.findtext(f"{SVG}title"), area(box)) for box in picture.iter(f"{SVG}rect") if "class" in box.attrib]
    assert not [(one, other) for (one, a), (other, b) in combinations(texts, 2) if touch(a, b)]
    assert not [(text, box) for text, a in texts for box, b in boxes if touch(a, b) and not within(a, b)]
    page = (0.0, 0.0, *(float(part) for part in picture.attrib["viewBox"].split()[2:]))
    assert all(within(a, page) for _, a in (*texts, *boxes))  # type: ignore[arg-type]


@EACH
def test_boxes_lie_inside_their_parents_and_apart_from_all_others(name: str) -> None:
    boxes = [
        (b.findtext(f"{SVG}title") or "", area(b)) for b in drawn(name, "it").iter(f"{SVG}rect") if "class" in b.attrib
    ]
    household, person = boxes[: len(BASE.household.states)], boxes[len(BASE.household.states) :]
    assert [path for path, _ in household] == list(BASE.household.states)
    assert [path for path, _ in person] == list(BASE.person.states)
    for (one, a), (other, b) in [*combinations(household, 2), *combinations(person, 2)]:
        assert within(b, a) if other.startswith(one + ".") else not touch(a, b), (one, other)


@BOTH
def test_the_picture_names_every_trigger_and_says_what_it_is(language: str) -> None:
    picture = drawn("un_ponte_sul_blu", language)
    words = set(re.findall(r"[a-z_]+", " ".join(text.text or "" for text in picture.iter(f"{SVG}text"))))
    moving = {name for *_, name, spec in BASE.all_triggers() if any(way.to for way in spec.all_ways().values())}
    assert moving <= words
    assert picture.findtext(f"{SVG}title") == BASE.document.title.in_(language)
    assert picture.findtext(f"{SVG}desc")
    assert svg(BASE, language) == svg(load(BUNDLED / "un_ponte_sul_blu.yaml"), language), "the same every time"


def test_labels_are_escaped(tmp_path: Path) -> None:
    text = (BUNDLED / "un_ponte_sul_blu.yaml").read_text(encoding="utf-8")
    wild = text.replace("en: Detected}", "en: '<b>&\"x\"; y: z'}", 1).replace('title: {it: "', 'title: {it: "<&> ', 1)
    (tmp_path / "un_ponte_sul_blu.yaml").write_text(wild, encoding="utf-8")
    pathway = load(tmp_path / "un_ponte_sul_blu.yaml")
    texts = [element.text for element in ElementTree.fromstring(svg(pathway, "en")).iter(f"{SVG}text")]
    assert '<b>&"x"; y: z' in texts
    assert "state \"<b>&'x', y - z\" as household__detected" in mermaid(pathway, "en")


@BOTH
def test_mermaid_shows_both_machines_with_their_regions(language: str) -> None:
    lines = mermaid(BASE, language).splitlines()
    assert lines[0] == "stateDiagram-v2" and lines.count("      --") == 2, "three tracks side by side"
    assert sum(line.endswith("{") for line in lines) == sum(line.strip() == "}" for line in lines)
    declared = {line.rsplit(" as ", 1)[1].removesuffix(" {") for line in lines if " as " in line}
    paths = {f"household__{p.replace('.', '__')}" for p in BASE.household.states}
    paths |= {f"person__{p}" for p in BASE.person.states}
    assert declared == paths | {"household", "person"}
    ways = [line.strip() for line in lines if " --> " in line]
    assert len(ways) == len(set(ways))
    for way in ways:
        source, _, rest = way.partition(" --> ")
        target, _, label = rest.partition(": ")
        assert {source, target} - {"[*]"} <= declared and not set(label) & set(':;"')


@BOTH
def test_the_table_has_every_state_and_every_trigger(language: str) -> None:
    rows = table(BASE, language)
    assert len(rows) == len(BASE.household.states) + len(BASE.person.states) + 2
    assert {path for _, path, *_ in rows} == {*BASE.household.states, *BASE.person.states, "*"}
    told = {way.split(" (")[0] for row in rows for way in row.ways.splitlines()}
    assert told == {trigger for *_, trigger, _ in BASE.all_triggers()}


def test_a_row_says_who_when_and_what_is_needed() -> None:
    row = next(row for row in table(PATHWAYS["san_polo"], "en") if row.path == "engagement.to_contact")
    assert (row.chart, row.label, row.waits_on) == ("Household", "To contact", "case worker")
    assert row.clocks == "remind 5+3x4, by itself 15 supervisor ask_neighbours (working days)"
    assert (
        "ask_neighbours (case worker, supervisor, system) > engagement.neighbours [attempts: at_least 2, channels 2]"
        in row.ways.splitlines()
    )


def test_the_picture_in_the_docs_is_that_of_the_pathway() -> None:
    kept = (Path(__file__).parents[2] / "docs" / "pathway.svg").read_text(encoding="utf-8")
    drawn = svg(load_all()["un_ponte_sul_blu"], "it")
    assert kept.strip() == drawn.strip(), "draw it again: PONTE_LANGUAGE=it ponte pathway diagram -o docs/pathway.svg"
