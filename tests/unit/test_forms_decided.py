"""The file in which people say which question of a form is which."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from dialogkit.errors import FormError
from dialogkit.forms.decided import Decided, read_decided, refuse_unknown, write_decided

NAMES = ["'; DROP TABLE ops.lineage --", 'a"b\\c', "a → b\n[same]", "ß\x7f\t", "x" * 300, "select"]


def test_decisions_are_read_as_they_were_written(tmp_path: Path):
    decided = Decided(
        {name: f"g/{name}" for name in NAMES}, frozenset({("b", "c"), ("b", "d"), *[(name, "b") for name in NAMES]})
    )
    write_decided(tmp_path / "f.lineage.toml", decided)
    assert read_decided(tmp_path / "f.lineage.toml") == decided
    assert read_decided(tmp_path / "none.toml") == Decided()


def test_the_file_is_sorted_and_keeps_the_comment_at_its_top(tmp_path: Path):
    path = tmp_path / "f.lineage.toml"
    write_decided(path, Decided({"b": "c", "a": "c"}, frozenset({("x", "z"), ("x", "y")})))
    text = path.read_text()
    assert text.splitlines()[1:] == ["", "[same]", '"a" = "c"', '"b" = "c"', "", "[different]", '"x" = ["y", "z"]']
    assert tomllib.loads(text)["same"] == {"a": "c", "b": "c"}
    path.write_text("# Ours.\n" + text)
    write_decided(path, read_decided(path))
    assert path.read_text() == "# Ours.\n" + text


@pytest.mark.parametrize(
    ("code", "text", "says"),
    [
        ("FORM-080", "[same", "This is not a TOML file"),
        ("FORM-080", "[sane]", "sane is nothing that can be decided here"),
        ("FORM-080", "same = 1", "This must be a section"),
        ("FORM-080", "[same]\na = 1", "This must be the path of one question"),
        ("FORM-080", '[same]\na = ["b"]', "This must be the path of one question"),
        ("FORM-080", "[different]\na = [1]", "This must be the path of one question"),
        ("FORM-082", '[same]\na = "b"\nb = "c"\nc = "a"', "A question would come after itself: a → b → c → a"),
        ("FORM-082", '[same]\na = "a"', "a → a"),
        ("FORM-083", '[same]\na = "b"\n[different]\nb = "a"', "a and b are said to be the same question and different"),
        ("FORM-083", '[different]\na = "a"', "a is said to be different from itself"),
    ],
)
def test_a_file_that_is_not_as_it_should_be_is_refused(tmp_path: Path, code: str, text: str, says: str):
    (tmp_path / "f.lineage.toml").write_text(text)
    with pytest.raises(FormError) as caught:
        read_decided(tmp_path / "f.lineage.toml")
    assert (caught.value.code, caught.value.where[:14]) == (code, "f.lineage.toml")
    assert says in caught.value.message


@pytest.mark.parametrize(
    ("path", "fix"),
    [("g/tonw", "Did you mean g/town?"), ("h/town", "Did you mean g/town?"), ("zzz", "Write the whole path")],
)
def test_a_decision_on_an_unknown_path_says_what_may_be_meant(path: str, fix: str):
    with pytest.raises(FormError) as caught:
        refuse_unknown("f", Decided({path: "g/town"}), ["g/town", "g/name"])
    assert caught.value.code == "FORM-081"
    assert fix in caught.value.fix
