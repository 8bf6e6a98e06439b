"""Instance XML ↔ canonical answers: nothing lost, nothing made up."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialogkit.instance import read_instance, write_instance
from dialogkit.model.form import Form
from tests.builders import make_form

FORM = make_form(
    "visit",
    "3",
    [
        ("text", "name"),
        ("integer", "g/age"),
        ("repeat", "g/child"),
        ("text", "g/child/name"),
        ("repeat", "g/child/toy"),
        ("text", "g/child/toy/kind"),
    ],
)

_NAMES = ["a", "b", "A", "c1", "group", "data", "id"]
#: What a person can type and XML can hold; blanks alone are no answer.
_TEXT = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), include_characters="\t\n\r", exclude_characters="\ufffe\uffff"),
    min_size=1,
    max_size=12,
).filter(str.strip)


@st.composite
def forms(draw: st.DrawFn) -> Form:
    """A form of one to three levels."""

    def level(above: str, depth: int) -> list[tuple[str, str]]:
        rows: list[tuple[str, str]] = []
        for name in draw(st.lists(st.sampled_from(_NAMES), min_size=1, max_size=4, unique=True)):
            path = f"{above}/{name}" if above else name
            kind = draw(st.sampled_from(["text", "group", "repeat"])) if depth < 3 else "text"
            rows.append((kind, path))
            if kind != "text":
                rows += level(path, depth + 1)
        return rows

    return make_form("f", draw(st.sampled_from(["", "1", "é 2"])), level("", 1))


def answers_of(form: Form, draw: st.DrawFn, repeat: str = "") -> dict[str, Any]:
    """Random answers of one level, blanks left out."""
    answers: dict[str, Any] = {}
    for question in form.questions:
        if form.repeat_of(question.path) == repeat and draw(st.booleans()):
            answers[question.path] = draw(_TEXT)
    for path in form.repeats:
        if form.repeat_of(path) == repeat:
            rows = [answers_of(form, draw, path) for _ in range(draw(st.integers(0, 2)))]
            if rows:
                answers[path] = rows
    return answers


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_answers_come_back_as_they_were_written(data):
    form = data.draw(forms())
    answers = answers_of(form, data.draw)
    instance = read_instance(write_instance(form, answers, "uuid:1", deprecated_id="uuid:0"), form.repeats)
    assert instance.answers == answers
    assert (instance.form_id, instance.form_version) == ("f", form.version)
    assert (instance.instance_id, instance.deprecated_id) == ("uuid:1", "uuid:0")


@pytest.mark.parametrize("text", ["a\rb", "a\r\nb", "a\nb", "a\tb", " a ", "a & <b>]]>", "\u2028x", "\x85x", "😀"])
def test_every_sign_of_an_answer_survives(text):
    assert read_instance(write_instance(FORM, {"name": text}, "uuid:1")).answers == {"name": text}


@pytest.mark.parametrize("text", ["a\x00", "\x1f", "\ufffe", "\ud800"])
def test_a_sign_that_xml_cannot_hold_is_refused_without_being_quoted(text):
    with pytest.raises(ValueError, match=r"^the answer to g/age cannot be written as XML$"):
        write_instance(FORM, {"g/age": text}, "uuid:1")


def test_blanks_are_left_out():
    data = b"<data id='visit'><name> \n </name><g><age/></g><empty><x/></empty></data>"
    assert read_instance(data, FORM.repeats).answers == {}


def test_one_row_of_a_repeat_is_a_list_as_well():
    data = b"<data id='visit'><g><child><name>A</name></child></g></data>"
    assert read_instance(data, FORM.repeats).answers == {"g/child": [{"g/child/name": "A"}]}


def test_an_empty_row_of_a_repeat_keeps_its_place():
    data = b"<data><g><child/><child><name>B</name></child></g></data>"
    assert read_instance(data, FORM.repeats).answers == {"g/child": [{}, {"g/child/name": "B"}]}


def test_elements_that_repeat_unannounced_are_all_kept():
    data = b"<data><x>1</x><x>2</x><y><z>3</z></y><y><z>4</z></y></data>"
    assert read_instance(data).answers == {"x": [{"x": "1"}, {"x": "2"}], "y": [{"y/z": "3"}, {"y/z": "4"}]}


def test_rows_of_a_repeat_that_do_not_stand_together_are_rows_all_the_same():
    data = b"<data><g><child><name>A</name></child><age>3</age><child><name>B</name></child></g></data>"
    assert read_instance(data, FORM.repeats).answers == {
        "g/child": [{"g/child/name": "A"}, {"g/child/name": "B"}],
        "g/age": "3",
    }


def test_text_beside_elements_is_kept():
    data = b"<data><g>said<age>3</age></g></data>"
    assert read_instance(data, FORM.repeats).answers == {"g": "said", "g/age": "3"}


def test_text_where_a_repeat_belongs_is_kept():
    data = b"<data><g><child>said</child></g></data>"
    assert read_instance(data, FORM.repeats).answers == {"g/child": [{"g/child": "said"}]}


def test_namespaces_do_not_hide_a_question():
    data = (
        b'<h:data xmlns:h="http://example.org/a" xmlns:orx="http://openrosa.org/xforms" id="visit" version="3">'
        b"<h:name>A</h:name><orx:meta><orx:instanceID> uuid:7 </orx:instanceID></orx:meta></h:data>"
    )
    instance = read_instance(data, FORM.repeats)
    assert (instance.form_id, instance.instance_id, instance.answers) == ("visit", "uuid:7", {"name": "A"})


def test_identifiers_stand_beside_the_answers_and_other_meta_in_them():
    data = (
        b"<data><name>A</name><meta><instanceID>uuid:2</instanceID><deprecatedID>uuid:1</deprecatedID>"
        b"<rootUuid>uuid:0</rootUuid><instanceName>Visit to A</instanceName></meta></data>"
    )
    instance = read_instance(data, FORM.repeats)
    assert (instance.instance_id, instance.deprecated_id, instance.root_id) == ("uuid:2", "uuid:1", "uuid:0")
    assert instance.answers == {"name": "A", "meta/instanceName": "Visit to A"}


def test_the_id_may_stand_on_the_root_as_a_server_writes_it():
    assert read_instance(b'<data id="visit" instanceID="uuid:9"/>').instance_id == "uuid:9"


def test_what_is_missing_is_empty():
    instance = read_instance(b"<data/>")
    assert (instance.form_id, instance.form_version, instance.instance_id, instance.answers) == ("", "", "", {})


def test_encrypted_answers_cannot_be_judged_and_pretended_ones_can():
    sealed = read_instance(b'<data id="visit" encrypted="yes"><base64EncryptedKey>x</base64EncryptedKey></data>')
    pretended = read_instance(b'<data id="visit" encrypted="yes"><name>A</name></data>')
    assert sealed.sealed(FORM)
    assert not pretended.sealed(FORM)
    assert not read_instance(b'<data id="visit"/>').sealed(FORM)


def test_the_order_of_elements_is_that_of_the_form():
    data = write_instance(FORM, {"g/age": "3", "name": "A"}, "uuid:1")
    assert data.index(b"<name>") < data.index(b"<age>") < data.index(b"<meta>")
