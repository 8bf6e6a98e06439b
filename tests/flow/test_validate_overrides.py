"""`[form…]` and `[quality…]` in a file of rules: what people change about the rules that a form makes."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from dialogkit.errors import ConfigError
from dialogkit.model.staged import Staged
from dialogkit.validate import texts
from dialogkit.validate.overrides import FIXED, KINDS
from dialogkit.validate.rules import rules_of
from dialogkit.validate.suites import read_rules_file, rules_in
from tests.builders import make_form, stage_batch, write_batch

FORM = make_form(
    "f", "1", [("integer", "g/n", {"required": "yes"}), ("integer", "g/k", {"required": "yes"}), ("repeat", "r")]
)


@pytest.fixture
def staged(db: duckdb.DuckDBPyConnection, tmp_path: Path) -> Staged:
    return stage_batch(db, write_batch(tmp_path / "batches", FORM, [{}]), FORM)


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "f.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_what_is_said_of_one_rule_goes_before_what_is_said_of_its_kind(staged: Staged, tmp_path: Path):
    text = """
        [form.FORM-REQUIRED]
        action = "note"
        mostly = 0.9
        [form."FORM-REQUIRED:g/k"]
        action = "hold"
        message.en = "Ask for it."
        [form.FORM-TYPE]
        action = "off"
    """
    overrides = read_rules_file(written(tmp_path, text)).overrides
    made = rules_of(staged)
    rules = {rule.code: rule for rule in overrides.apply(made)}
    first, second = rules["FORM-REQUIRED:g/n"], rules["FORM-REQUIRED:g/k"]
    assert (first.action, first.mostly) == ("note", 0.9)
    assert (second.action, second.mostly, second.messages["en"]) == ("hold", 0.9, "Ask for it.")
    assert second.messages["fr"] == next(rule for rule in made if rule.code == second.code).messages["fr"]
    assert [code for code in rules if code.startswith("FORM-TYPE")] == []
    assert {rule.code for rule in overrides.off(made)} == {"FORM-TYPE:g/n", "FORM-TYPE:g/k"}
    assert set(rules) | {rule.code for rule in overrides.off(made)} == {rule.code for rule in made}


def test_without_changes_the_rules_stay_as_they_are(staged: Staged, tmp_path: Path):
    made = rules_of(staged)
    assert read_rules_file(tmp_path / "none.toml").overrides.apply(made) == tuple(made)


@pytest.mark.parametrize(
    ("code", "text", "said"),
    [
        ("CONFIG-050", '[form.FORM-REQUIERD]\naction = "off"', "mean FORM-REQUIRED"),
        ("CONFIG-050", '[form."FORM-REQUIRED:g/kk"]\naction = "off"', "mean g/k"),
        ("CONFIG-050", '[form."FORM-REQUIRED:"]\naction = "off"', "empty path"),
        ("CONFIG-050", '[form."FORM-DRIFT:g/k"]\naction = "off"', "[form.FORM-DRIFT]"),
        ("CONFIG-050", '[form.FORM-SEALED]\naction = "note"', "cannot be changed"),
        ("CONFIG-050", '[form.FORM-VERSION]\naction = "note"', "cannot be changed"),
        ("CONFIG-051", '[form.FORM-REQUIRED]\naction = "stop"', '"off"'),
        ("CONFIG-051", "[form.FORM-REQUIRED]\nactoin = 1", "mean action"),
        ("CONFIG-051", '[form.FORM-REQUIRED]\nmessage.de = "x"', "de is not one of en, fr, es"),
        ("CONFIG-051", '[form.FORM-REQUIRED]\nmessage = "x"', "by language"),
        ("CONFIG-052", "[form.FORM-REQUIRED]\nmostly = true", "share"),
        ("CONFIG-020", "form = 1", "form is no table"),
        ("CONFIG-020", "[rule]\nx = 1", "[[rule]], in double brackets"),
        ("CONFIG-020", "[quality]\nspeed = true", "quality.speed is no table. Write [quality.speed]"),
        ("CONFIG-020", "[from.FORM-REQUIRED]\nx = 1", "from is none. Did you mean form?"),
    ],
)
def test_a_change_that_means_nothing_is_refused(
    db: duckdb.DuckDBPyConnection, staged: Staged, tmp_path: Path, code: str, text: str, said: str
):
    with pytest.raises(ConfigError) as caught:
        rules_in(read_rules_file(written(tmp_path, text)), staged, db)
    assert caught.value.code == code
    assert said in f"{caught.value.problem.message} {caught.value.problem.fix}"
    assert caught.value.where.startswith("validations/f.toml")


def test_everything_that_is_no_rule_is_told_at_once(tmp_path: Path):
    with pytest.raises(ConfigError) as caught:
        read_rules_file(written(tmp_path, "rule = 1\nother = 2\n[form]\nx = 3\n[quality]\nspeed = true"))
    assert {one.code for one in caught.value.problems} == {"CONFIG-020"}
    assert len(caught.value.problems) == 3


def test_a_repeat_can_be_named_too(db: duckdb.DuckDBPyConnection, staged: Staged, tmp_path: Path):
    assert rules_in(read_rules_file(written(tmp_path, '[form."FORM-ROWS:r"]\naction = "note"')), staged, db) == ()


def test_tables_of_quality_are_handed_through(tmp_path: Path):
    text = "[quality.speeding]\nminutes = 3\n[quality.duplicates]\n"
    assert read_rules_file(written(tmp_path, text)).quality == {"speeding": {"minutes": 3}, "duplicates": {}}


def test_every_kind_of_rule_of_a_form_can_be_changed_or_is_fixed():
    kinds = {code.partition(":")[0] for code in texts._TEXTS}
    assert kinds <= KINDS.keys() | FIXED
