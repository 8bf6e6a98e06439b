"""Submissions and their edits, sent to the embedded server as ODK Collect sends them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import requests

from dialogkit.serve.incoming import MAX_REQUEST


def test_head_submission_says_that_a_submission_may_come(field_server):
    reply = requests.head(f"{field_server.phone_url}/submission?deviceID=x", timeout=10)
    assert reply.status_code == 204
    assert reply.headers["X-OpenRosa-Accept-Content-Length"] == str(MAX_REQUEST)
    assert "Location" not in reply.headers


def test_a_submission_with_a_file_is_kept_byte_for_byte(field_server):
    body = field_server.xml("uuid:1", "¿qué? 言葉")
    reply = field_server.post(body, {"1699.jpg": b"\x00\xff picture"})
    assert reply.status_code == 201
    assert 'nature="submit_success"' in reply.text
    assert reply.headers["X-OpenRosa-Accept-Content-Length"]
    (kept,) = (field_server.root / "server").rglob("submission.xml")
    assert kept.read_bytes() == body
    assert (kept.parent / "files" / "1699.jpg").read_bytes() == b"\x00\xff picture"
    assert field_server.ids() == ["uuid:1"]


def test_neither_device_nor_address_nor_key_is_kept_with_a_submission(field_server):
    field_server.post(field_server.xml("uuid:1"))
    token = field_server.phone_url[-64:].encode()
    assert field_server.on_disk(b"collect") == []
    assert field_server.on_disk(b"127.0.0.1") == []
    assert [path.name for path in field_server.on_disk(token)] == ["keys.json"]
    assert field_server.on_disk(b'"label": "phones"')


def test_nothing_of_a_request_is_logged(field_server, caplog, capfd):
    caplog.set_level("DEBUG")
    field_server.post(field_server.xml("uuid:1", "a secret answer"))
    field_server.post(b"<data", {"x.jpg": b"1"})
    requests.get(f"{field_server.url}/key/{'0' * 64}/formList", timeout=10)
    written = caplog.text + "".join(capfd.readouterr())
    for secret in ("a secret answer", field_server.phone_url[-64:], "0" * 64, "collect", "127.0.0.1:"):
        assert secret not in written


def test_the_same_submission_again_is_received_and_kept_once(field_server):
    body = field_server.xml("uuid:1")
    replies = [field_server.post(body, {"a.jpg": b"a"}) for _ in range(2)]
    assert [reply.status_code for reply in replies] == [201, 201]
    assert field_server.ids() == ["uuid:1"]


def test_the_same_submission_in_many_posts_at_once_is_kept_once(field_server):
    body = field_server.xml("uuid:1")
    with ThreadPoolExecutor(8) as pool:
        sent = [pool.submit(field_server.post, body, {f"{number}.jpg": b"a" * number}) for number in range(16)]
        assert {one.result().status_code for one in sent} == {201}
    assert field_server.download("uuid:1").text.count("<mediaFile>") == 16
    assert field_server.ids() == ["uuid:1"]


def test_the_same_instance_id_with_other_content_is_refused(field_server):
    field_server.post(field_server.xml("uuid:1", "first"))
    reply = field_server.post(field_server.xml("uuid:1", "second"))
    assert reply.status_code == 409
    assert "same instanceID" in field_server.message(reply)
    assert "first" in field_server.download("uuid:1").text


def test_another_file_of_the_same_name_is_refused(field_server):
    body = field_server.xml("uuid:1")
    field_server.post(body, {"a.jpg": b"first"})
    assert field_server.post(body, {"a.jpg": b"second"}).status_code == 409
    assert [path.name for path in field_server.on_disk(b"first")] == ["a.jpg"]


def test_a_split_submission_is_seen_when_its_last_part_has_come(field_server):
    body = field_server.xml("uuid:1")
    first = field_server.post(body, {"a.jpg": b"a"}, incomplete=True)
    assert first.status_code == 201
    assert field_server.ids() == []
    assert field_server.post(body, {"b.jpg": b"b"}).status_code == 201
    assert field_server.ids() == ["uuid:1"]
    assert field_server.download("uuid:1").text.count("<mediaFile>") == 2


def test_a_submission_in_chunked_encoding_is_taken(field_server):
    prepared = requests.Request(
        "POST", field_server.phone_url, files={"xml_submission_file": ("s.xml", field_server.xml("uuid:1"), "text/xml")}
    ).prepare()
    reply = requests.post(
        f"{field_server.phone_url}/submission",
        data=iter([prepared.body[:40], prepared.body[40:]]),
        headers={"Content-Type": prepared.headers["Content-Type"]},
        timeout=10,
    )
    assert reply.status_code == 201
    assert field_server.ids() == ["uuid:1"]


# --- edits ------------------------------------------------------------------------------------------------------------


def test_an_edit_replaces_the_earlier_edition_and_keeps_the_id(field_server):
    field_server.post(field_server.xml("uuid:1", "before"))
    cursor = requests.get(f"{field_server.staff_url}/view/submissionList?formId=talk", timeout=10).text
    cursor = cursor.split("<resumptionCursor>")[1].split("<")[0]
    assert field_server.post(field_server.xml("uuid:2", "after", deprecated="uuid:1")).status_code == 201
    assert field_server.ids() == ["uuid:2"]
    assert field_server.ids(cursor=cursor) == ["uuid:2"]
    assert field_server.download("uuid:2").headers["X-Dialogkit-Submission-Id"] == "uuid:1"
    assert field_server.on_disk(b"before")


def test_the_id_survives_a_chain_of_edits(field_server):
    field_server.post(field_server.xml("uuid:1"))
    field_server.post(field_server.xml("uuid:2", deprecated="uuid:1"))
    field_server.post(field_server.xml("uuid:3", deprecated="uuid:2"))
    assert field_server.ids() == ["uuid:3"]
    assert field_server.download("uuid:3").headers["X-Dialogkit-Submission-Id"] == "uuid:1"


def test_an_edit_of_an_edition_that_is_not_current_is_refused(field_server):
    field_server.post(field_server.xml("uuid:1"))
    field_server.post(field_server.xml("uuid:2", deprecated="uuid:1"))
    reply = field_server.post(field_server.xml("uuid:3", deprecated="uuid:1"))
    assert reply.status_code == 409
    assert "corrected by somebody else" in field_server.message(reply)
    assert field_server.ids() == ["uuid:2"]


def test_of_two_edits_at_once_one_is_kept(field_server):
    field_server.post(field_server.xml("uuid:1"))
    with ThreadPoolExecutor(8) as pool:
        edits = [field_server.xml(f"uuid:e{number}", deprecated="uuid:1") for number in range(8)]
        codes = sorted(reply.status_code for reply in pool.map(field_server.post, edits))
    assert codes == [201] + [409] * 7
    assert len(field_server.ids()) == 1


def test_an_edit_of_an_unknown_submission_is_refused(field_server):
    assert field_server.post(field_server.xml("uuid:2", deprecated="uuid:1")).status_code == 404


def test_a_split_edit_replaces_only_when_it_is_complete(field_server):
    field_server.post(field_server.xml("uuid:1"))
    edit = field_server.xml("uuid:2", "after", deprecated="uuid:1")
    field_server.post(edit, {"a.jpg": b"a"}, incomplete=True)
    assert field_server.ids() == ["uuid:1"]
    field_server.post(edit, {"b.jpg": b"b"})
    assert field_server.ids() == ["uuid:2"]


def test_of_two_split_edits_the_one_that_is_complete_first_is_kept(field_server):
    field_server.post(field_server.xml("uuid:1"))
    edits = [field_server.xml(f"uuid:e{number}", deprecated="uuid:1") for number in range(2)]
    assert [field_server.post(edit, incomplete=True).status_code for edit in edits] == [201, 201]
    assert [field_server.post(edit).status_code for edit in edits] == [201, 409]
    assert field_server.ids() == ["uuid:e0"]
