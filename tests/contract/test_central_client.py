"""Pulling from ODK Central: answers as they were typed, files whole, sealed submissions opened or named."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from dialogkit.errors import NotOnServer, ServerUnreachable, UnexpectedReply
from dialogkit.model.submission import Submission
from dialogkit.servers.central.mirror import CentralServer
from dialogkit.servers.central.session import CentralSession
from tests.contract.central import FULL, QUESTIONS, asked, book, fetch, listed, pulled, session_of
from tests.lookalikes.central import Place, lookalike

PASSPHRASE = "a long passphrase"


@pytest.fixture
def place() -> Iterator[Place]:
    with lookalike() as running:
        yield running


@pytest.fixture
def talk(place: Place) -> Place:
    """A place with the form on it."""
    place.state.publish(book())
    return place


@pytest.fixture
def session(place: Place) -> Iterator[CentralSession]:
    opened = session_of(place)
    yield opened
    opened.close()


@pytest.fixture
def server(session: CentralSession) -> CentralServer:
    return CentralServer(session, page_size=5)


def test_answers_come_as_they_were_typed(talk: Place, server: CentralServer):
    ids = [talk.state.new("talk", {**FULL, "said": str(number)}) for number in range(12)]
    found = pulled(server)
    assert list(found) == ids[::-1]
    assert found[ids[3]].answers == {**FULL, "said": "3"}
    assert found[ids[3]].form_version == "1"
    assert found[ids[3]].submitted_at.endswith("Z")
    assert asked(talk, ".csv.zip")
    assert not asked(talk, ".xml")


def test_an_edited_submission_is_read_from_its_xml(talk: Place, server: CentralServer):
    first = talk.state.new("talk", FULL)
    edition = talk.state.edit(first, {"said": "other"})
    found = pulled(server)[first]
    assert (found.instance_id, found.edited, found.review_state) == (edition, True, "edited")
    assert found.answers == {"said": "other"}


@pytest.mark.parametrize("said", ["one\rtwo", "one\r\ntwo"])
def test_a_carriage_return_is_what_the_xml_says(talk: Place, server: CentralServer, said: str):
    xml = (
        '<data id="talk" version="1"><said>{}</said><meta><instanceID>uuid:cr</instanceID></meta></data>'
    )  # fmt: skip
    talk.state.new("talk", xml.format(said.replace("\r", "&#13;")).encode())
    assert pulled(server)["uuid:cr"].answers == {"said": said}


def test_ids_that_no_filter_can_name_come_too(talk: Place, server: CentralServer):
    for odd in ("my id/2", "plain", "é"):
        talk.state.new("talk", {"said": odd}, instance_id=odd)
        talk.state.edit(odd, {"said": odd * 2})
    entries = listed(server)[0]
    found = fetch(server, entries, total=10_000)
    assert {one.submission.id: one.submission.answers["said"] for one in found.received} == {
        "my id/2": "my id/2my id/2", "plain": "plainplain", "é": "éé",
    }  # fmt: skip
    assert found.unreadable == ()


def test_few_of_many_are_asked_for_by_their_ids(talk: Place, server: CentralServer):
    ids = [talk.state.new("talk", {"said": str(number)}) for number in range(70)]
    some = [entry for entry in listed(server)[0] if entry.id in ids[::2]]
    found = fetch(server, some, total=70_000)
    assert {one.submission.id for one in found.received} == set(ids[::2])
    assert len(asked(talk, ".csv.zip")) == 2


def test_one_that_has_gone_meanwhile_is_in_neither(talk: Place, server: CentralServer):
    ids = [talk.state.new("talk", {"said": str(number)}) for number in range(3)]
    entries = listed(server)[0]
    talk.state.delete(ids[1])
    found = fetch(server, entries)
    assert {one.submission.id for one in found.received} == {ids[0], ids[2]}
    assert found.unreadable == ()


def test_one_that_cannot_be_read_is_named(talk: Place, server: CentralServer):
    first = talk.state.new("talk", FULL)
    talk.state.edit(first, {"said": "x"})
    talk.faults.add("rewrite", path=r"\.xml", function=lambda _: b"<data><cut", times=0)
    found = fetch(server, listed(server)[0])
    assert (found.received, found.unreadable) == ((), (first,))


def test_a_form_whose_headings_could_mean_two_questions_is_read_by_xml(place: Place, server: CentralServer):
    place.state.publish(book("1", ("text", "g-n")))
    first = place.state.new("talk", {**FULL, "g-n": "beside"})
    assert pulled(server)[first].answers == {**FULL, "g-n": "beside"}
    assert not asked(place, ".csv.zip")


def test_answers_to_removed_questions_still_come(talk: Place, server: CentralServer):
    first = talk.state.new("talk", FULL)
    shorter = [one for one in QUESTIONS if one[1] != "said"]
    QUESTIONS[:], kept = shorter, QUESTIONS[:]
    try:
        talk.state.publish(book("2", ("text", "newer")))
    finally:
        QUESTIONS[:] = kept
    second = talk.state.new("talk", {"newer": "x"})
    found = pulled(server)
    assert found[first].answers == FULL
    assert (found[second].answers, found[second].form_version) == ({"newer": "x"}, "2")


def test_whatever_changes_is_seen_by_the_next_listing(talk: Place, server: CentralServer):
    state = talk.state
    ids = [state.new("talk", {"said": "x", "photo": "p.png"}) for _ in range(7)]
    before = {entry.id: entry.signature for entry in listed(server)[0]}
    cursor = listed(server)[1].cursor
    state.edit(ids[0], {"said": "y"})
    state.review(ids[1], "hasIssues")
    state.attach(ids[2], "p.png", b"bytes")
    state.delete(ids[3])
    state.delete(ids[4])
    state.restore(ids[4])
    new = state.new("talk", {"said": "new"})
    entries, listing = listed(server, cursor)
    after = {entry.id: entry.signature for entry in entries}
    assert set(after) == {*before, new} - {ids[3]}
    assert {one for one in after if one in before and after[one] != before[one]} == set(ids[:3])
    assert list(listing.tombstones) == [ids[3]]
    assert (len(entries), listing.everything) == (7, False)


def test_a_changed_form_means_everything_again(talk: Place, server: CentralServer):
    cursor = listed(server)[1].cursor
    assert not server.listing("talk", cursor).everything
    talk.state.publish(book("2", ("text", "newer")))
    assert server.listing("talk", cursor).everything
    assert server.listing("talk", "a cursor of something else").everything
    assert not server.listing("talk", "").everything


def test_rows_that_come_and_go_between_pages_do_no_harm(talk: Place, server: CentralServer):
    ids = [talk.state.new("talk", {"said": "x"}) for _ in range(12)]
    talk.faults.add("hook", path="skiptoken", function=lambda: talk.state.new("talk", {"said": "late"}))
    talk.faults.add("hook", path="skiptoken", after=1, function=lambda: talk.state.delete(ids[0]))
    entries, _ = listed(server)
    assert {entry.id for entry in entries} == set(ids[1:])
    assert len(entries) == 11


def test_an_archive_that_is_cut_off_is_fetched_again(talk: Place, server: CentralServer):
    first = talk.state.new("talk", FULL)
    entries = listed(server)[0]
    talk.faults.add("cut", path=".csv.zip")
    assert fetch(server, entries).received[0].submission.id == first


def test_an_archive_that_is_damaged_gives_way_to_the_xml(talk: Place, server: CentralServer):
    first = talk.state.new("talk", FULL)
    entries = listed(server)[0]
    talk.faults.add("rewrite", path=".csv.zip", times=0, function=lambda body: body[:-30])
    assert fetch(server, entries).received[0].submission.answers == FULL
    assert asked(talk, f"{first.replace(':', '%3A')}.xml")


def test_one_submission_in_doubt_leaves_the_others_to_the_archive(talk: Place, server: CentralServer):
    ids = [talk.state.new("talk", {"said": "fine"}) for _ in range(100)]
    odd = b'<data id="talk" version="1"><said>a&#13;b</said><meta><instanceID>uuid:odd</instanceID></meta></data>'
    talk.state.new("talk", odd)
    found = pulled(server)
    assert set(found) == {*ids, "uuid:odd"}
    assert found["uuid:odd"].answers == {"said": "a\rb"}
    assert len(asked(talk, ".csv.zip")) == len(asked(talk, ".xml")) == 1


@pytest.mark.parametrize("point", [" 1.5 2.5 0 0", "1.5  0 0", "1.5 2.5", "1.5 2.5 0", "abc", "1,5 2 3 4"])
def test_a_point_that_the_archive_does_not_tell_comes_as_typed(talk: Place, server: CentralServer, point: str):
    odd, whole = (talk.state.new("talk", {"where": one}) for one in (point, "-1.50 2 0.0 40"))
    found = pulled(server)
    assert (found[odd].answers, found[whole].answers) == ({"where": point}, {"where": "-1.50 2 0.0 40"})
    assert len(asked(talk, ".xml")) == 1


def test_a_version_that_nobody_here_knows_is_read_all_the_same(talk: Place, server: CentralServer):
    first = talk.state.new("talk", FULL)
    second = talk.state.edit(first, FULL) and talk.state.new("talk", FULL)
    found = server.fetch("talk", listed(server)[0], lambda _: None, 2)
    assert {one.submission.id: one.submission.answers for one in found.received} == {first: FULL, second: FULL}
    assert found.unreadable == ()


def test_an_archive_without_bounds_is_refused(talk: Place, server: CentralServer, monkeypatch: pytest.MonkeyPatch):
    talk.state.new("talk", FULL)
    entries = listed(server)[0]
    monkeypatch.setattr("dialogkit.servers.central.archive.MAX_PACKED", 100)
    with pytest.raises(UnexpectedReply) as caught:
        fetch(server, entries)
    assert caught.value.code == "SERVER-069"


# Attachments


def with_photo(place: Place, server: CentralServer) -> Submission:
    place.state.new("talk", {"said": "x", "photo": "p é.png"}, {"p é.png": b"\x89PNG" * 1000})
    place.state.new("talk", {"said": "y", "photo": "missing.png"})
    first, second = (one.submission for one in fetch(server, listed(server)[0]).received)
    assert first.attachments == ()
    return second


def test_attachments_that_are_there_come_whole(talk: Place, server: CentralServer):
    submission = with_photo(talk, server)
    (file,) = submission.attachments
    assert file.name == "p é.png"
    assert b"".join(server.attachment("talk", submission, file.name)) == b"\x89PNG" * 1000


def test_an_attachment_of_other_bytes_is_not_taken(talk: Place, server: CentralServer):
    submission = with_photo(talk, server)
    talk.faults.add("rewrite", path="/attachments/", function=lambda body: body[::-1])
    with pytest.raises(UnexpectedReply) as caught:
        b"".join(server.attachment("talk", submission, "p é.png"))
    assert caught.value.code == "SERVER-067"


def test_an_attachment_that_is_cut_off_is_not_taken(talk: Place, server: CentralServer):
    submission = with_photo(talk, server)
    talk.faults.add("cut", path="/attachments/", times=0)
    with pytest.raises(ServerUnreachable) as caught:
        b"".join(server.attachment("talk", submission, "p é.png"))
    assert caught.value.code == "SERVER-001"


def test_an_attachment_that_has_gone_is_not_on_the_server(talk: Place, server: CentralServer):
    submission = with_photo(talk, server)
    talk.state.clear(submission.id, "p é.png")
    for name in ("p é.png", ".."):
        with pytest.raises(NotOnServer) as caught:
            b"".join(server.attachment("talk", submission, name))
        assert caught.value.code == "SERVER-062"


# Encrypted forms


@pytest.fixture
def sealed(place: Place) -> Place:
    """A place with one sealed submission with a photo, one without its answers, and one in the open."""
    place.state.encrypt(PASSPHRASE)
    place.state.publish(book("7"))
    whole = place.state.seal("talk", {**FULL, "photo": "p.png"}, {"p.png": b"\x89PNG"}, instance_id="uuid:whole")
    place.state.new("talk", whole.xml, whole.files)
    place.state.new("talk", place.state.seal("talk", FULL, instance_id="uuid:empty").xml)
    place.state.new("talk", {"said": "open"}, instance_id="uuid:open")
    return place


@pytest.mark.parametrize(("passphrase", "reason"), [("", "no key"), ("something else", "wrong key")])
def test_without_the_right_passphrase_submissions_stay_sealed(
    sealed: Place, session: CentralSession, passphrase: str, reason: str
):
    server = CentralServer(session, passphrase=passphrase)
    found = pulled(server)
    assert {one: found[one].sealed for one in found} == {"uuid:whole": reason, "uuid:empty": reason, "uuid:open": ""}
    assert "base64EncryptedKey" in found["uuid:whole"].answers
    assert {file.name for file in found["uuid:whole"].attachments} == {"p.png.enc", "submission.xml.enc"}
    assert found["uuid:open"].answers == {"said": "open"}


def test_with_the_passphrase_the_server_opens_them(sealed: Place, session: CentralSession):
    server = CentralServer(session, passphrase=PASSPHRASE)
    found = pulled(server)
    assert {one: found[one].sealed for one in found} == {"uuid:whole": "", "uuid:empty": "damaged", "uuid:open": ""}
    assert found["uuid:whole"].answers == {**FULL, "photo": "p.png"}
    assert found["uuid:whole"].form_version == "7"
    assert [file.name for file in found["uuid:whole"].attachments] == ["p.png"]
    assert b"".join(server.attachment("talk", found["uuid:whole"], "p.png")) == b"\x89PNG"
    assert not asked(sealed, "passphrase")
    server.close()


def damage(place: Place, submission_id: str) -> None:
    """Send one whose key was not wrapped for this project."""
    whole = place.state.seal("talk", FULL, {"p.png": b"x"}, instance_id=submission_id)
    begin = whole.xml.index(b"<base64EncryptedKey>") + len(b"<base64EncryptedKey>")
    place.state.new("talk", whole.xml[:begin] + b"AAAA" + whole.xml[begin + 4 :], whole.files)


def test_a_damaged_submission_leaves_the_others_to_be_opened(sealed: Place, session: CentralSession):
    for number in range(40):
        made = sealed.state.seal("talk", {"said": str(number)}, instance_id=f"uuid:{number}")
        sealed.state.new("talk", made.xml, made.files)
    damage(sealed, "uuid:damaged")
    found = pulled(CentralServer(session, passphrase=PASSPHRASE))
    assert {one for one in found if found[one].sealed} == {"uuid:damaged", "uuid:empty"}
    assert found["uuid:damaged"].sealed == "damaged"
    assert found["uuid:7"].answers == {"said": "7"}
    assert len(asked(sealed, ".csv.zip")) < 20


def test_a_damaged_submission_beside_the_one_that_is_asked_for_does_no_harm(sealed: Place, session: CentralSession):
    sealed.state.store.now = lambda: "2026-11-21T10:00:00.000Z"
    damage(sealed, "uuid:damaged")
    made = sealed.state.seal("talk", FULL, instance_id="uuid:beside")
    sealed.state.new("talk", made.xml, made.files)
    server = CentralServer(session, passphrase=PASSPHRASE)
    (entry,) = [one for one in listed(server)[0] if one.id == "uuid:beside"]
    (received,) = fetch(server, [entry]).received
    assert (received.submission.sealed, received.submission.answers) == ("", FULL)


def test_archives_that_are_cut_off_by_a_lost_connection_call_nothing_damaged(sealed: Place, session: CentralSession):
    server = CentralServer(session, passphrase=PASSPHRASE)
    entries = listed(server)[0]
    sealed.faults.add("cut", path=".csv.zip", times=0)
    sealed.faults.add("cut", path="forms/talk$", times=0, keep=0)
    with pytest.raises(ServerUnreachable) as caught:
        fetch(server, entries)
    assert caught.value.code == "SERVER-001"


def test_files_that_the_server_cannot_open_are_not_there(sealed: Place, session: CentralSession):
    server = CentralServer(session, passphrase=PASSPHRASE)
    submission = pulled(server)["uuid:whole"]
    sealed.faults.add("cut", path="attachments=true", times=0)
    with pytest.raises(NotOnServer) as caught:
        b"".join(server.attachment("talk", submission, "p.png"))
    assert caught.value.code == "SERVER-062"
    server.close()


def test_a_carriage_return_does_not_keep_the_server_from_opening(sealed: Place, session: CentralSession):
    inner = b'<data id="talk" version="7"><said>%s&#13;b</said><meta><instanceID>%s</instanceID></meta></data>'
    for number in range(3):
        name = f"uuid:return{number}"
        made = sealed.state.seal("talk", inner % (b"a" * number, name.encode()), instance_id=name)
        sealed.state.new("talk", made.xml, made.files)
    found = pulled(CentralServer(session, passphrase=PASSPHRASE))
    for number in range(3):
        assert found[f"uuid:return{number}"].answers == {"said": "a" * number + "\rb"}
    assert found["uuid:whole"].sealed == ""


def test_opened_files_of_two_submissions_come_whole_side_by_side(sealed: Place, session: CentralSession):
    content = {f"uuid:{number}": random.Random(number).randbytes(600_000) for number in range(2)}
    for name, file in content.items():
        made = sealed.state.seal("talk", {"photo": "p.png"}, {"p.png": file}, instance_id=name)
        sealed.state.new("talk", made.xml, made.files)
    server = CentralServer(session, passphrase=PASSPHRASE)
    found = pulled(server)
    first = server.attachment("talk", found["uuid:0"], "p.png")
    begin = next(first)
    with ThreadPoolExecutor(1) as pool:
        second = pool.submit(lambda: b"".join(server.attachment("talk", found["uuid:1"], "p.png")))
        with suppress(TimeoutError):
            second.result(0.3)
        assert begin + b"".join(first) == content["uuid:0"]
        assert second.result(10) == content["uuid:1"]
    server.close()
