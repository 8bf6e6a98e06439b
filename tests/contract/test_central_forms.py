"""Placing forms on ODK Central, letting phones in, reviewing and correcting."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dialogkit.errors import ServerRefused, ServerUnreachable
from dialogkit.model.host import FormHost, ReviewServer, Upload
from dialogkit.model.server import ListingServer
from dialogkit.servers.central.forms import CentralForms
from dialogkit.servers.central.mirror import CentralServer
from dialogkit.servers.central.review import CentralReview
from dialogkit.servers.central.session import CentralSession
from tests.contract.central import FORM, FULL, asked, book, pulled, session_of
from tests.lookalikes.central import Place, lookalike


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


def test_the_client_is_what_the_pull_and_the_deployment_ask_for(session: CentralSession, server: CentralServer):
    assert isinstance(server, ListingServer)
    host: FormHost = CentralForms(session)
    reviews: ReviewServer = CentralReview(session)
    assert host.name == reviews.name == server.name == "central"


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
    # Staff would take the draft for something that somebody is working on.
    assert session.get(session.form("talk", "/draft"), accept=(404.1,)).status == 404


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
    assert re.fullmatch(rf"{talk.url}/v1/key/[^/]{{64}}/projects/{talk.project_id}", access.url)
    assert access.label == "Phone 1"


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
    assert caught.value.code == "SERVER-075"


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


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("g/person/name", "SERVER-114"),
        ("g/person", "SERVER-114"),
        ("no/such", "SERVER-113"),
        ("meta/instanceID", "SERVER-113"),
        ("g", "SERVER-113"),
    ],
)
def test_what_cannot_be_corrected_is_refused(talk: Place, session: CentralSession, path: str, code: str):
    first = talk.state.new("talk", FULL)
    with pytest.raises(ServerRefused) as caught:
        CentralReview(session).correct(FORM, first, {path: "x"}, "")
    assert caught.value.code == code


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
    assert caught.value.code == "SERVER-074"


def test_a_sealed_submission_is_not_corrected(place: Place, session: CentralSession):
    place.state.encrypt("a long passphrase")
    place.state.publish(book("7"))
    place.state.new("talk", place.state.seal("talk", FULL, instance_id="uuid:whole").xml)
    with pytest.raises(ServerRefused) as caught:
        CentralReview(session).correct(FORM, "uuid:whole", {"said": "x"}, "")
    assert caught.value.code == "SERVER-114"
