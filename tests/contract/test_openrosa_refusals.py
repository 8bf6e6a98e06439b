"""What the embedded server does not keep: refusals of people, unknown forms, hostile requests."""

from __future__ import annotations

import pytest
import requests

from dialogkit.serve.incoming import MAX_XML


def test_a_submission_of_an_unknown_form_is_refused_and_counted_once(field_server):
    for _ in range(2):
        reply = field_server.post(field_server.xml("uuid:1", "secret", form_id="other"))
        assert reply.status_code == 404
        assert "no such form" in field_server.message(reply)
    assert field_server.refused("") == {"unknown form": 1}
    assert field_server.on_disk(b"secret") == []


def test_a_submission_of_an_unknown_version_is_refused_and_counted_once(field_server):
    for _ in range(2):
        reply = field_server.post(field_server.xml("uuid:1", "secret", version="9"))
        assert reply.status_code == 404
        assert "update the form" in field_server.message(reply)
    assert field_server.refused() == {"unknown version": 1}
    assert field_server.on_disk(b"secret") == []


def test_a_submission_of_an_older_known_version_is_kept(field_server):
    assert field_server.post(field_server.xml("uuid:1", version="1")).status_code == 201
    assert field_server.ids() == ["uuid:1"]


def test_a_submission_without_an_id_is_refused(field_server):
    reply = field_server.post(field_server.xml(""))
    assert reply.status_code == 400
    assert "no instanceID" in field_server.message(reply)


def test_nothing_is_kept_when_the_person_chose_delete(field_server):
    for _ in range(2):
        reply = field_server.post(field_server.xml("uuid:1", "secret", final="delete"), {"a.jpg": b"secret"})
        assert reply.status_code == 201
        assert "nothing was kept" in field_server.message(reply)
    assert field_server.refused() == {"the person chose delete": 1}
    assert field_server.on_disk(b"secret") == []
    assert field_server.ids() == []


def test_nothing_is_kept_without_consent(field_server):
    assert field_server.post(field_server.xml("uuid:1", "secret", gate="0")).status_code == 201
    assert field_server.refused() == {"no consent": 1}
    assert field_server.on_disk(b"secret") == []


def test_an_edit_that_chooses_delete_takes_every_earlier_edition_away(field_server):
    field_server.post(field_server.xml("uuid:1", "secret one"), {"a.jpg": b"secret two"})
    field_server.post(field_server.xml("uuid:2", "secret three", deprecated="uuid:1"))
    for _ in range(2):
        reply = field_server.post(field_server.xml("uuid:3", "secret four", deprecated="uuid:2", final="delete"))
        assert reply.status_code == 201
        assert "taken off this server" in field_server.message(reply)
        assert "nothing was kept" not in field_server.message(reply)
    assert field_server.on_disk(b"secret") == []
    assert field_server.ids() == ["uuid:2"]
    note = field_server.download("uuid:2")
    assert note.headers["X-Dialogkit-Refused"] == "the person chose delete"
    assert note.headers["X-Dialogkit-Submission-Id"] == "uuid:1"
    late = field_server.post(field_server.xml("uuid:1", "secret one"))
    assert (late.status_code, field_server.on_disk(b"secret")) == (201, [])
    assert field_server.post(field_server.xml("uuid:4", deprecated="uuid:2")).status_code == 409
    assert field_server.refused() == {}


@pytest.mark.parametrize(
    "more",
    [
        "<source_ref>a page</source_ref>",
        "<consent_basis>public_source</consent_basis>",
        "<source_ref>a page</source_ref><consent_basis>public_source</consent_basis>",
    ],
)
def test_an_import_under_a_phone_key_is_refused_and_under_a_staff_key_kept(field_server, more):
    body = field_server.xml("uuid:1", "secret", more=more)
    reply = field_server.post(body)
    assert reply.status_code == 403
    assert "published page" in field_server.message(reply)
    assert field_server.on_disk(b"secret") == []
    assert field_server.refused() == {"import through a form server": 1}
    assert field_server.post(body, url=field_server.staff_url).status_code == 201
    assert field_server.download("uuid:1").headers["X-Dialogkit-Role"] == "staff"
    assert field_server.refused() == {}


def test_a_question_that_stands_twice_cannot_hide_an_import(field_server):
    body = field_server.xml("uuid:1", "secret", more="<source_ref>a page</source_ref><source_ref/>")
    assert field_server.post(body).status_code == 400
    assert field_server.on_disk(b"secret") == []


def test_an_instance_that_only_says_that_it_is_encrypted_is_judged_by_its_answers(field_server):
    body = field_server.xml("uuid:1", "secret", final="delete").replace(b"<data ", b"<data encrypted='yes' ")
    assert "nothing was kept" in field_server.message(field_server.post(body))
    assert field_server.on_disk(b"secret") == []


def test_an_encrypted_submission_is_kept(field_server):
    body = (
        b"<data id='talk' version='2' encrypted='yes' xmlns='http://www.opendatakit.org/xforms/encrypted'>"
        b"<base64EncryptedKey>AAAA</base64EncryptedKey><meta><instanceID>uuid:1</instanceID></meta>"
        b"<encryptedXmlFile>submission.xml.enc</encryptedXmlFile></data>"
    )
    assert field_server.post(body, {"submission.xml.enc": b"..."}).status_code == 201
    assert field_server.ids() == ["uuid:1"]


# --- bad input --------------------------------------------------------------------------------------------------------

BOMB = b"""<?xml version="1.0"?><!DOCTYPE data [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<data id="talk" version="2"><said>&b;</said><meta><instanceID>uuid:1</instanceID></meta></data>"""
EXTERNAL = b"""<?xml version="1.0"?><!DOCTYPE data SYSTEM "file:///etc/passwd">
<data id="talk" version="2"><meta><instanceID>uuid:1</instanceID></meta></data>"""


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "not whole"),
        (b"<data id='talk' version='2'><meta><instanceID>uuid:1</inst", "not whole"),
        (b"\xff\xfe\x00", "not whole"),
        (BOMB, "document type"),
        (EXTERNAL, "document type"),
        (b"<a>" * 100 + b"</a>" * 100, "nested deeper"),
    ],
)
def test_hostile_or_truncated_xml_is_refused(field_server, body, said):
    reply = field_server.post(body)
    assert reply.status_code == 400
    assert said in field_server.message(reply)
    assert field_server.ids() == []


@pytest.mark.parametrize("name", ["../../x", "..\\..\\x", "/etc/x", "C:\\x", "a/../../x", "\x01x"])
def test_a_hostile_file_name_is_reduced_to_its_base_name(field_server, name):
    part = ("file", (name, b"harmless", "image/jpeg"))
    assert field_server.post(field_server.xml("uuid:1"), parts=[part]).status_code == 201
    (kept,) = field_server.on_disk(b"harmless")
    assert kept.parent.name == "files"
    assert kept.name in ("x", "_x")


def test_a_file_without_a_usable_name_is_refused(field_server):
    reply = field_server.post(field_server.xml("uuid:1"), parts=[("file", ("..", b"x", "image/jpeg"))])
    assert reply.status_code == 400
    assert field_server.ids() == []


def test_two_files_that_reduce_to_one_name_are_refused(field_server):
    parts = [("one", ("a/x.jpg", b"1", "image/jpeg")), ("two", ("b/x.jpg", b"2", "image/jpeg"))]
    assert field_server.post(field_server.xml("uuid:1"), parts=parts).status_code == 400


def test_two_xml_parts_are_refused(field_server):
    second = ("xml_submission_file", ("s.xml", field_server.xml("uuid:2"), "text/xml"))
    assert field_server.post(field_server.xml("uuid:1"), parts=[second]).status_code == 400
    assert field_server.ids() == []


def test_a_part_that_is_neither_file_nor_known_is_ignored(field_server):
    assert field_server.post(field_server.xml("uuid:1"), parts=[("note", (None, "hello"))]).status_code == 201
    assert field_server.on_disk(b"hello") == []


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("", b"x"),
        ("text/xml", b"<data/>"),
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=b", b"--c\r\n\r\nx\r\n--c--"),
        ("multipart/form-data; boundary=b", b'--b\r\nContent-Disposition: form-data; name="x"; filename="x"\r\n\r\nx'),
        ("multipart/form-data; boundary=b", b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\nx\r\n--b--\r\n'),
        ("multipart/form-data; boundary=" + "b" * 500, b"x"),
    ],
)
def test_a_request_that_is_not_a_whole_multipart_form_is_refused(field_server, kind, body):
    reply = requests.post(
        f"{field_server.phone_url}/submission", data=body, headers={"Content-Type": kind} if kind else {}, timeout=10
    )
    assert reply.status_code == 400
    assert field_server.message(reply)
    assert list((field_server.root / "server" / "incoming").iterdir()) == []


def test_answers_above_the_limit_are_refused(field_server):
    reply = field_server.post(field_server.xml("uuid:1", "x" * MAX_XML))
    assert reply.status_code == 413


def test_a_list_with_a_strange_cursor_is_refused(field_server):
    for query in ("cursor=abc", "numEntries=-1", "cursor=%D9%A3", "cursor=" + "9" * 5000, "numEntries=" + "9" * 5000):
        reply = requests.get(f"{field_server.staff_url}/view/submissionList?formId=talk&{query}", timeout=10)
        assert reply.status_code == 400
    assert requests.get(f"{field_server.staff_url}/view/downloadSubmission?formId=talk", timeout=10).status_code == 400
    assert field_server.download("uuid:none").status_code == 404
