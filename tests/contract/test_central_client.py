"""dialogkit's client for ODK Central against the look-alike, well and not well."""

from __future__ import annotations

import hashlib
import io
import json
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from dialogkit.errors import DialogkitError, NotOnServer, ServerRefused, ServerUnreachable, UnexpectedReply
from dialogkit.model.host import FormHost, ReviewServer, Upload
from dialogkit.model.server import Entry, Fetched, Listing, ListingServer
from dialogkit.model.submission import Submission
from dialogkit.servers.again import Again
from dialogkit.servers.central.forms import CentralForms
from dialogkit.servers.central.mirror import CentralServer
from dialogkit.servers.central.review import CentralReview
from dialogkit.servers.central.session import CentralSession
from tests.builders import make_form
from tests.lookalikes.central import Place, lookalike

QUICK = Again(tries=3, first=0.01, sleep=lambda _: None)
PASSPHRASE = "a long passphrase"
QUESTIONS = [
    ("text", "said"),
    ("geopoint", "where"),
    ("begin_group", "g"),
    ("integer", "n"),
    ("begin_repeat", "person"),
    ("text", "name"),
    ("begin_repeat", "need"),
    ("text", "what"),
    ("end_repeat", ""),
    ("end_repeat", ""),
    ("end_group", ""),
    ("image", "photo"),
]
FORM = make_form(
    "talk",
    "1",
    [
        ("text", "said"),
        ("geopoint", "where"),
        ("group", "g"),
        ("integer", "g/n"),
        ("repeat", "g/person"),
        ("text", "g/person/name"),
        ("repeat", "g/person/need"),
        ("text", "g/person/need/what"),
        ("image", "photo"),
    ],
)
PEOPLE = [{"g/person/name": "Ana", "g/person/need": [{"g/person/need/what": 'a, "b"\nc'}, {}]}, {}]
FULL: dict[str, Any] = {"said": "  007 é & <x> ", "where": "1.50 2 0 4.0", "g/n": "1,5", "g/person": PEOPLE}


def book(version: str = "1", *more: tuple[str, str], form_id: str = "talk") -> bytes:
    """A small workbook."""
    made = openpyxl.Workbook()
    survey = made.active
    assert survey is not None
    survey.title = "survey"
    survey.append(["type", "name", "label"])
    for kind, name in (*QUESTIONS, *more):
        survey.append([kind, name, name])
    settings = made.create_sheet("settings")
    settings.append(["form_id", "version", "form_title"])
    settings.append([form_id, version, "Talk"])
    held = io.BytesIO()
    made.save(held)
    return held.getvalue()


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


def session_of(place: Place, password: str = "") -> CentralSession:
    return CentralSession("central", place.url, place.project_id, place.email, password or place.password, again=QUICK)


@pytest.fixture
def server(session: CentralSession) -> CentralServer:
    return CentralServer(session, page_size=5)


def listed(server: CentralServer, cursor: str = "") -> tuple[list[Entry], Listing]:
    listing = server.listing("talk", cursor)
    return [entry for page in listing.pages for entry in page], listing


def fetch(server: CentralServer, entries: Sequence[Entry], total: int = 0) -> Fetched:
    versions: Callable[[str], Any] = lambda version: FORM if version == "1" else None  # noqa: E731 - one line
    return server.fetch("talk", entries, versions, total or len(entries))


def pulled(server: CentralServer) -> dict[str, Submission]:
    return {one.submission.id: one.submission for one in fetch(server, listed(server)[0]).received}


def asked(place: Place, part: str) -> list[str]:
    return [one.target for one in place.faults.seen if part in one.target]


def test_the_client_is_what_the_pull_and_the_deployment_ask_for(session: CentralSession, server: CentralServer):
    assert isinstance(server, ListingServer)
    host: FormHost = CentralForms(session)
    reviews: ReviewServer = CentralReview(session)
    assert host.name == reviews.name == server.name == "central"


# Pulling


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
    assert (listing.server_count, listing.everything) == (7, False)


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
    entries, listing = listed(server)
    assert {entry.id for entry in entries} == set(ids[1:])
    assert listing.server_count == 11


def test_a_count_that_lies_is_found(talk: Place, server: CentralServer):
    talk.state.new("talk", {"said": "x"})
    old = listed(server)[1].cursor
    talk.faults.add("skew", seconds=100)
    talk.faults.add("rewrite", path="select=__id", times=0, function=lambda body: body.replace(b":1}", b":3}"))
    with pytest.raises(UnexpectedReply) as caught:
        listed(server, old)
    assert caught.value.code == "SERVER-065"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda body: re.sub(rb'"__id":"[^"]*",', b"", body, count=1), "SERVER-064"),
        (lambda body: body.replace(b"submissionDate", b"someDate"), "SERVER-064"),
        (lambda body: body.replace(b'"@odata.count"', b'"count"'), "SERVER-064"),
        (lambda _: b"[1, 2]", "SERVER-064"),
        (lambda body: body[: len(body) // 2], "SERVER-014"),
    ],
    ids=["row without id", "row without date", "no count", "other JSON", "half a page"],
)
def test_a_page_of_the_wrong_shape_is_not_taken(
    talk: Place, server: CentralServer, change: Callable[[bytes], bytes], code: str
):
    talk.state.new("talk", {"said": "x"})
    talk.faults.add("rewrite", path="Submissions", function=change)
    with pytest.raises(UnexpectedReply) as caught:
        listed(server)
    assert caught.value.code == code


def test_a_page_that_comes_twice_is_found(talk: Place, server: CentralServer):
    for number in range(12):
        talk.state.new("talk", {"said": str(number)})
    pages: list[bytes] = []

    def again(body: bytes) -> bytes:
        pages.append(body)
        return pages[0]

    talk.faults.add("rewrite", path="Submissions", times=0, function=again)
    with pytest.raises(UnexpectedReply) as caught:
        listed(server)
    assert caught.value.code == "SERVER-066"


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
    assert len(asked(talk, ".xml")) <= 30


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


# The connection


def test_one_sign_in_serves_many_requests_without_cookies(talk: Place, server: CentralServer):
    listed(server)
    listed(server)
    assert len(asked(talk, "/v1/sessions")) == 1
    later = talk.faults.seen[1:]
    assert all(one.headers["authorization"].startswith("Bearer ") for one in later)
    assert not any("cookie" in one.headers for one in later)


def test_a_token_that_has_run_out_is_replaced_once(talk: Place, server: CentralServer):
    first = talk.state.new("talk", FULL)
    entries = listed(server)[0]
    talk.faults.add("unauthorised401", path="versions")
    talk.faults.add("unauthorised401", path=".csv.zip")
    assert fetch(server, entries).received[0].submission.id == first
    assert len(asked(talk, "/v1/sessions")) == 3


@pytest.mark.parametrize(
    ("fault", "path", "code", "kind"),
    [
        ({"kind": "unauthorised401"}, "/v1/sessions", "SERVER-060", ServerRefused),
        ({"kind": "unauthorised401"}, "/v1/projects", "SERVER-061", ServerRefused),
        ({"kind": "forbidden403"}, "/v1/projects", "SERVER-061", ServerRefused),
        ({"kind": "error500"}, "/v1/projects", "SERVER-005", ServerUnreachable),
        ({"kind": "busy503"}, "/v1/projects", "SERVER-015", ServerUnreachable),
        ({"kind": "html"}, "/v1/projects", "SERVER-014", UnexpectedReply),
        ({"kind": "html"}, "/v1/sessions", "SERVER-014", UnexpectedReply),
        ({"kind": "redirect"}, "/v1/projects", "SERVER-007", UnexpectedReply),
        ({"kind": "html", "status": 418}, "/v1/projects", "SERVER-063", ServerRefused),
    ],
    ids=lambda value: value["kind"] if isinstance(value, dict) else None,
)
def test_what_goes_wrong_has_its_own_words(
    talk: Place, server: CentralServer, fault: dict[str, Any], path: str, code: str, kind: type[DialogkitError]
):
    talk.faults.add(path=path, times=0, **fault)
    with pytest.raises(kind) as caught:
        listed(server)
    assert caught.value.code == code
    assert talk.password not in str(caught.value)


def test_a_wrong_password_is_told_without_it(place: Place):
    with pytest.raises(ServerRefused) as caught:
        CentralServer(session_of(place, "not this one")).listing("talk", "")
    assert caught.value.code == "SERVER-060"
    assert "not this one" not in str(caught.value)


def test_a_form_or_a_project_that_is_not_there_is_told(place: Place, server: CentralServer):
    with pytest.raises(NotOnServer) as caught:
        server.listing("talk", "")
    assert caught.value.code == "SERVER-062"


def test_passing_faults_pass(talk: Place, server: CentralServer):
    first = talk.state.new("talk", FULL)
    talk.faults.add("error500", path="fields")
    talk.faults.add("busy503", path="Submissions", retry_after=1)
    talk.faults.add("cut", path="Submissions", after=1)
    assert list(pulled(server)) == [first]


class _WithoutDate(BaseHTTPRequestHandler):
    """Answers everything, and never says what time it is."""

    def _answer(self) -> None:
        body = json.dumps(
            {"token": "t"}
            if "sessions" in self.path
            else {"version": "1", "value": [], "@odata.count": 0}
            if "fields" not in self.path
            else []
        ).encode()
        self.send_response_only(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = _answer  # noqa: N815 - the names of the library

    def log_message(self, *_: object) -> None:
        pass


def test_a_server_without_a_clock_is_not_pulled_from():
    running = HTTPServer(("127.0.0.1", 0), _WithoutDate)
    thread = threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    session = CentralSession("central", f"http://127.0.0.1:{running.server_port}", 1, "a@example.org", "b", again=QUICK)
    try:
        with pytest.raises(UnexpectedReply) as caught:
            listed(CentralServer(session))
        assert caught.value.code == "SERVER-068"
    finally:
        session.close()
        running.shutdown()
        running.server_close()
        thread.join()


# Forms


def upload(version: str = "1", *more: tuple[str, str], media: dict[str, Path] | None = None) -> Upload:
    return Upload(replace(FORM, version=version), book(version, *more), media or {})


def test_a_form_is_placed_once_and_found_again(place: Place, session: CentralSession):
    forms = CentralForms(session)
    assert forms.find("talk", "Talk") == ""
    assert forms.placed("talk") is None
    sent = upload()
    first = forms.place(sent, "")
    assert (first.remote_id, first.remote_version, first.active) == ("talk", "1", True)
    assert forms.find("talk", "Talk") == "talk"
    assert forms.placed("talk") == first
    assert forms.workbook("talk") == sent.workbook


def test_placing_again_after_a_stop_anywhere_ends_the_same(place: Place, session: CentralSession):
    forms = CentralForms(session)
    for step, times in (("/draft/attachments", 3), ("/draft/publish", 1)):
        place.faults.add("error500", path=step, times=times)
        with pytest.raises(ServerUnreachable):
            forms.place(upload(), "")
    done = forms.place(upload(), "")
    assert forms.place(upload(), "talk") == done
    newer = forms.place(upload("2", ("text", "newer")), "talk")
    assert newer.remote_version == "2"
    assert newer.content != done.content


def test_only_a_change_of_questions_changes_the_content(place: Place, session: CentralSession):
    forms = CentralForms(session)
    assert forms.place(upload("1"), "").content == forms.place(upload("2"), "talk").content


def test_a_version_that_was_used_for_something_else_is_refused(place: Place, session: CentralSession):
    forms = CentralForms(session)
    forms.place(upload(), "")
    with pytest.raises(ServerRefused) as caught:
        forms.place(upload("1", ("text", "newer")), "talk")
    assert caught.value.code == "SERVER-071"


def test_a_form_that_cannot_be_built_says_why(place: Place, session: CentralSession):
    broken = Upload(FORM, b"not a workbook")
    with pytest.raises(ServerRefused) as caught:
        CentralForms(session).place(broken, "")
    assert caught.value.code == "SERVER-070"
    assert "recognized" in caught.value.message or "workbook" in caught.value.message


def test_a_question_that_changes_its_type_is_named(place: Place, session: CentralSession):
    forms = CentralForms(session)
    forms.place(upload("1", ("integer", "age")), "")
    with pytest.raises(ServerRefused) as caught:
        forms.place(upload("2", ("date", "age")), "talk")
    assert caught.value.code == "SERVER-072"
    assert "/age" in caught.value.message


def test_media_is_sent_with_the_form_and_missing_media_stops_it(place: Place, session: CentralSession, tmp_path: Path):
    forms = CentralForms(session)
    with_list = [("select_one_from_file towns.csv", "town")]
    with pytest.raises(ServerRefused) as caught:
        forms.place(upload("1", *with_list), "")
    assert caught.value.code == "SERVER-073"
    assert forms.placed("talk") is None
    towns = tmp_path / "towns.csv"
    towns.write_text("name,label\na,A\n", encoding="utf-8")
    placed = forms.place(upload("1", *with_list, media={"towns.csv": towns, "unused.png": towns}), "")
    assert placed.media == {"towns.csv": hashlib.md5(towns.read_bytes()).hexdigest()}


def test_a_form_is_archived_and_opened_again(talk: Place, session: CentralSession):
    forms = CentralForms(session)
    for active in (False, True):
        forms.set_active("talk", active=active)
        placed = forms.placed("talk")
        assert placed is not None
        assert placed.active is active


def test_an_app_user_is_made_once_and_let_in(talk: Place, session: CentralSession):
    forms = CentralForms(session)
    access = forms.let_in("talk", "Phone 1")
    assert access == forms.let_in("talk", "Phone 1")
    assert access != forms.let_in("talk", "Phone 2")
    assert re.fullmatch(rf"{talk.url}/v1/key/\w{{64}}/projects/{talk.project_id}", access.url)
    assert (access.label, access.secret) == ("Phone 1", True)


# Reviews and corrections


def test_a_review_and_a_comment_arrive(talk: Place, session: CentralSession, server: CentralServer):
    first = talk.state.new("talk", FULL)
    reviews = CentralReview(session)
    reviews.review("talk", first, "has_issues", "call them é")
    assert pulled(server)[first].review_state == "has_issues"
    assert talk.faults.seen[1].headers["x-action-notes"] == "call%20them%20%C3%A9"
    reviews.review("talk", first, "", "only this")
    assert asked(talk, "/comments")
    with pytest.raises(ServerRefused) as caught:
        reviews.review("talk", first, "edited", "")
    assert caught.value.code == "SERVER-114"


def test_a_correction_changes_what_it_names_and_nothing_else(
    talk: Place, session: CentralSession, server: CentralServer
):
    first = talk.state.new("talk", FULL)
    reviews = CentralReview(session)
    edition = reviews.correct(FORM, first, {"said": "a <new> é\r\nline", "g/n": ""}, "heard wrong")
    found = pulled(server)[first]
    assert (found.instance_id, found.edited) == (edition, True)
    assert found.answers == {key: value for key, value in FULL.items() if key != "g/n"} | {"said": "a <new> é\r\nline"}
    again = reviews.correct(FORM, first, {"g/n": "3", "photo": ""}, "")
    assert pulled(server)[first].answers["g/n"] == "3"
    assert again != edition


@pytest.mark.parametrize("path", ["g/person/name", "g/person", "no/such", "meta/instanceID", "g"])
def test_what_cannot_be_corrected_is_refused(talk: Place, session: CentralSession, path: str):
    first = talk.state.new("talk", FULL)
    with pytest.raises(ServerRefused) as caught:
        CentralReview(session).correct(FORM, first, {path: "x"}, "")
    assert caught.value.code == "SERVER-114"


def test_a_sign_that_xml_cannot_hold_is_refused_without_showing_it(talk: Place, session: CentralSession):
    first = talk.state.new("talk", FULL)
    with pytest.raises(ServerRefused) as caught:
        CentralReview(session).correct(FORM, first, {"said": "hidden\x00"}, "")
    assert caught.value.code == "SERVER-114"
    assert "hidden" not in str(caught.value)


def test_somebody_elses_edit_is_not_overwritten(talk: Place, session: CentralSession):
    first = talk.state.new("talk", FULL)
    talk.faults.add("hook", method="PUT", function=lambda: talk.state.edit(first, {"said": "theirs"}))
    with pytest.raises(ServerRefused) as caught:
        CentralReview(session).correct(FORM, first, {"said": "ours"}, "")
    assert caught.value.code == "SERVER-112"


def test_an_edit_whose_answer_was_lost_counts(talk: Place, session: CentralSession, server: CentralServer):
    first = talk.state.new("talk", FULL)
    talk.faults.add("cut", method="PUT", path="submissions")
    edition = CentralReview(session).correct(FORM, first, {"said": "ours"}, "")
    assert pulled(server)[first].instance_id == edition


def test_a_closed_form_takes_no_corrections(talk: Place, session: CentralSession):
    first = talk.state.new("talk", FULL)
    CentralForms(session).set_active("talk", active=False)
    with pytest.raises(ServerRefused) as caught:
        CentralReview(session).correct(FORM, first, {"said": "ours"}, "")
    assert caught.value.code == "SERVER-113"


def test_a_sealed_submission_is_not_corrected(sealed: Place, session: CentralSession):
    with pytest.raises(ServerRefused) as caught:
        CentralReview(session).correct(FORM, "uuid:whole", {"said": "x"}, "")
    assert caught.value.code == "SERVER-114"
