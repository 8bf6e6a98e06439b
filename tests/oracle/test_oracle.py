"""The oracle itself: what JavaRosa cannot do is told, and its clock and zone are those that it is given."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

from dialogkit.forms.build import build_form
from dialogkit.model.form import BuiltForm
from tests.oracle.conftest import Ask
from tests.oracle.harness import Oracle, Told
from tests.oracle.instances import instance_of


def test_an_expression_that_javarosa_cannot_evaluate_is_told(ask: Ask) -> None:
    rows = """
    | survey |
    | | type | name | label | calculation |
    | | begin_repeat | r | R | |
    | | text | x | X | |
    | | end_repeat | | | |
    | | calculate | bare | | concat('a', string(${x} + 1)) |
    """
    one, two = ask(rows, {"r": [{"r/x": "1"}]}, {"r": [{"r/x": "1"}, {"r/x": "2"}]})
    assert one.nodes["bare"].value == "a2"
    assert "This field is repeated" in two.error


def test_what_is_random_is_told_as_unsettled(ask: Ask) -> None:
    (told,) = ask("| survey |\n| | type | name | label | calculation |\n| | calculate | u | | uuid() |", {})
    assert told.unsettled == {"u"}


def test_a_form_that_javarosa_refuses_is_told(oracle: Oracle) -> None:
    built = build_form(next((Path(__file__).parents[2] / "forms").glob("*.xlsx")))
    broken = BuiltForm(built.form, built.xml.replace(b"</h:html>", b""))
    assert oracle.judge(broken, [b"<data/>"]).error


def test_our_clock_gives_what_the_machine_would(oracle: Oracle, tmp_path: Path) -> None:
    path = tmp_path / "clock.md"
    rows = "| | calculate | t | | today() |\n| | calculate | d | | today() + 1 |"
    path.write_text(f"| survey |\n| | type | name | label | calculation |\n{rows}", encoding="utf-8")
    built = build_form(path)
    # Within single quotes it is left to JavaRosa's own.
    own = BuiltForm(built.form, re.sub(rb'"(today\(\)[^"]*)"', rb"'\1'", built.xml))
    assert own.xml != built.xml
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    (ours,), (theirs,) = (oracle.judge(one, [instance_of(one, {})], now).submissions for one in (built, own))
    assert _values(ours) == _values(theirs)


def test_the_zone_of_the_phone_turns_moments(tmp_path: Path, oracle: Oracle) -> None:
    path = tmp_path / "zone.md"
    path.write_text("| survey |\n| | type | name | label |\n| | dateTime | m | M |", encoding="utf-8")
    built = build_form(path)
    with Oracle(tmp_path / "java", zone="Asia/Kathmandu") as there:
        (told,) = there.judge(built, [instance_of(built, {"m": "2026-11-20T10:00:00.000Z"})]).submissions
    assert told.nodes["m"].value == "2026-11-20T15:45:00.000+05:45"


def _values(told: Told) -> dict[str, str]:
    return {place: told.nodes[place].value for place in ("t", "d")}
