"""Which tables and columns the versions of a form fill, and that a name is kept for good."""

from __future__ import annotations

from dialogkit.model.table import MAIN_COLUMNS, Standing
from dialogkit.normalize.schema import kind_of, tables_of
from tests.builders import make_form


def names_of(*forms, known=None, table=0):
    """Column names of one table by path, `meta` left out."""
    columns = tables_of(list(forms), Standing(known or {}))[table].columns
    asked = [column for column in columns if not column.is_companion]
    return {column.path: column.name for column in asked if not column.path.startswith("meta/")}


def known_of(*forms):
    return {table.repeat: table.columns for table in tables_of(list(forms))}


def test_a_leaf_name_that_is_unique_is_the_column():
    assert names_of(make_form("f", "1", [("text", "name"), ("integer", "g/age")])) == {"name": "name", "g/age": "age"}


def test_leaf_names_that_clash_become_paths():
    form = make_form("f", "1", [("text", "a/name"), ("text", "b/name")])
    assert names_of(form) == {"a/name": "a__name", "b/name": "b__name"}


def test_names_that_differ_only_in_case_clash():
    form = make_form("f", "1", [("text", "a/Name"), ("text", "b/name")])
    assert names_of(form) == {"a/Name": "a__Name", "b/name": "b__name"}


def test_a_name_that_still_collides_gets_a_number():
    form = make_form("f", "1", [("text", "a__b"), ("text", "a/b"), ("text", "c/b"), ("text", "A/b")])
    names = names_of(form)
    assert names == {"a__b": "a__b", "a/b": "a__b__2", "c/b": "c__b", "A/b": "A__b__3"}
    assert len({name.lower() for name in names.values()}) == 4


def test_twins_in_case_at_the_top_get_a_number():
    assert names_of(make_form("f", "1", [("text", "x"), ("text", "X")])) == {"x": "x", "X": "X__2"}


def test_keywords_and_odd_names_stay_as_they_are():
    form = make_form("f", "1", [("text", "select"), ("text", "a.b"), ("text", "été")])
    assert names_of(form) == {"select": "select", "a.b": "a.b", "été": "été"}


def test_our_own_columns_win():
    form = make_form(
        "f",
        "1",
        [("text", "_submission_id"), ("text", "g/_Origin"), ("text", "_row"), ("repeat", "r"), ("text", "r/_row")],
    )
    assert names_of(form) == {"_submission_id": "_submission_id__2", "g/_Origin": "g___Origin", "_row": "_row__2"}
    assert names_of(form, table=1) == {"r/_row": "r___row"}


def test_a_column_keeps_its_name_when_a_new_version_brings_the_same_leaf():
    old = make_form("f", "1", [("text", "a/name")])
    new = make_form("f", "2", [("text", "b/name"), ("text", "a/name")])
    assert names_of(old, new, known=known_of(old)) == {"a/name": "name", "b/name": "b__name"}


def test_a_column_of_a_version_that_is_no_longer_known_stays():
    old, new = make_form("f", "1", [("text", "gone")]), make_form("f", "2", [("text", "here")])
    assert names_of(new, known=known_of(old)) == {"gone": "gone", "here": "here"}


def test_a_question_that_changed_its_type_gets_a_column_of_its_own():
    old, new = make_form("f", "1", [("text", "g/age")]), make_form("f", "2", [("integer", "g/age")])
    table = tables_of([old, new], Standing(known_of(old)))[0]
    assert [(c.name, c.kind) for c in table.columns if c.path == "g/age"] == [("age", "text"), ("g__age", "integer")]
    assert table.by_path["g/age"].kind == "integer"


def test_the_words_of_a_column_are_those_of_the_latest_version():
    old = make_form("f", "1", [("text", "a", {"disclosure": "none", "labels": {"": "Old"}})])
    new = make_form("f", "2", [("text", "a", {"disclosure": "direct", "labels": {"": "New"}})])
    (column,) = (c for c in tables_of([old, new], Standing(known_of(old)))[0].columns if c.path == "a")
    assert (column.disclosure, column.labels) == ("direct", {"": "New"})


def test_a_repeat_is_a_table_and_parents_come_before_children():
    form = make_form(
        "f", "1", [("repeat", "g/r"), ("text", "g/r/a"), ("repeat", "g/r/h/s"), ("text", "g/r/h/s/b"), ("repeat", "t")]
    )
    tables = tables_of([form])
    assert {(t.name, t.repeat, t.parent) for t in tables} == {
        ("f", "", ""),
        ("f__r", "g/r", "f"),
        ("f__s", "g/r/h/s", "f__r"),
        ("f__t", "t", "f"),
    }
    places = [table.name for table in tables]
    assert places[0] == "f"
    assert places.index("f__r") < places.index("f__s")


def test_repeats_of_one_name_become_paths():
    form = make_form("f", "1", [("repeat", "a/r"), ("repeat", "b/R")])
    assert [table.name for table in tables_of([form])] == ["f", "f__a__r", "f__b__R"]


def test_a_table_keeps_its_name_when_a_new_version_brings_the_same_leaf():
    old = make_form("f", "1", [("repeat", "a/r"), ("text", "a/r/x")])
    new = make_form("f", "2", [("repeat", "b/r"), ("text", "b/r/x"), ("repeat", "a/r"), ("text", "a/r/x")])
    tables = tables_of([old, new], Standing(known_of(old), {table.repeat: table.name for table in tables_of([old])}))
    assert {table.repeat: table.name for table in tables} == {"": "f", "a/r": "f__r", "b/r": "f__b__r"}


def test_a_question_in_a_repeat_is_in_its_table_only():
    form = make_form("f", "1", [("text", "r_not/a"), ("repeat", "r"), ("text", "r/a")])
    assert names_of(form) == {"r_not/a": "a"}
    assert names_of(form, table=1) == {"r/a": "a"}


def test_notes_have_no_column():
    assert names_of(make_form("f", "1", [("note", "n"), ("text", "a")])) == {"a": "a"}


def test_the_name_of_an_instance_is_an_identifier():
    columns = {column.path: column for column in tables_of([make_form("f", "1", [("text", "a")])])[0].columns}
    assert (columns["meta/instanceName"].disclosure, columns["meta/instanceName"].name) == ("direct", "_instance_name")
    assert not set(MAIN_COLUMNS) & {column.name for column in columns.values()}


def test_a_list_with_a_space_in_a_choice_cannot_be_split():
    form = make_form(
        "f",
        "1",
        [("select_multiple", "a", {"choices": ["x", "y"]}), ("select_multiple", "b", {"choices": ["x", "y z"]})],
    )
    assert [kind_of(question, form) for question in form.questions] == ["select_multiple", "text"]


def test_a_table_takes_another_name_where_one_of_another_form_has_it():
    form = make_form("Visit", "1", [("text", "a"), ("repeat", "r"), ("text", "r/b")])
    standing = Standing(taken=frozenset({"visit", "visit__r"}))
    assert [table.name for table in tables_of([form], standing)] == ["Visit__2", "Visit__r__2"]
    stays = Standing(tables={"": "Visit__2", "r": "Visit__r__2"}, taken=frozenset({"visit", "visit__r"}))
    assert [table.name for table in tables_of([form], stays)] == ["Visit__2", "Visit__r__2"]


def test_a_place_that_nobody_has_classed_is_an_identifier():
    (table,) = tables_of(
        [make_form("f", "1", [("geopoint", "where", {"disclosure": ""}), ("text", "a", {"disclosure": ""})])]
    )
    assert {column.name: column.disclosure for column in table.columns if column.name in ("where", "a")} == {
        "where": "direct",
        "a": "",
    }
