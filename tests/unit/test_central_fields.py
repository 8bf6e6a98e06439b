"""Where each question of all versions of a form stands in Central's CSV files."""

from __future__ import annotations

import pytest

from dialogkit.servers.central.fields import Columns, shape_of
from tests.unit.test_central_csvzip import fields


def test_questions_of_every_version_have_a_place():
    shape = shape_of([fields("a string", "old int"), fields("a string", "g structure", "g/new string")])
    assert shape is not None
    assert shape.tables[""].text == {"a": "a", "old": "old", "g-new": "g/new"}


def test_a_point_that_became_a_text_is_found_under_either_heading():
    shape = shape_of([fields("where geopoint"), fields("where string")])
    assert shape is not None
    assert shape.tables[""].columns(["where"]) == Columns(((0, "where"),), ())
    parts = ["where-Latitude", "where-Longitude", "where-Altitude", "where-Accuracy"]
    assert shape.tables[""].columns(parts) == Columns((), ((0, "where"),))


@pytest.mark.parametrize(
    "pairs",
    [("a-b string", "a structure", "a/b string"), ("p geopoint", "p-Latitude string")],
    ids=["hyphen and group", "part of a point"],
)
def test_headings_that_could_mean_two_questions_are_ambiguous(pairs: tuple[str, ...]):
    assert shape_of([fields(*pairs)]) is None


def test_a_group_that_became_a_repeat_is_ambiguous():
    assert shape_of([fields("g structure", "g/a string"), fields("g repeat", "g/a string")]) is None


def test_a_question_without_a_path_is_ambiguous():
    assert shape_of([[{"path": None, "type": "string"}]]) is None


def test_nested_repeats_know_their_parents():
    shape = shape_of([fields("g structure", "g/r repeat", "g/r/h structure", "g/r/h/s repeat", "g/r/h/s/y string")])
    assert shape is not None
    assert shape.repeats == ("g/r", "g/r/h/s")
    inner = shape.tables["g/r/h/s"]
    assert (inner.parent, inner.below, inner.text) == ("g/r", "/h/s[", {"y": "g/r/h/s/y"})
