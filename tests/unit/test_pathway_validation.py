"""Every kind of finding, with its file, its line and its mend; the shipped pathways have none."""

from pathlib import Path

import pytest

from states.errors import PathwayError
from states.loader import BUNDLED, load, load_all

SOUND = (BUNDLED / "un_ponte_sul_blu.yaml").read_text(encoding="utf-8").replace("name: un_ponte_sul_blu", "name: town")


def test_the_shipped_pathways_are_sound_and_differ_where_the_quarters_do() -> None:
    pathways = load_all()
    assert set(pathways) >= {"un_ponte_sul_blu", "sanpolino", "san_polo"}
    contact = {name: pathway.alarms("engagement.to_contact/contact", 0) for name, pathway in pathways.items()}
    fires = {
        name: next(a.offset for n in range(9) if (a := alarms.at(n)) and a.spec.do == "fire")
        for name, alarms in contact.items()
    }
    assert (fires["sanpolino"], fires["san_polo"]) == (20, 15)
    assert len({pathway.content_hash for pathway in pathways.values()}) == 3


def findings(folder: Path, text: str, name: str = "town") -> list[str]:
    """What validation says of a document."""
    path = folder / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PathwayError) as refused:
        load(path)
    return [str(finding) for finding in refused.value.findings]


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        pytest.param(
            "needs: {contact_recorded: {}}",
            "needs: {contact_recorder: {}}",
            "unknown guard 'contact_recorder' → did you mean: contact_recorded",
            id="unknown guard",
        ),
        pytest.param(
            "{at_least: 3, channels: 2}",
            "{at_least: 3}",
            "guard attempts has other parameters → give exactly: at_least, channels",
            id="guard's parameters",
        ),
        pytest.param(
            "message: meeting_reminder",
            "message: meeting_remindr",
            "unknown message 'meeting_remindr' → did you mean: meeting_reminder",
            id="unknown message",
        ),
        pytest.param(
            "by: [supervisor]\n          to: screening\n          needs",
            "by: [superviser]\n          to: screening\n          needs",
            "Input should be",
            id="unknown role",
        ),
        pytest.param(
            "by: [supervisor]\n          to: screening\n          needs",
            "by: []\n          to: screening\n          needs",
            "nobody may fire assign → name at least one role",
            id="nobody may fire it",
        ),
        pytest.param("to: active\n", "to: actve\n", "which does not exist → did you mean: active", id="unknown target"),
        pytest.param(
            "trigger: relapse",
            "trigger: relaps",
            "is no trigger that the system may fire here",
            id="alarm fires nothing",
        ),
        pytest.param(
            "signal: adult_placed", "signal: adult_plcd", "is no trigger of the household", id="signal to nobody"
        ),
        pytest.param(
            "              after: 7\n              do: remind",
            "              after: 17\n              do: remind",
            "rings on day 17, not before the deadline on day 12",
            id="reminder after its deadline",
        ),
        pytest.param(
            "  closed: closed\n", "  closed: closde\n", "closed state 'closde' does not exist", id="closed state"
        ),
        pytest.param("initial: to_contact", "initial: contact", "is not among the children", id="initial state"),
        pytest.param(
            "version: 1\n", "version: 1\nversion: 2\n", "says 'version' twice → keep one of them", id="a key twice"
        ),
        pytest.param("version: 1\n", "version: 1\n\tx: 1\n", "is no YAML", id="no YAML"),
        pytest.param(
            "version: 1\n",
            "version: 1\nvresion: 1\n",
            "Extra inputs are not permitted → remove it, or spell it right",
            id="unknown key",
        ),
        pytest.param(
            "{to: drafting, needs: {was_in: {state: drafting}}}",
            "{to: drafting, needs: {was_in: {state: assessment}}}",
            "assessment and drafting can both match → give them needs that exclude each other",
            id="ways that overlap",
        ),
    ],
)
def test_each_mistake_is_found_with_its_line_and_mend(tmp_path: Path, old: str, new: str, what: str) -> None:
    assert old in SOUND
    text = SOUND.replace(old, new, 1)
    found = findings(tmp_path, text)
    mine = [finding for finding in found if what in finding]
    assert mine, found
    line = int(mine[0].split(":")[1])
    assert mine[0].startswith("town.yaml:") and abs(line - 1 - SOUND[: SOUND.index(old)].count("\n")) <= 4


def test_one_trigger_in_a_state_and_everywhere_is_ambiguous(tmp_path: Path) -> None:
    twice = "    assign: {label: {it: x, en: x}, by: [supervisor], to: screening}\n    drop_out:\n"
    found = findings(tmp_path, SOUND.replace("    drop_out:\n", twice, 1))
    assert any("assign stands in detected and in everywhere: two transitions can both match" in f for f in found), found


SMALL = """
name: small
version: 1
title: {it: x, en: x}
calendar: {}
detection: {}
pause: {longest_days: 1, review_every: 1, reasons: {a: {it: x, en: x}}, say: {it: x, en: x}}
messages: {weekly_cap: 1}
payments: {tolerance_days: 1, remind_before_days: 1}
person:
  initial: p
  states:
    p: {label: {it: x, en: x}, clocks: {c: {alarms: {a: {every: 1, do: remind, to: lead, say: {it: x, en: x}}}}}, triggers: {end: {label: {it: x, en: x}, by: [lead], to: q}}}
    q: {label: {it: x, en: x}, final: true}
household:
  initial: a
  closed: z
  states:
    a: {label: {it: x, en: x}, clocks: {c: {alarms: {a: {every: 1, do: remind, to: lead, say: {it: x, en: x}}}}}, triggers: {go: {label: {it: x, en: x}, by: [lead], to: z.end}}}
    z: {label: {it: x, en: x}, states: {end: {label: {it: x, en: x}}}}
"""
STATE = "    b: {label: {it: x, en: x}%s}\n    z:"
CLOCK = ", clocks: {c: {alarms: {a: {every: 1, do: remind, to: lead, say: {it: x, en: x}}}}}"
ON = ", triggers: {leave: {label: {it: x, en: x}, by: [lead], to: z.end}}"


@pytest.mark.parametrize(
    ("state", "way", "what"),
    [
        pytest.param(
            CLOCK + ON, "z.end", "state b cannot be reached → lead a trigger there, or remove it", id="unreachable"
        ),
        pytest.param(CLOCK, "b", "state b is a trap", id="trap"),
        pytest.param(ON, "b", "open state b has no clock", id="no clock"),
    ],
)
def test_the_graph_is_looked_at_as_a_whole(tmp_path: Path, state: str, way: str, what: str) -> None:
    text = SMALL.replace("    z:", STATE % state).replace(
        "by: [lead], to: z.end}}}\n    b", f"by: [lead], to: {way}}}}}}}\n    b"
    )
    found = findings(tmp_path, text, "small")
    assert any(what in finding for finding in found), found


def test_an_overlay_may_not_touch_what_the_base_has_not(tmp_path: Path) -> None:
    text = "name: o\nversion: 1\nextends: un_ponte_sul_blu\nhousehold:\n  states:\n    detected:\n      clocks:\n        asignment: {}\n"
    assert findings(tmp_path, text, "o") == [
        "o.yaml:8: touches household.states.detected.clocks.asignment, which the base has not → one of: assignment"
    ]


def test_an_overlay_of_nothing_that_exists_is_refused(tmp_path: Path) -> None:
    assert "extends 'nowhere'" in findings(tmp_path, "name: o\nversion: 1\nextends: nowhere\n", "o")[0]
