"""Quality rules over staged submissions: each finds what is planted, and nothing in honest work."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest

from dialogkit.errors import ConfigError
from dialogkit.validate.check import check
from dialogkit.validate.quality.rules import prepare, quality_rules
from tests.builders import make_form, received, stage_batch, write_batch
from tests.flow.interviews import FORM, FREE, ROWS, SCALE, Run, answers, ids, runner, visit


@pytest.fixture
def run(db: duckdb.DuckDBPyConnection, tmp_path: Path) -> Run:
    return runner(db, tmp_path)


def test_honest_work_breaks_no_rule_at_all(run: Run) -> None:
    tables: dict[str, Any] = {
        **{name: {} for name in ("near", "hours", "speed", "straight", "blanks", "point", "country", "cluster")},
        "digits": {"columns": ["age"]},
        "outlier": {"columns": ["income"], "z": 6},
    }
    assert run([visit(number) for number in range(120)], tables) == []


def test_times_that_cannot_be_are_told_of_phones_only(run: Run) -> None:
    some = [
        visit(1, end="2026-11-20T08:59:59.000+03:00"),
        visit(2, sent="2026-11-20T05:00:00Z"),
        visit(3, sent="2026-11-20T06:00:00Z"),  # half an hour before its end: clocks differ
        visit(4, start="", end=""),
    ]
    assert ids(run(some), "QUALITY-CLOCK") == ["1", "2"]
    assert run(some, {"clock": {"on": False}}) == []
    assert run(some, {"hours": {"to": "06:30"}, "speed": {"seconds": 9999}}, origin="import") == []


def test_hours_are_those_of_the_place_where_the_phone_was(run: Run) -> None:
    late = "2026-11-20T22:30:00.000"
    some = [
        visit(1, start=f"{late}+03:00", end=""),
        visit(2, start=f"{late}Z", end=""),
        visit(3, start="2026-11-20T19:30:00.000+03:00", end=""),
        visit(4, start="2026-11-20T03:00:00.000-05:30", end=""),
        visit(5, start="2026-11-20T06:00:00.000-05:30", end=""),
        visit(6, start="", end=""),
    ]
    only = {"clock": {"on": False}}
    assert ids(run(some, {"hours": {}} | only), "QUALITY-HOURS") == ["1", "2", "4"]
    assert ids(run(some, {"hours": {"from": "19:00", "to": "04:00"}} | only), "QUALITY-HOURS") == ["5"]


def test_speed_is_judged_by_a_limit_or_by_the_median_of_enough_others(run: Run) -> None:
    fast = visit(1, end="2026-11-20T09:02:00.000+03:00")
    assert ids(run([fast, visit(2)], {"speed": {"seconds": 180}}), "QUALITY-SPEED") == ["1"]
    assert ids(run([fast, visit(2)], {"speed": {"seconds_per_answer": 10}}), "QUALITY-SPEED") == ["1"]
    assert run([fast, *[visit(number) for number in range(2, 10)]], {"speed": {}}) == []
    assert ids(run([fast, *[visit(number) for number in range(2, 12)]], {"speed": {}}), "QUALITY-SPEED") == ["1"]


AUDIT = b"""event,node,start,end
form start,,1000,
question,/data/age,1000,6000
group questions,/data/g,6000,16000
question,/data/g/s1,6000,16000
jump,,16000,900000
"""


def test_the_audit_counts_a_screen_once_and_no_other_event(db: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    told = answers(1) | {"meta/audit": "audit.csv"}
    some = [received(FORM, told, "uuid:1", files=["audit.csv"]), visit(2)]
    batch = write_batch(tmp_path / "batches", FORM, some, content={"audit.csv": AUDIT})
    staged = stage_batch(db, batch, FORM)
    for seconds, expected in ((15.5, [("uuid:1", "")]), (14.5, [])):
        rules = quality_rules(staged, {"speed": {"time": "audit", "seconds": seconds}})
        (rule,) = [rule for rule in rules if rule.code == "QUALITY-SPEED"]
        assert db.execute(rule.query).fetchall() == expected


def test_one_answer_down_a_whole_scale_is_told_at_its_first_question(run: Run) -> None:
    flat = {f"g__{name}": "2" for name in SCALE}
    some = [visit(1, **flat), visit(2), visit(3, **flat | {"g__s1": "", "g__s2": ""})]
    some.append(visit(4, **flat | {"g__s1": ""}))
    assert run(some, {"straight": {}, "duplicate": {"on": False}}) == [
        ("uuid:0001", "", "QUALITY-STRAIGHT:g/s1"),
        ("uuid:0004", "", "QUALITY-STRAIGHT:g/s1"),
    ]
    assert ids(run(some, {"straight": {"items": 6}}), "QUALITY-STRAIGHT:g/s1") == ["1"]


def test_questions_of_other_lists_and_groups_are_no_block(run: Run) -> None:
    split = [row if row[1] != "g/s4" else ("select_one", "h/s4", row[2]) for row in ROWS]
    with pytest.raises(ConfigError) as caught:
        run([visit(1, form=make_form("f", "1", split), g__s4="")], {"straight": {}}, form=make_form("f", "1", split))
    assert caught.value.code == "CONFIG-075"
    with pytest.raises(ConfigError) as caught:
        run([visit(1)], {"straight": {"choices": 4}})
    assert caught.value.code == "CONFIG-075"


def test_numbers_that_end_in_0_or_5_are_told_of_the_enumerator_who_wrote_them(run: Run) -> None:
    honest = [visit(number, submitter="b") for number in range(100, 160)]
    heaped = [visit(number, age=str(20 + 5 * (number % 9))) for number in range(1, 51)]
    found = run(honest + heaped, {"digits": {"columns": ["age"]}, "duplicate": {"on": False}})
    assert {code for *_, code in found} == {"QUALITY-DIGITS:age"}
    assert ids(found, "QUALITY-DIGITS:age") == sorted(str(number) for number in range(1, 51))
    assert run(honest + heaped[:-1], {"digits": {"columns": ["age"]}}) == []
    assert run(honest + heaped, {"digits": {"columns": ["age"], "from": 30}}) == []
    together = run(honest + heaped, {"digits": {"columns": ["age"], "enumerator": "collector"}})
    assert len(together) == 110


def test_numbers_of_earlier_batches_count_and_only_new_ones_are_told(run: Run) -> None:
    heaped = [visit(number, age=str(20 + 5 * (number % 9))) for number in range(1, 61)]
    run(heaped[:50], land=True)
    found = run(heaped[50:], {"digits": {"columns": ["age"]}})
    assert ids(found, "QUALITY-DIGITS:age") == [str(number) for number in range(51, 61)]


def test_a_number_far_from_those_of_its_country_is_told(run: Run) -> None:
    kenya = [visit(number) for number in range(1, 40)]
    france = [visit(number, country="FRA", income=str(5000 + number)) for number in range(100, 140)]
    odd = [visit(200, income="5020"), visit(201, country="FRA", income="5125"), visit(202, country="", income="5020")]
    some = [*kenya, *france, *odd, visit(203, country="FJI", income="99999")]
    assert ids(run(some, {"outlier": {"columns": ["income"]}}), "QUALITY-OUTLIER:income") == ["200"]


def test_a_deviation_of_zero_tells_nothing_and_a_logarithm_leaves_out_what_has_none(run: Run) -> None:
    same = [visit(number, income="7") for number in range(1, 40)]
    assert run([*same, visit(40, income="9000")], {"outlier": {"columns": ["income"]}}) == []
    grown = [visit(number, income=str(2 ** (number % 12))) for number in range(1, 60)] + [visit(60, income="-1")]
    high = visit(61, income=str(2**11 + 2**10))
    assert ids(run([*grown, high], {"outlier": {"columns": ["income"]}}), "QUALITY-OUTLIER:income")
    assert run([*grown, high], {"outlier": {"columns": ["income"], "log": True}}) == []


def test_numbers_in_a_repeat_are_told_with_their_row(run: Run) -> None:
    some = [visit(n, person=[{"person/years": str(n % 20)}, {"person/years": str(n % 17)}]) for n in range(1, 30)]
    some.append(visit(50, person=[{"person/years": "5"}, {"person/years": "900"}]))
    found = run(some, {"outlier": {"columns": ["person.years"]}})
    assert found == [("uuid:0050", "2", "QUALITY-OUTLIER:person/years")]


def test_an_enumerator_who_leaves_more_blank_than_the_others_is_told(run: Run) -> None:
    none = dict.fromkeys(FREE, "")
    lazy = [visit(number, **none) for number in range(1, 11)]
    others = [visit(number, submitter="b") for number in range(20, 31)]
    found = run(lazy + others, {"blanks": {}})
    assert {code for *_, code in found} == {"QUALITY-BLANKS"}
    assert len(found) == 10
    assert run(lazy[:-1] + others, {"blanks": {}}) == []
    assert run(lazy + others[:9], {"blanks": {}}) == []
    assert run([visit(n, submitter="") for n in range(1, 20)] + others, {"blanks": {}}) == []
    assert run(lazy + others, {"blanks": {"more": 0.9}}) == []


def test_a_place_at_zero_or_too_inaccurate_is_told(run: Run) -> None:
    some = [visit(1, place="0 0 0 0"), visit(2, place="0 36.5 0 900"), visit(3), visit(4, place="")]
    assert ids(run(some), "QUALITY-POINT:place") == ["1"]
    assert ids(run(some, {"point": {"accuracy": 100}}), "QUALITY-POINT:place") == ["1", "2"]


def test_a_place_outside_its_country_is_told_over_date_lines_and_overseas(run: Run) -> None:
    some = [
        visit(1, place="48.85 2.35 0 5"),
        visit(2, country="FRA", place="48.85 2.35 0 5"),
        visit(3, country="FRA", place="-21.1 55.5 0 5"),
        visit(4, country="FJI", place="-17.0 -179.5 0 5"),
        visit(5, country="FJI", place="-17.8 178.0 0 5"),
        visit(6, country="FJI", place="-17.8 100.0 0 5"),
        visit(7, country="XXX", place="48.85 2.35 0 5"),
        visit(8, country="", place="48.85 2.35 0 5"),
        visit(9, place="0 0 0 5"),
        visit(10, place="-4.7 41.8 0 5"),
        visit(11, place="5.1 34 0 5"),
    ]
    only = {"point": {"on": False}}
    assert ids(run(some, {"country": {}} | only), "QUALITY-COUNTRY:place") == ["1", "6"]
    boxes = {"country": {"boxes": {"XXX": [0, 0, 1, 1], "KEN": [36, -2, 39, 2]}, "margin": 0.5}}
    assert ids(run(some, boxes | only), "QUALITY-COUNTRY:place") == ["1", "10", "11", "6", "7"]


def test_many_submissions_of_one_enumerator_at_one_place_are_told(run: Run) -> None:
    # 0.0001 degrees are 11 metres: a row of points, each near to those beside it.
    row = [visit(number, place=f"{1 + number * 0.0001:.6f} 37 0 5") for number in range(1, 8)]
    assert ids(run(row, {"cluster": {}}), "QUALITY-CLUSTER:place") == []
    assert ids(run(row, {"cluster": {"metres": 23}}), "QUALITY-CLUSTER:place") == ["3", "4", "5"]
    assert ids(run(row, {"cluster": {"metres": 80}}), "QUALITY-CLUSTER:place") == [str(n) for n in range(1, 8)]
    shared = [
        visit(n, place="1 37 0 5", submitter=who) for n, who in enumerate(["a", "a", "b", "b", "", "", "", "", ""])
    ]
    assert run(shared, {"cluster": {}}) == []
    zero = [visit(n, place="0 0 0 5") for n in range(9)]
    assert ids(run(zero, {"cluster": {}}), "QUALITY-CLUSTER:place") == []


@pytest.mark.parametrize("seed", range(3))
def test_clusters_are_those_that_comparing_every_pair_finds(run: Run, seed: int) -> None:
    rng = Random(seed)
    spots = {n: (rng.uniform(59.9990, 60.0010), rng.uniform(10.000, 10.002)) for n in range(1, 200)}
    some = [visit(n, place=f"{lat:.7f} {lon:.7f} 0 5") for n, (lat, lon) in spots.items()]
    found = ids(run(some, {"cluster": {"metres": 20, "submissions": 6}}), "QUALITY-CLUSTER:place")
    assert found == sorted(str(n) for n in spots if sum(_near(spots[n], other) for other in spots.values()) >= 6)
    assert 0 < len(found) < 199


def _near(a: tuple[float, float], b: tuple[float, float]) -> bool:
    from_metres = ((a[0] - b[0]) * 111195.08, (a[1] - b[1]) * 111195.08 * 0.5)
    return (from_metres[0] ** 2 + from_metres[1] ** 2) ** 0.5 <= 20


def test_the_order_of_the_submissions_changes_nothing(run: Run) -> None:
    rng = Random(7)
    some = [visit(n, age=str(20 + 5 * (n % 9)), place=f"{1 + (n % 4) * 1e-4:.5f} 37 0 5") for n in range(1, 61)]
    some += [visit(n, submission_id=f"uuid:1{n:03}", story="new") for n in range(1, 20)]
    some += [visit(n, submission_id=f"uuid:2{n:03}", income="99999") for n in range(1, 5)]
    some += [
        visit(500 + n, submitter="b", end="2026-11-20T09:01:00+03:00", **dict.fromkeys(FREE, "")) for n in range(12)
    ]
    tables: dict[str, Any] = {
        name: {} for name in ("near", "hours", "speed", "straight", "blanks", "country", "cluster")
    }
    tables |= {"digits": {"columns": ["age"]}, "outlier": {"columns": ["income"]}}
    first = run(some, tables)
    rng.shuffle(some)
    assert run(some, tables) == first
    assert {code.partition(":")[0].removeprefix("QUALITY-") for *_, code in first} >= {
        *("NEAR", "SPEED", "BLANKS", "CLUSTER", "DIGITS", "OUTLIER")
    }


def test_every_rule_is_evaluated_by_the_gate_and_holds_where_it_says_so(
    db: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    batch = write_batch(tmp_path / "batches", FORM, [visit(1), visit(1, submission_id="uuid:0002"), visit(3)])
    staged = stage_batch(db, batch, FORM)
    tables: dict[str, Any] = {
        name: {} for name in ("near", "hours", "speed", "straight", "blanks", "country", "cluster")
    }
    tables |= {"digits": {"columns": ["age", "person.years"]}, "outlier": {"columns": ["income"]}}
    tables |= {"duplicate": {"action": "hold"}, "point": {}, "clock": {}}
    report = check(db, staged, quality_rules(staged, tables, prepare(db, staged)), today=date(2026, 11, 21))
    assert report.not_evaluated == ()
    assert db.execute("SELECT submission_id, rule, action FROM stage_violations ORDER BY ALL").fetchall() == [
        ("uuid:0002", "QUALITY-DUPLICATE", "hold"),
        ("uuid:0002", "QUALITY-NEAR", "note"),
    ]
    told = repr(report)
    assert "story 1" not in told
    assert "amina" not in told


def test_a_form_without_times_and_places_has_only_the_rule_that_needs_none(run: Run) -> None:
    plain = make_form("f", "1", [("text", "a")])
    assert run([received(plain, {"a": "x"})], form=plain) == []


def test_a_form_of_thousands_of_questions_is_judged_too(run: Run) -> None:
    long = make_form("f", "1", [("text", f"q{number}") for number in range(1200)])
    told = {f"q{number}": "x" for number in range(20)}
    some = [received(long, told, f"uuid:000{number}") for number in (1, 2)]
    assert [code for *_, code in run(some, {"near": {}, "blanks": {}}, form=long)] == [
        "QUALITY-DUPLICATE",
        "QUALITY-NEAR",
    ]
