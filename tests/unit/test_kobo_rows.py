"""Rows of KoboToolbox, as recorded from a real server and as no server should send them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dialogkit.servers.kobo.page import split_rows
from dialogkit.servers.kobo.rows import (
    Misshapen,
    entry_of,
    files_of,
    needs_xml,
    read_answers,
    signature_of,
    submission_of,
    version_of,
)
from tests.builders import make_form

RECORDINGS = Path(__file__).parents[1] / "recordings"


def body_of(name: str) -> Any:
    return json.loads((RECORDINGS / f"{name}.json").read_text(encoding="utf-8"))["response"]["body"]


LISTED = ("_id", "_uuid", "meta/rootUuid", "_validation_status", "_attachments")


def row(**more: Any) -> dict[str, Any]:
    return {
        "_id": 7,
        "_uuid": "b",
        "meta/instanceID": "uuid:b",
        "meta/rootUuid": "uuid:a",
        "_submission_time": "2026-11-20T12:43:07",
        "_attachments": [],
        "_validation_status": {},
        "_submitted_by": None,
    } | more


def file(uid: str = "att1", name: str = "p.png", **more: Any) -> dict[str, Any]:
    return {"uid": uid, "media_file_basename": name, "download_url": f"https://x/{uid}/", "is_deleted": False} | more


def test_a_recorded_submission_keeps_every_answer_as_it_was_typed():
    read = submission_of(body_of("kobo/data_single"), "talk", None, "")
    assert read.id == read.instance_id == "uuid:914d0a42-9af1-4969-97bd-89ef5be83074"
    assert (read.submitted_at, read.submitter, read.edited) == ("2026-11-20T12:43:07Z", "organiser", False)
    assert read.answers["ctx/budget"] == "1500.50"
    assert read.answers["bc"] == "0012345"
    assert read.answers["country_other"] == "Côte d'Ivoire"
    assert read.answers["person"][0]["person/need"][1] == {"person/need/what": "need 0.1", "person/need/sev": "2"}
    assert read.answers["meta/audit"] == "audit.csv"
    assert [one.name for one in read.attachments] == ["p0.png", "photo1.png", "voice1.m4a", "audit.csv"]
    assert read.attachments[0].mark == "attAjnLNnGfdF3TtjucezmPT"


def test_no_key_of_the_server_is_taken_for_an_answer():
    for name in ("kobo/data_single", "kobo/data_single_after_edit", "kobo/data_encrypted"):
        found = body_of(name)
        for one in found.get("results", [found]):
            paths = set(read_answers(one, None))
            assert not {path for path in paths if path.startswith(("_", "formhub"))}
            assert not paths & {"meta/instanceID", "meta/rootUuid", "meta/deprecatedID"}


def test_an_edit_keeps_the_id_and_changes_the_signature():
    before, after = body_of("kobo/data_single"), body_of("kobo/data_single_after_edit")
    edited = submission_of(after, "talk", None, "")
    assert edited.id == submission_of(before, "talk", None, "").id
    assert edited.edited
    assert edited.instance_id != edited.id
    assert signature_of(before) != signature_of(after)


def test_the_four_fields_of_the_listing_are_enough_for_id_and_signature():
    whole = body_of("kobo/data_single_after_validation")
    place, entry = entry_of({key: whole[key] for key in LISTED})
    assert (place, entry.place) == (whole["_id"], str(whole["_id"]))
    assert (entry.id, entry.signature) == (whole["meta/rootUuid"], signature_of(whole))


@pytest.mark.parametrize(
    "change",
    [
        {"_uuid": "c"},
        {"_validation_status": {"uid": "validation_status_approved", "timestamp": 1}},
        {"_attachments": [file()]},
        {"_attachments": [file(is_deleted=True)]},
    ],
)
def test_the_signature_changes_with_an_edit_a_review_and_a_file(change):
    assert signature_of(row(**change)) != signature_of(row())


def test_the_signature_tells_a_deleted_file_from_one_that_is_there():
    assert signature_of(row(_attachments=[file(is_deleted=True)])) != signature_of(row(_attachments=[file()]))


def test_the_signature_does_not_depend_on_the_order_of_files():
    one, two = file("att1"), file("att2", "q.png")
    assert signature_of(row(_attachments=[one, two])) == signature_of(row(_attachments=[two, one]))


@pytest.mark.parametrize(
    ("uid", "state"),
    [
        ("validation_status_approved", "approved"),
        ("validation_status_not_approved", "rejected"),
        ("validation_status_on_hold", "has_issues"),
        ("something_new", ""),
    ],
)
def test_review_states_are_told_in_our_words(uid, state):
    assert submission_of(row(_validation_status={"uid": uid}), "talk", None, "").review_state == state


def test_a_question_of_the_form_wins_over_a_key_of_the_server():
    form = make_form("talk", "1", [("text", "formhub/uuid"), ("text", "__version__"), ("text", "other")])
    found = row(**{"formhub/uuid": "asked", "__version__": "vX", "other": "x"})
    assert read_answers(found, form) == {"formhub/uuid": "asked", "__version__": "vX", "other": "x"}
    assert read_answers(found, None) == {"other": "x"}


def test_a_question_that_the_server_writes_over_is_read_from_the_xml():
    assert needs_xml(row(), make_form("talk", "1", [("text", "_status")]))
    assert not needs_xml(row(), make_form("talk", "1", [("text", "status")]))
    assert needs_xml(body_of("kobo/data_encrypted")["results"][0], None)


def test_values_that_are_not_text_come_as_their_json_text():
    page = b'{"count": 1, "results": [{"a": 12, "b": 1500.50, "c": true, "d": null, "e": " ", "f": []}]}'
    assert read_answers(split_rows(page)[0][0], None) == {"a": "12", "b": "1500.50", "c": "true"}


def test_our_version_comes_from_the_copy_then_from_the_map():
    assert version_of(row(dialogkit_form_version="3", __version__="vA"), {"vA": "2"}) == "3"
    assert version_of(row(__version__="vA"), {"vA": "2"}) == "2"
    assert version_of(row(__version__="vOld", __version___001="vA"), {"vA": "2", "vOld": "1"}) == "2"
    assert version_of(row(__version__="vB"), {"vA": "2"}) == ""


def test_a_question_that_stands_twice_keeps_both_answers():
    assert read_answers({"q": ["a", "b"]}, None) == {"q": [{"q": "a"}, {"q": "b"}]}


def test_files_of_one_name_are_told_apart_by_their_question():
    two = [file("att1", question_xpath="person[1]/photo"), file("att2", question_xpath="person[2]/photo")]
    assert [one.name for one, _ in files_of(row(_attachments=two))] == ["p.png", "person_2_photo-p.png"]
    three = [*two, file("att3", question_xpath="person[2]/photo")]
    assert len({one.name for one, _ in files_of(row(_attachments=three))}) == 3


def test_a_deleted_file_is_not_an_attachment():
    assert files_of(row(_attachments=[file(is_deleted=True)])) == []


def test_a_file_name_cannot_leave_its_folder():
    assert [one.name for one, _ in files_of(row(_attachments=[file(name="../../etc/passwd")]))] == ["passwd"]


DEEP: dict[str, Any] = {"a": "x"}
for _ in range(40):
    DEEP = {"a": [DEEP]}


@pytest.mark.parametrize(
    "more",
    [
        {"a": {"b": "c"}},
        {"a": [["b"]]},
        {"a": [{"b/c": "d"}]},
        {"a": [{"a": "d"}]},
        {"a": [None]},
        DEEP,
        {"meta/rootUuid": ""},
        {"meta/rootUuid": 5},
        {"_submission_time": "yesterday"},
        {"_submission_time": None},
        {"_attachments": "none"},
        {"_attachments": ["p.png"]},
        {"_attachments": [{"uid": "x"}]},
        {"_attachments": [file(name="..")]},
        {"_validation_status": "approved"},
        {"meta/instanceID": None, "_uuid": None},
    ],
)
def test_a_row_of_the_wrong_shape_is_misshapen(more):
    with pytest.raises(Misshapen):
        submission_of(row(**more), "talk", None, "")


@pytest.mark.parametrize(
    "found", [None, "x", [], {}, row(_id="7"), row(_id=True), row(**{"meta/rootUuid": "uuid:\ud800"})]
)
def test_a_line_of_the_listing_without_id_is_misshapen(found):
    with pytest.raises(Misshapen):
        entry_of(found)


def test_each_row_keeps_the_bytes_that_came():
    first, second = b'{"_id": 1, "a": "\\u00e9"}', '{"_id":2,"b":"é 1.50"}'.encode()
    body = b'{"count":2 ,"next":null,\n"results" : [ ' + first + b" , " + second + b'] , "more": {"x": [1]} } '
    assert split_rows(body) == [({"_id": 1, "a": "é"}, first), ({"_id": 2, "b": "é 1.50"}, second)]
    assert split_rows(b'{"results":[]}') == []


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"count":1}', b'{"results":[{}', b'{"results":[{}]', b"\xff", b"<html>"]
)
def test_half_a_page_is_no_page(body):
    with pytest.raises(ValueError):
        split_rows(body)
