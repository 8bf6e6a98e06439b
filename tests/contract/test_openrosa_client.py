"""dialogkit's OpenRosa client, against our own server."""

from __future__ import annotations

import pytest

from dialogkit.errors import NotOnServer, ServerRefused, ServerUnreachable
from dialogkit.instance import write_instance
from dialogkit.model.server import Received
from dialogkit.servers.openrosa import OpenRosaServer

KEY = "f00d" * 16


def pulled(server: OpenRosaServer, form, cursor: str = "") -> tuple[list[Received], str]:
    received: list[Received] = []
    for page in server.pages("talk", cursor, {"2": form}.get):
        received += page.received
        cursor = page.cursor
    return received, cursor


def test_what_is_sent_comes_back_as_the_text_that_was_typed(field_server):
    answers = {
        "adult": "yes",
        "record": "yes",
        "gate": "1",
        "g_main/said": ' tabs\tand "signs" <&> 言葉 ',
        "g_main/rep_barrier": [{"g_main/rep_barrier/barrier_type": name} for name in ("one", "two")],
        "final_choice": "publish",
    }
    client = field_server.client()
    assert client.send(write_instance(field_server.form, answers, "uuid:1")) == "Received and kept. Thank you."
    ((one,), _) = pulled(client, field_server.form)
    assert one.submission.answers == answers
    assert one.submission.id == one.submission.instance_id == "uuid:1"
    assert (one.submission.form_version, one.submission.submitter, one.origin) == ("2", "staff", "import")
    assert one.submission.submitted_at.endswith("+00:00")
    assert not one.submission.edited


def test_the_form_list_is_read(field_server):
    (entry,) = field_server.client().form_list()
    assert (entry.form_id, entry.version, entry.name) == ("talk", "2", "Talk")


def test_pages_come_in_order_and_hold_every_submission_once(field_server):
    for number in range(25):
        field_server.post(field_server.xml(f"uuid:{number}"))
    pages = list(field_server.client(page_size=10).pages("talk", "", {"2": field_server.form}.get))
    assert [len(page.received) for page in pages] == [10, 10, 5]
    assert [one.submission.id for page in pages for one in page.received] == [f"uuid:{number}" for number in range(25)]
    assert {one.origin for page in pages for one in page.received} == {"server"}
    assert not any(one.submission.refused for page in pages for one in page.received)


def test_a_pull_goes_on_where_the_last_one_ended_and_sees_edits(field_server):
    client = field_server.client()
    field_server.post(field_server.xml("uuid:1"))
    field_server.post(field_server.xml("uuid:2"))
    _, cursor = pulled(client, field_server.form)
    assert pulled(client, field_server.form, cursor) == ([], cursor)
    field_server.post(field_server.xml("uuid:3", "after", deprecated="uuid:1"))
    field_server.post(field_server.xml("uuid:4"))
    received, _ = pulled(client, field_server.form, cursor)
    edited, new = (one.submission for one in received)
    assert (edited.id, edited.instance_id, edited.edited) == ("uuid:1", "uuid:3", True)
    assert edited.answers["g_main/said"] == "after"
    assert (new.id, new.edited) == ("uuid:4", False)


def test_attachments_are_streamed_and_checked(field_server, tmp_path):
    (tmp_path / "b.bin").write_bytes(b"b" * 1_000_000)
    client = field_server.client()
    client.send(field_server.xml("uuid:1"), {'a "strange" näme.jpg': b"\xff\x00", "b.bin": tmp_path / "b.bin"})
    ((one,), _) = pulled(client, field_server.form)
    assert {file.name for file in one.submission.attachments} == {"a %22strange%22 näme.jpg", "b.bin"}
    assert b"".join(client.attachment("talk", one.submission, "b.bin")) == b"b" * 1_000_000
    other = field_server.client()
    assert b"".join(other.attachment("talk", one.submission, "a %22strange%22 näme.jpg")) == b"\xff\x00"
    with pytest.raises(NotOnServer):
        b"".join(client.attachment("talk", one.submission, "none.jpg"))


def test_the_bytes_that_are_kept_of_a_pull_hold_no_key(field_server):
    field_server.post(field_server.xml("uuid:1"), {"a.jpg": b"a"})
    ((one,), _) = pulled(field_server.client(), field_server.form)
    assert b"/key/KEY/view/attachment" in one.body
    assert field_server.staff_url[-64:].encode() not in one.body


def test_a_refusal_of_our_server_reaches_the_sender_with_its_reason(field_server):
    client = OpenRosaServer("field", field_server.phone_url, embedded=True)
    with pytest.raises(ServerRefused, match="published page") as raised:
        client.send(field_server.xml("uuid:1", more="<source_ref>page</source_ref>"))
    assert raised.value.code == "SERVER-003"
    with pytest.raises(NotOnServer, match="update the form") as missing:
        client.send(field_server.xml("uuid:1", version="9"))
    assert missing.value.code == "SERVER-004"
    field_server.post(field_server.xml("uuid:1", "first"))
    with pytest.raises(ServerRefused, match="same instanceID") as conflict:
        client.send(field_server.xml("uuid:1", "second"))
    assert conflict.value.code == "SERVER-006"
    assert field_server.client().refusals("talk") == {}, "the first two were counted until uuid:1 was kept after all"


def test_counts_of_refusals_are_read(field_server):
    field_server.post(field_server.xml("uuid:1", final="delete"))
    field_server.post(field_server.xml("uuid:2", gate="0"))
    field_server.post(field_server.xml("uuid:3", gate="0"))
    assert field_server.client().refusals("talk") == {"no consent": 2, "the person chose delete": 1}


def test_an_edit_that_chose_delete_is_pulled_as_a_refusal_without_answers(field_server):
    client = field_server.client()
    field_server.post(field_server.xml("uuid:1", "secret"), {"a.jpg": b"a"})
    _, cursor = pulled(client, field_server.form)
    field_server.post(field_server.xml("uuid:2", "secret", deprecated="uuid:1", final="delete"))
    ((one,), _) = pulled(client, field_server.form, cursor)
    assert (one.submission.id, one.submission.refused) == ("uuid:1", "the person chose delete")
    assert (one.submission.answers, one.submission.attachments, one.body) == ({}, (), b"")


def test_digest_works_for_the_client_too(field_server):
    field_server.access.add_key("desk", "staff", user="desk", password="long enough")
    client = OpenRosaServer("field", field_server.url, embedded=True, auth=("desk", "long enough"))
    client.send(field_server.xml("uuid:1"), {"a.jpg": b"a" * 300_000})
    ((one,), _) = pulled(client, field_server.form)
    assert b"".join(client.attachment("talk", one.submission, "a.jpg")) == b"a" * 300_000
    with pytest.raises(ServerRefused) as raised:
        OpenRosaServer("field", field_server.url, auth=("desk", "wrong")).form_list()
    assert raised.value.code == "SERVER-002"


def test_no_message_holds_the_key(field_server):
    wrong = OpenRosaServer("field", f"{field_server.url}/key/{KEY}", embedded=True)
    with pytest.raises(NotOnServer) as missing:
        wrong.form_list()
    with pytest.raises(ServerUnreachable) as gone:
        OpenRosaServer("field", f"http://127.0.0.1:9/key/{KEY}").form_list()
    assert (gone.value.code, gone.value.exit_code) == ("SERVER-001", 5)
    for error in (missing.value, gone.value):
        assert KEY not in str(error)
        assert error.__cause__ is None
