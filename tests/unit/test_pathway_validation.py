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
            "by: [supervisor, lead]\n          to: screening\n          needs",
            "by: [superviser]\n          to: screening\n          needs",
            "Input should be",
            id="unknown role",
        ),
        pytest.param(
            "by: [supervisor, lead]\n          to: screening\n          needs",
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
        pytest.param(
            "four_eyes: refer ",
            "four_eyes: reffer ",
            "names 'reffer', which is no other trigger of the household → did you mean: refer",
            id="four eyes upon nothing",
        ),
        pytest.param(
            "four_eyes: refer ",
            "four_eyes: accept_referral ",
            "names 'accept_referral', which is no other trigger of the household",
            id="four eyes upon itself",
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


@pytest.mark.parametrize(
    ("old", "new", "wrong", "what"),
    [
        pytest.param(
            "tell: {tell: supervisor, with_message: plan_breached}",
            "tell: {tell: system, with_message: plan_breached}",
            "tell: {tell: system",
            "'system' is nobody who can be told → one of: case_worker, job_agency, landlord, lead, supervisor, volunteers",
            id="told to the machine",
        ),
        pytest.param(
            "ready: {message: pip_ready_to_sign}",
            "ready: {message: pip_redy}",
            "ready: {message: pip_redy}",
            "unknown message 'pip_redy' → did you mean: pip_ready_to_sign?",
            id="unknown message after a step",
        ),
        pytest.param(
            "to: active\n",
            "to: active.payment.paying\n",
            "to: active.payment.paying\n",
            "activate leads into one region of active from outside it → lead to active, or stay inside",
            id="into one region from outside",
        ),
        pytest.param(
            "to: closed.autonomous",
            "to: closed",
            "to: closed\n",
            "graduate leads to closed, which has no initial child → one of: closed.autonomous, closed.deceased",
            id="to a state that is no place to stand",
        ),
        pytest.param(
            "trigger: ask_neighbours",
            "trigger: relapse",
            "                neighbours:\n",
            "'relapse' is no trigger that the system may fire here → spell it right, or add system to its by:",
            id="alarm fires what belongs elsewhere",
        ),
        pytest.param(
            "day_before: day",
            "day_before: what",
            "remind: {message: appointment_reminder, day_before: what}",
            "'what' is no date field of make_appointment → add it under fields:",
            id="the day before no date",
        ),
        pytest.param(
            "                  by: [system, volunteers, case_worker, supervisor]\n                  eventless: true\n",
            "                  by: [volunteers, case_worker, supervisor]\n                  eventless: true\n",
            "eventless: true\n                  to: active.community.rooted",
            "root can never be taken by itself → a trigger of the household with to: and system among its by:",
            id="eventless but not by the system",
        ),
        pytest.param(
            "                cannot_pay:\n",
            "                participate: {label: {it: x, en: x}, by: [lead]}\n                cannot_pay:\n",
            "                participate: &participate\n",
            "participate stands in active.payment.paying too, active at the same time → rename one, or say both alike",
            id="one event said differently in two regions",
        ),
        pytest.param(
            'extra_holidays: ["02-15"]',
            'extra_holidays: ["02-30"]',
            'calendar:\n  extra_holidays: ["02-30"]',
            "'02-30' is no day of the year (month-day)",
            id="a holiday that never comes",
        ),
        pytest.param(
            "closures: {}",
            "closures: {august: {first: 2026-08-21, last: 2026-08-10}}",
            "closures: {august",
            "the last day comes before the first",
            id="a closure backwards",
        ),
        pytest.param(
            "closures: {}",
            "closures: {august: {first: 2026-13-01, last: 2026-08-10}}",
            "closures: {august",
            "'2026-13-01': month must be in 1..12 → mend the value",
            id="a thirteenth month",
        ),
        pytest.param(
            "closures: {}",
            "closures: &a {b: *a}",
            "closures: &a",
            "is nested without end → let no alias hold itself",
            id="an alias that holds itself",
        ),
        pytest.param(
            "closures: {}",
            "closures: {} # \x07",
            "closures: {} #",
            "is no YAML: control characters are not allowed → remove the control character",
            id="a control character",
        ),
        pytest.param(
            "attempt: true\n",
            "attempt: true\n              eventless: maybe\n",
            "eventless: maybe",
            "Input should be a valid boolean",
            id="neither true nor false",
        ),
    ],
)
def test_the_finding_stands_at_the_very_line(tmp_path: Path, old: str, new: str, wrong: str, what: str) -> None:
    assert old in SOUND
    text = SOUND.replace(old, new, 1)
    line = text[: text.index(wrong)].count("\n") + 1
    found = findings(tmp_path, text)
    assert any(finding.startswith(f"town.yaml:{line}: ") and what in finding for finding in found), (line, found)


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
    line = text[: text.index("    b: {label")].count("\n") + 1
    found = findings(tmp_path, text, "small")
    assert any(finding.startswith(f"small.yaml:{line}: {what}") for finding in found), found


def test_an_overlay_may_not_touch_what_the_base_has_not(tmp_path: Path) -> None:
    text = "name: o\nversion: 1\nextends: un_ponte_sul_blu\nhousehold:\n  states:\n    detected:\n      clocks:\n        asignment: {}\n"
    assert findings(tmp_path, text, "o") == [
        "o.yaml:8: touches household.states.detected.clocks.asignment, which the base has not → one of: assignment"
    ]


def test_an_overlay_of_nothing_that_exists_is_refused(tmp_path: Path) -> None:
    assert "extends 'nowhere'" in findings(tmp_path, "name: o\nversion: 1\nextends: nowhere\n", "o")[0]


def test_a_finding_in_the_base_names_the_base_and_one_in_the_overlay_the_overlay(tmp_path: Path) -> None:
    (tmp_path / "town.yaml").write_text(SOUND.replace("message: meeting_reminder", "message: x", 1), encoding="utf-8")
    overlay = """name: hamlet
version: 1
extends: town
household:
  states:
    screening:
      clocks:
        screening:
          alarms:
            remind: {after: 17}
"""
    found = findings(tmp_path, overlay, "hamlet")
    assert [finding.split(":")[0] for finding in found] == ["hamlet.yaml", "town.yaml"]
    assert found[0].startswith("hamlet.yaml:10: remind rings on day 17, not before the deadline on day 12")
    sooner = overlay.replace("remind: {after: 17}", "escalate: {after: 6}")
    assert findings(tmp_path, sooner, "hamlet")[0].startswith("hamlet.yaml:10: remind rings on day 7, not before")


def test_pathways_that_extend_each_other_are_refused(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text("name: one\nversion: 1\nextends: two\n", encoding="utf-8")
    assert "which cannot be" in findings(tmp_path, "name: two\nversion: 1\nextends: one\n", "two")[0]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        pytest.param(b"", "is not a mapping → start with name:", id="empty"),
        pytest.param(b"- a\n- b\n", "is not a mapping → start with name:", id="a list"),
        pytest.param(b"name: \xff\n", "cannot be read", id="not UTF-8"),
    ],
)
def test_a_file_that_is_no_document_is_refused(tmp_path: Path, content: bytes, what: str) -> None:
    (tmp_path / "town.yaml").write_bytes(content)
    with pytest.raises(PathwayError, match=what):
        load(tmp_path / "town.yaml")


def test_the_small_pathway_of_these_tests_is_itself_sound(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(SMALL, encoding="utf-8")
    assert load(tmp_path / "small.yaml").household.machine.initial == ("a",)
