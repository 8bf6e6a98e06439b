"""dialogkit's client for KoboToolbox against the look-alike, well and not well."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote

import pytest

from dialogkit.errors import DialogkitError, NotOnServer, ServerRefused, ServerUnreachable, UnexpectedReply
from dialogkit.model.host import FormHost, ReviewServer
from dialogkit.model.server import Entry, Fetched, ListingServer
from dialogkit.servers.again import Again
from dialogkit.servers.kobo.forms import KoboForms
from dialogkit.servers.kobo.mirror import KoboServer
from dialogkit.servers.kobo.review import KoboReview
from dialogkit.servers.kobo.session import KoboSession
from tests.builders import make_form
from tests.lookalikes.kobo import Place, lookalike

SURVEY: list[dict[str, Any]] = [
    {"type": "calculate", "name": "dialogkit_form_id", "$xpath": "dialogkit_form_id", "calculation": "'talk'"},
    {"type": "text", "name": "place", "$xpath": "place"},
    {"type": "image", "name": "photo", "$xpath": "photo"},
    {"type": "begin_repeat", "name": "person", "$xpath": "person"},
    {"type": "text", "name": "pname", "$xpath": "person/pname"},
    {"type": "end_repeat"},
]
FORM = make_form("talk", "2", [("text", "place"), ("image", "photo"), ("repeat", "person"), ("text", "person/pname")])
QUICK = Again(tries=3, first=0.01, sleep=lambda _: None)


@pytest.fixture
def place() -> Iterator[Place]:
    with lookalike() as running:
        yield running


@pytest.fixture
def remote(place: Place) -> str:
    return place.state.form("Talk", survey=SURVEY)


@pytest.fixture
def session(place: Place) -> Iterator[KoboSession]:
    opened = KoboSession("kobo", place.url, place.token, again=QUICK)
    yield opened
    opened.close()


def server_of(session: KoboSession, remote: str, size: int = 10) -> KoboServer:
    return KoboServer(session, {"talk": remote}, {"vOld": "1"}, page_size=size)


def listed(server: KoboServer) -> list[Entry]:
    return [entry for page in server.listing("talk", "").pages for entry in page]


def fetched(server: KoboServer, wanted: list[Entry], total: int = 0) -> Fetched:
    return server.fetch("talk", wanted, {"2": FORM}.get, total or len(wanted))


def filled(place: Place, remote: str, count: int) -> list[str]:
    return [place.state.new(remote, {"place": f"p{number}", "dialogkit_form_version": "2"}) for number in range(count)]


def targets(place: Place) -> list[str]:
    return [unquote(one.target) for one in place.faults.seen if "/data/" in one.target]


def changed(change: Callable[[dict[str, Any]], object]) -> Callable[[bytes], bytes]:
    def rewrite(body: bytes) -> bytes:
        found = json.loads(body)
        change(found)
        return json.dumps(found).encode()

    return rewrite


def test_the_client_keeps_the_contracts(session, remote):
    server: ListingServer = server_of(session, remote)
    forms: FormHost = KoboForms(session)
    review: ReviewServer = KoboReview(session, {})
    assert isinstance(server, ListingServer)
    assert server.name == forms.name == review.name == "kobo"
    assert (server.group, server.retention_days) == (1000, 0)


# Listing


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 20, 35])
def test_a_listing_names_every_submission_once_in_order(place, remote, session, count):
    ids = filled(place, remote, count)
    listing = server_of(session, remote).listing("talk", "")
    assert [entry.id for page in listing.pages for entry in page] == ids
    assert len(ids) == count
    assert not listing.everything
    assert not listing.tombstones


def test_the_listing_asks_for_as_many_pages_as_there_are(place, remote, session):
    filled(place, remote, 19)
    listed(server_of(session, remote))
    assert len(targets(place)) == 2
    assert 'fields=["_id","_uuid","_validation_status","_attachments"]' in targets(place)[0]


@pytest.mark.parametrize("change", ["edit", "review", "attach", "clear"])
def test_whatever_changes_a_submission_changes_its_signature(place, remote, session, change):
    server = server_of(session, remote)
    first, second = (place.state.new(remote, {"place": "x", "photo": "p.png"}, {"p.png": b"1"}) for _ in "ab")
    before = {entry.id: entry.signature for entry in listed(server)}
    if change == "edit":
        place.state.edit(first, {"place": "y"})
    if change == "review":
        place.state.review(first, "approved")
    if change == "attach":
        place.state.attach(first, "late.png", b"2")
    if change == "clear":
        place.state.clear(first, "p.png")
    after = {entry.id: entry.signature for entry in listed(server)}
    assert after[first] != before[first]
    assert after[second] == before[second]


def test_rows_that_are_added_while_listing_are_listed(place, remote, session):
    ids = filled(place, remote, 15)
    place.faults.add("hook", path="/data/", after=1, function=lambda: ids.extend(filled(place, remote, 12)))
    assert [entry.id for entry in listed(server_of(session, remote))] == ids


def test_rows_that_are_deleted_while_listing_are_no_error(place, remote, session):
    ids = filled(place, remote, 25)
    place.faults.add("hook", path="/data/", after=1, function=lambda: place.state.delete(ids[-1]))
    assert [entry.id for entry in listed(server_of(session, remote))] == ids[:-1]


def test_a_row_that_is_missing_once_is_found_at_a_second_look(place, remote, session):
    ids = filled(place, remote, 25)
    place.faults.add("rewrite", path="/data/", function=changed(lambda page: page["results"].pop(3)))
    assert [entry.id for entry in listed(server_of(session, remote))] == ids


def test_a_page_that_is_repeated_is_asked_for_again(place, remote, session):
    ids = filled(place, remote, 25)
    kept: list[bytes] = []
    place.faults.add("rewrite", path="/data/", function=lambda body: kept.append(body) or body)
    place.faults.add("rewrite", path="/data/", after=1, function=lambda body: kept[0])
    assert [entry.id for entry in listed(server_of(session, remote))] == ids


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("SERVER-042", lambda page: page["results"].append(page["results"][0])),
        ("SERVER-042", lambda page: page["results"].reverse()),
        ("SERVER-042", lambda page: page["results"].append(None)),
        ("SERVER-042", lambda page: page["results"][0].pop("meta/rootUuid")),
        ("SERVER-043", lambda page: page.update(count=page["count"] + 1)),
        ("SERVER-043", lambda page: page.update(count=page["count"] - 1)),
        ("SERVER-043", lambda page: page.update(results=[])),
        ("SERVER-041", lambda page: page.update(count="many")),
        ("SERVER-041", lambda page: page.update(results={})),
    ],
)
@pytest.mark.parametrize("size", [10, 1000])
def test_a_listing_that_stays_wrong_is_no_listing(place, remote, session, code, change, size):
    filled(place, remote, 25)
    place.faults.add("rewrite", path="/data/", times=0, function=changed(change))
    with pytest.raises(UnexpectedReply) as raised:
        listed(server_of(session, remote, size))
    assert raised.value.code == code


def test_a_listing_without_a_row_that_the_server_counts_is_no_listing(place, remote, session):
    ids = filled(place, remote, 25)
    without = changed(lambda page: page.update(results=[r for r in page["results"] if r["meta/rootUuid"] != ids[3]]))
    place.faults.add("rewrite", path="/data/", times=0, function=without)
    with pytest.raises(UnexpectedReply) as raised:
        listed(server_of(session, remote, 1000))
    assert raised.value.code == "SERVER-043"


# Rights and failures


def test_a_wrong_token_is_an_error_and_not_an_empty_mirror(place, remote):
    filled(place, remote, 3)
    server = server_of(KoboSession("kobo", place.url, "0" * 40), remote)
    with pytest.raises(ServerRefused) as raised:
        server.listing("talk", "")
    assert raised.value.code == "SERVER-002"


@pytest.mark.parametrize("token", ["", "  ", "abc\ndef", "clé", "Token abc"])
def test_what_cannot_be_a_token_is_never_sent(place, remote, token):
    with pytest.raises(ServerRefused) as raised:
        server_of(KoboSession("kobo", place.url, token), remote).listing("talk", "")
    assert raised.value.code == "SERVER-040"
    assert not place.faults.seen


def test_the_token_is_in_no_message(place, remote):
    session = KoboSession("kobo", place.url, place.token)
    for kind in ("error500", "html", "redirect", "unauthorised401", "forbidden403"):
        place.faults.add(kind, times=9)
        with pytest.raises(DialogkitError) as raised:
            KoboSession("kobo", place.url, place.token, again=QUICK).check()
        assert place.token not in str(raised.value)
        place.faults.clear()
    assert session.check() == "organiser"


def test_a_form_that_is_not_there_or_not_shown_is_not_an_empty_mirror(place, remote, session):
    for token, remote_id in ((place.token, "aGone"), (place.state.users["other"].token, remote)):
        server = server_of(KoboSession("kobo", place.url, token), remote_id)
        with pytest.raises(NotOnServer) as raised:
            listed(server)
        assert raised.value.code == "SERVER-044"
    with pytest.raises(NotOnServer) as raised:
        server_of(session, remote).listing("another", "")
    assert raised.value.code == "SERVER-053"


def test_an_account_that_sees_a_part_of_the_submissions_cannot_mirror(place, remote, session):
    partial = {
        "user": "/api/v2/users/analyst/",
        "permission": "/api/v2/permissions/partial_submissions/",
        "partial_permissions": [
            {"url": "/api/v2/permissions/view_submissions/", "filters": [{"_submitted_by": "collector"}]}
        ],
    }
    session.send_json("POST", f"api/v2/assets/{remote}/permission-assignments/", partial)
    analyst = KoboSession("kobo", place.url, place.state.users["analyst"].token)
    with pytest.raises(ServerRefused) as raised:
        server_of(analyst, remote).listing("talk", "")
    assert raised.value.code == "SERVER-045"


def test_an_account_with_the_right_to_view_can_mirror(place, remote, session):
    ids = filled(place, remote, 3)
    granted = {"user": "/api/v2/users/analyst/", "permission": "/api/v2/permissions/view_submissions/"}
    session.send_json("POST", f"api/v2/assets/{remote}/permission-assignments/", granted)
    analyst = KoboSession("kobo", place.url, place.state.users["analyst"].token)
    assert [entry.id for entry in listed(server_of(analyst, remote))] == ids


@pytest.mark.parametrize("kind", ["error500", "busy503", "cut"])
def test_a_fault_that_passes_is_waited_for(place, remote, session, kind):
    ids = filled(place, remote, 15)
    place.faults.add(kind, path="/data/", times=2)
    assert [entry.id for entry in listed(server_of(session, remote))] == ids


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("error500", ServerUnreachable),
        ("html", UnexpectedReply),
        ("redirect", UnexpectedReply),
        ("cut", ServerUnreachable),
    ],
)
def test_a_fault_that_stays_ends_the_listing_with_an_error(place, remote, session, kind, error):
    filled(place, remote, 15)
    place.faults.add(kind, path="/data/", after=1, times=0)
    with pytest.raises(error):
        listed(server_of(session, remote))


# Fetching


def test_what_is_fetched_has_the_id_and_signature_of_the_listing(place, remote, session):
    server = server_of(session, remote)
    ids = filled(place, remote, 12)
    place.state.edit(ids[4], {"place": "edited", "person": [{"person/pname": "A"}]})
    place.state.review(ids[5], "rejected")
    entries = listed(server)
    got = fetched(server, entries)
    assert [(one.submission.id, one.submission.signature) for one in got.received] == [
        (entry.id, entry.signature) for entry in entries
    ]
    assert got.unreadable == ()
    assert got.received[4].submission.answers == {"place": "edited", "person": [{"person/pname": "A"}]}
    assert got.received[4].submission.edited
    assert got.received[5].submission.review_state == "rejected"
    assert got.received[0].submission.form_version == "2"
    assert json.loads(got.received[0].body)["place"] == "p0"


def test_few_of_many_are_asked_for_by_number_and_most_of_many_as_a_range(place, remote, session):
    server = server_of(session, remote)
    filled(place, remote, 300)
    entries = listed(server)
    place.faults.forget()
    assert len(fetched(server, entries[::10], total=291).received) == 30
    assert len(fetched(server, entries[:250] + entries[260:], total=300).received) == 290
    asked = targets(place)
    assert ["$in" in target for target in asked] == [True, False]
    assert "$gte" in asked[1]


def test_more_than_two_hundred_numbers_are_asked_for_in_groups(place, remote, session):
    server = server_of(session, remote)
    filled(place, remote, 900)
    wanted = listed(server)[::2]
    place.faults.forget()
    assert [one.submission.id for one in fetched(server, wanted, total=900).received] == [one.id for one in wanted]
    assert len(targets(place)) == 3


def test_a_row_that_does_not_come_is_asked_for_once_more(place, remote, session):
    server = server_of(session, remote)
    filled(place, remote, 5)
    entries = listed(server)
    place.faults.add("rewrite", path="/data/", function=changed(lambda page: page["results"].pop(2)))
    assert [one.submission.id for one in fetched(server, entries).received] == [entry.id for entry in entries]


def test_a_submission_that_went_since_the_listing_is_in_neither_list(place, remote, session):
    server = server_of(session, remote)
    ids = filled(place, remote, 5)
    entries = listed(server)
    place.state.delete(ids[2])
    got = fetched(server, entries)
    assert [one.submission.id for one in got.received] == ids[:2] + ids[3:]
    assert got.unreadable == ()


@pytest.mark.parametrize(
    "change",
    [
        lambda row: row.update(_submission_time="yesterday"),
        lambda row: row.update({"meta/rootUuid": "uuid:another"}),
        lambda row: row.pop("_id"),
        lambda row: row.pop("meta/rootUuid"),
        lambda row: row.update(place="\ud83d"),
    ],
)
def test_a_row_that_cannot_be_read_does_not_hold_up_the_others(place, remote, session, change):
    server = server_of(session, remote)
    ids = filled(place, remote, 5)
    entries = listed(server)
    page = changed(lambda page: change(page["results"][2]))
    place.faults.add("rewrite", path=r"/data/\?", times=0, function=page)
    got = fetched(server, entries)
    assert got.unreadable == (ids[2],)
    assert [one.submission.id for one in got.received] == ids[:2] + ids[3:]


@pytest.mark.parametrize("odd", [{"nested": "wrong"}, [{"another": "x"}]])
def test_a_row_that_cannot_be_read_is_read_from_its_xml(place, remote, session, odd):
    server = server_of(session, remote)
    ids = filled(place, remote, 3)
    entries = listed(server)
    page = changed(lambda page: page["results"][1].update(place=odd))
    place.faults.add("rewrite", path=r"/data/\?", times=0, function=page)
    place.faults.forget()
    got = fetched(server, entries)
    assert [(one.submission.id, one.submission.answers) for one in got.received] == [
        (each, {"place": f"p{number}"}) for number, each in enumerate(ids)
    ]
    assert len([one for one in targets(place) if ".xml" in one]) == 1


def test_an_element_that_stands_twice_and_is_no_repeat_keeps_both_texts(place, remote, session):
    sent = (
        f'<{remote} id="{remote}" version="1"><place>a</place><place>b</place><person><pname>A</pname></person>'
        "<dialogkit_form_version>2</dialogkit_form_version>"
        f"<meta><instanceID>uuid:11111111-1111-4111-8111-111111111111</instanceID></meta></{remote}>"
    )
    place.state.new(remote, sent.encode())
    server = server_of(session, remote)
    [one] = fetched(server, listed(server)).received
    assert one.submission.answers == {"place": [{"place": "a"}, {"place": "b"}], "person": [{"person/pname": "A"}]}


def test_a_version_that_nobody_here_knows_is_read_all_the_same(place, remote, session):
    people = [{"person/pname": "A"}, {"person/pname": "B"}]
    place.state.new(remote, {"place": "x", "dialogkit_form_version": "99", "person": people})
    server = server_of(session, remote)
    got = fetched(server, listed(server))
    assert got.unreadable == ()
    assert (got.received[0].submission.form_version, got.received[0].submission.answers) == (
        "99", {"place": "x", "person": people},
    )  # fmt: skip


def test_a_row_that_says_nothing_of_itself_ends_the_fetch(place, remote, session):
    server = server_of(session, remote)
    filled(place, remote, 5)
    entries = listed(server)
    place.faults.add("rewrite", path="/data/", times=0, function=changed(lambda page: page["results"].insert(0, 5)))
    with pytest.raises(UnexpectedReply) as raised:
        fetched(server, entries)
    assert raised.value.code == "SERVER-052"


@pytest.mark.parametrize("body", [b'{"count":1,"results":5}', b"[" * 100_000, b'{"results":[{"a":1}', b"<html>"])
def test_a_page_of_another_shape_ends_the_fetch(place, remote, session, body):
    server = server_of(session, remote)
    filled(place, remote, 5)
    entries = listed(server)
    place.faults.add("rewrite", path="/data/", times=0, function=lambda _: body)
    with pytest.raises(UnexpectedReply) as raised:
        fetched(server, entries)
    assert raised.value.code in ("SERVER-041", "SERVER-014")


def test_rows_that_are_too_wide_for_one_answer_come_in_smaller_groups(place, remote, session, monkeypatch):
    server = server_of(session, remote, 1000)
    ids = [place.state.new(remote, {"place": "x" * 2000}) for _ in range(40)]
    entries = listed(server)
    monkeypatch.setattr("dialogkit.servers.http._MAX_REPLY", 20_000)
    assert [one.submission.id for one in fetched(server, entries).received] == ids


def test_an_answer_that_the_server_writes_over_comes_from_the_xml(place, session):
    survey = [{"type": "text", "name": name, "$xpath": name} for name in ("_status", "place")]
    remote = place.state.form("Talk", survey=[*survey, *SURVEY[-3:]])
    form = make_form("talk", "2", [("text", "_status"), ("repeat", "person"), ("text", "person/pname")])
    own = {"dialogkit_form_version": "2", "_status": "married", "place": "x", "person": [{"person/pname": "A"}]}
    place.state.new(remote, own)
    server = server_of(session, remote)
    [one] = server.fetch("talk", listed(server), {"2": form}.get, 1).received
    assert one.submission.answers == {"_status": "married", "place": "x", "person": [{"person/pname": "A"}]}


@pytest.mark.parametrize("body", [b"", b"<data", b'<!DOCTYPE x [<!ENTITY a "b">]><data>&a;</data>'])
def test_an_encrypted_submission_whose_xml_cannot_be_read_is_named(place, remote, session, body):
    server = server_of(session, remote)
    submission_id = place.state.new(remote, ENCRYPTED.format("11111111-1111-4111-8111-111111111111").encode())
    place.faults.add("rewrite", path=".xml", function=lambda _: body)
    assert fetched(server, listed(server)) == Fetched((), (submission_id,))


def test_an_encrypted_submission_that_goes_before_its_xml_comes_is_in_neither_list(place, remote, session):
    server = server_of(session, remote)
    submission_id = place.state.new(remote, ENCRYPTED.format("11111111-1111-4111-8111-111111111111").encode())
    entries = listed(server)
    place.faults.add("hook", path=".xml", function=lambda: place.state.delete(submission_id))
    assert fetched(server, entries) == Fetched((), ())


ENCRYPTED = (
    '<data xmlns="http://opendatakit.org/submissions" encrypted="yes" id="talk" version="vOld">'
    "<base64EncryptedKey>abcd</base64EncryptedKey><meta><instanceID>uuid:{}</instanceID></meta>"
    "<media><file>b.png.enc</file></media><media><file>a.png.enc</file></media>"
    "<encryptedXmlFile>submission.xml.enc</encryptedXmlFile></data>"
)


def test_an_encrypted_submission_comes_as_its_xml(place, remote, session):
    server = server_of(session, remote)
    sent = ENCRYPTED.format("11111111-1111-4111-8111-111111111111").encode()
    place.state.new(remote, sent, {"submission.xml.enc": b"x", "a.png.enc": b"a", "b.png.enc": b"b"})
    [one] = fetched(server, listed(server)).received
    assert b"base64EncryptedKey" in one.body
    assert one.body.lstrip()[:1] == b"<"
    assert one.submission.answers["base64EncryptedKey"] == "abcd"
    assert one.submission.answers["encryptedXmlFile"] == "submission.xml.enc"
    assert [row["media/file"] for row in one.submission.answers["media"]] == [
        "b.png.enc",
        "a.png.enc",
    ]
    assert {file.name for file in one.submission.attachments} == {"submission.xml.enc", "a.png.enc", "b.png.enc"}


# Attachments


def test_attachments_come_whole_also_when_nobody_remembers_the_row(place, remote, session):
    server = server_of(session, remote)
    content = bytes(range(256)) * 3000
    place.state.new(remote, {"place": "x", "photo": "p.png"}, {"p.png": content})
    [one] = fetched(server, listed(server)).received
    assert b"".join(server.attachment("talk", one.submission, "p.png")) == content
    other = server_of(session, remote)
    assert b"".join(other.attachment("talk", one.submission, "p.png")) == content


def test_a_file_that_has_gone_is_not_on_the_server(place, remote, session):
    server = server_of(session, remote)
    submission_id = place.state.new(remote, {"place": "x", "photo": "p.png"}, {"p.png": b"1"})
    [one] = fetched(server, listed(server)).received
    place.state.clear(submission_id, "p.png")
    with pytest.raises(NotOnServer) as raised:
        list(server.attachment("talk", one.submission, "p.png"))
    assert raised.value.code == "SERVER-004"
    with pytest.raises(NotOnServer) as raised:
        list(server_of(session, remote).attachment("talk", one.submission, "p.png"))
    assert raised.value.code == "SERVER-046"


def test_the_token_goes_to_no_other_host(place, remote, session):
    server = server_of(session, remote)
    place.state.new(remote, {"place": "x", "photo": "p.png"}, {"p.png": b"1"})
    entries = listed(server)

    def elsewhere(page: dict[str, Any]) -> None:
        file = page["results"][0]["_attachments"][0]
        file["download_url"] = file["download_url"].replace(place.url, "http://elsewhere.invalid")

    place.faults.add("rewrite", path="/data/", function=changed(elsewhere))
    [one] = fetched(server, entries).received
    assert b"".join(server.attachment("talk", one.submission, "p.png")) == b"1"


def test_half_a_file_is_no_file(place, remote, session):
    server = server_of(session, remote)
    place.state.new(remote, {"place": "x", "photo": "p.png"}, {"p.png": b"1" * 900_000})
    [one] = fetched(server, listed(server)).received
    place.faults.add("cut", path="/attachments/", times=0)
    with pytest.raises(ServerUnreachable):
        list(server.attachment("talk", one.submission, "p.png"))
