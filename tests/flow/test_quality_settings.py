"""What is written under [quality.<name>]: refused with the way out, and as docs/quality.md says."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dialogkit.errors import ConfigError
from dialogkit.validate.quality.settings import ALWAYS, KEYS
from tests.builders import make_form, received
from tests.flow.interviews import Run, runner, visit


@pytest.fixture
def run(db: duckdb.DuckDBPyConnection, tmp_path: Path) -> Run:
    return runner(db, tmp_path)


@pytest.mark.parametrize(
    ("tables", "code", "says"),
    [
        ({"naer": {}}, "CONFIG-070", "near"),
        ({"near": 1}, "CONFIG-072", "[quality.near]"),
        ({"near": {"shear": 0.5}}, "CONFIG-071", "share"),
        ({"near": {"share": 85}}, "CONFIG-072", "at most 1"),
        ({"near": {"share": True}}, "CONFIG-072", "number"),
        ({"near": {"action": "stop"}}, "CONFIG-072", "note or hold"),
        ({"near": {"within": []}}, "CONFIG-072", "list"),
        ({"near": {"within": ["contry"]}}, "CONFIG-073", "country"),
        ({"blanks": {"smallest": 5}}, "CONFIG-072", "at least 10"),
        ({"hours": {"from": "6"}}, "CONFIG-072", "07:30"),
        ({"hours": {"start": "age"}}, "CONFIG-074", "datetime"),
        ({"digits": {}}, "CONFIG-075", "columns"),
        ({"digits": {"columns": ["aeg"]}}, "CONFIG-073", "age"),
        ({"digits": {"columns": ["income"]}}, "CONFIG-074", "integer"),
        ({"outlier": {"columns": ["story"]}}, "CONFIG-074", "decimal"),
        ({"outlier": {"columns": ["person.yeers"]}}, "CONFIG-073", "person.years"),
        ({"cluster": {"column": "age"}}, "CONFIG-074", "geopoint"),
        ({"cluster": {"enumerator": "person.years"}}, "CONFIG-074", "outside repeats"),
        ({"country": {"boxes": {"KEN": [1, 2, 3]}}}, "CONFIG-072", "west"),
        ({"speed": {"time": "watch"}}, "CONFIG-072", "audit"),
    ],
)
def test_what_is_written_wrong_is_refused_with_the_way_out(
    run: Run, tables: Mapping[str, Any], code: str, says: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        run([visit(1)], tables)
    assert caught.value.code == code
    assert says in caught.value.fix
    assert caught.value.problem.where == f"validations/f.toml, [quality.{next(iter(tables))}]"


def test_all_that_is_wrong_is_told_at_once(run: Run) -> None:
    tables = {"naer": {}, "near": {"shear": 1, "share": 85}, "digits": {}, "outlier": {"columns": ["aeg"]}}
    with pytest.raises(ConfigError) as caught:
        run([visit(1)], tables)
    told = [*(problem.code for problem in caught.value.problems), caught.value.code]
    assert told == ["CONFIG-070", "CONFIG-071", "CONFIG-072", "CONFIG-075", "CONFIG-073"]


@pytest.mark.parametrize(
    "name", ["near", "clock", "hours", "speed", "straight", "blanks", "point", "country", "cluster"]
)
def test_a_rule_that_somebody_asks_for_and_the_form_cannot_have_is_refused(run: Run, name: str) -> None:
    bare = make_form("f", "1", [("repeat", "r"), ("text", "r/a")])
    with pytest.raises(ConfigError) as caught:
        run([received(bare, {"r": [{"r/a": "x"}]})], {name: {}}, form=bare)
    assert caught.value.code == "CONFIG-075"


PAGE = (Path(__file__).parents[2] / "docs" / "quality.md").read_text(encoding="utf-8")


def test_every_example_of_the_page_is_taken(run: Run) -> None:
    examples = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    names = [name for example in examples for name in tomllib.loads(example)["quality"]]
    assert {*names} == {*KEYS}
    for example in examples:
        run([visit(1)], tomllib.loads(example)["quality"])


@pytest.mark.parametrize("name", KEYS)
def test_the_page_names_every_key_with_its_default(name: str) -> None:
    (section,) = re.findall(rf"^## {name}: .*?(?=^## )", PAGE, re.DOTALL | re.MULTILINE)
    cells = dict(re.findall(r"^\| (`.*?) \| (.*?) \|", section, re.MULTILINE))
    told = {key: default for keys, default in cells.items() for key in re.findall(r"`(\w+)`", keys)}
    assert told.keys() == KEYS[name].keys()
    for key, default in ((key, one.default) for key, one in KEYS[name].items()):
        if default not in (None, "", [], {}):
            assert told[key].strip("`").replace('"', "") in (f"{default}".replace("'", ""), f"{default}".lower())
    assert ("Always on." in section) == (name in ALWAYS)
