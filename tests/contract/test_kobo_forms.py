"""Forms, reviews and corrections on KoboToolbox, against the look-alike."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook

from dialogkit.errors import NotOnServer, ServerRefused, ServerUnreachable, UnexpectedReply
from dialogkit.model.form import Form
from dialogkit.model.host import Upload
from dialogkit.servers.again import Again
from dialogkit.servers.kobo.forms import KoboForms
from dialogkit.servers.kobo.mirror import KoboServer
from dialogkit.servers.kobo.review import KoboReview
from dialogkit.servers.kobo.session import KoboSession
from tests.builders import make_form
from tests.lookalikes.kobo import Place, lookalike

FORM = make_form("talk", "2", [("text", "place"), ("note", "hello"), ("repeat", "person"), ("text", "person/pname")])
ROWS = (("text", "place"), ("begin_repeat", "person"), ("text", "pname"), ("end_repeat", ""))
QUICK = Again(tries=2, first=0.01, sleep=lambda _: None)


@pytest.fixture
def place() -> Iterator[Place]:
    with lookalike() as running:
        yield running


@pytest.fixture
def session(place: Place) -> Iterator[KoboSession]:
    opened = KoboSession("kobo", place.url, place.token, again=QUICK)
    yield opened
    opened.close()


@pytest.fixture
def forms(session: KoboSession) -> KoboForms:
    return KoboForms(session)


def workbook(rows=ROWS, form_id: str = "talk", title: str = "Talk") -> bytes:
    book = Workbook()
    survey = book.active
    survey.title = "survey"
    survey.append(["type", "name", "label", "calculation"])
    survey.append(["calculate", "dialogkit_form_id", "", f"'{form_id}'"])
    for kind, name in rows:
        survey.append([kind, name, name, ""])
    settings = book.create_sheet("settings")
    settings.append(["form_title", "form_id", "version"])
    settings.append([title, form_id, "2"])
    written = BytesIO()
    book.save(written)
    return written.getvalue()


def upload(data: bytes, title: str = "Talk", media: dict[str, Path] | None = None) -> Upload:
    return Upload(Form("talk", "2", title, ("",), "", (), (), {}), data, media or {})


def files(folder: Path, **contents: bytes) -> dict[str, Path]:
    found = {}
    for stem, content in contents.items():
        found[f"{stem}.csv"] = folder / f"{stem}.csv"
        found[f"{stem}.csv"].write_bytes(content)
    return found


def names_on_phones(place: Place, remote_id: str) -> dict[str, bytes]:
    return {one.name: one.content for one in place.state.assets[remote_id].on_phones}


# Placing


def test_a_new_form_is_a_survey_that_phones_can_load(place, forms):
    placed = forms.place(upload(workbook()), "")
    asset = place.state.assets[placed.remote_id]
    assert (asset.asset_type, asset.active, asset.name) == ("survey", True, "Talk")
    assert (placed.active, placed.remote_version) == (True, asset.version_id)
    assert placed.content
    assert forms.placed(placed.remote_id) == placed


def test_a_replacement_keeps_the_form_and_gives_it_a_new_version(place, forms):
    first = forms.place(upload(workbook()), "")
    same = forms.place(upload(workbook()), first.remote_id)
    other = forms.place(upload(workbook((*ROWS, ("integer", "n")))), first.remote_id)
    assert first.remote_id == same.remote_id == other.remote_id
    assert first.remote_version != other.remote_version
    assert first.content == same.content != other.content
    assert len(place.state.assets) == 1


def test_what_is_not_published_yet_does_not_count_as_the_content(place, session, forms):
    first = forms.place(upload(workbook()), "")
    place.faults.add("error500", path="/deployment/", times=9)
    with pytest.raises(ServerUnreachable):
        forms.place(upload(workbook((*ROWS, ("integer", "n")))), first.remote_id)
    assert forms.placed(first.remote_id) == first


def test_a_form_that_was_never_published_or_is_not_there_is_not_placed(place, forms):
    place.faults.add("error500", path="/deployment/", times=9)
    with pytest.raises(ServerUnreachable):
        forms.place(upload(workbook()), "")
    [remote_id] = place.state.assets
    assert forms.placed(remote_id) is None
    assert forms.placed("aGone") is None


def test_a_deployment_that_was_stopped_makes_no_second_copy(place, forms):
    place.faults.add("error500", path="/deployment/", times=1)
    with pytest.raises(ServerUnreachable):
        forms.place(upload(workbook()), "")
    found = forms.find("talk", "Talk")
    assert forms.place(upload(workbook()), found).remote_id == found
    assert len(place.state.assets) == 1


def test_a_form_is_found_by_title_and_by_the_form_id_that_it_carries(place, forms):
    other = forms.place(upload(workbook(form_id="other")), "")
    mine = forms.place(upload(workbook()), "")
    assert (forms.find("talk", "Talk"), forms.find("other", "Talk")) == (mine.remote_id, other.remote_id)
    assert forms.find("talk", "Another title") == forms.find("third", "Talk") == ""


def test_a_form_is_found_among_more_than_a_page_of_them(place, forms):
    for number in range(120):
        place.state.form(f"Form {number}", survey=[])
    mine = forms.place(upload(workbook()), "")
    assert forms.find("talk", "Talk") == mine.remote_id


def test_the_server_may_need_some_looks_to_read_a_workbook(place, forms):
    place.state.polls = 3
    assert forms.place(upload(workbook()), "").active


def test_a_workbook_that_is_never_read_is_not_waited_for_for_ever(place, forms):
    place.state.polls = 10_000
    with pytest.raises(ServerUnreachable) as raised:
        forms.place(upload(workbook()), "")
    assert raised.value.code == "SERVER-049"


def test_a_name_that_stands_twice_is_told_with_what_to_do(place, forms):
    twice = (
        ("begin_group", "a"),
        ("text", "q1"),
        ("end_group", ""),
        ("begin_group", "b"),
        ("text", "q1"),
        ("end_group", ""),
    )
    with pytest.raises(ServerRefused) as raised:
        forms.place(upload(workbook(twice)), "")
    assert raised.value.code == "SERVER-047"
    assert "q1" in raised.value.message
    assert "rename" in raised.value.fix


def test_what_is_no_workbook_is_refused_with_the_reason_of_the_server(place, forms):
    with pytest.raises(ServerRefused) as raised:
        forms.place(upload(b"PK nothing"), "")
    assert (raised.value.code, raised.value.where) == ("SERVER-047", "kobo, talk")


def test_a_form_that_cannot_be_built_there_is_told_and_phones_keep_what_they_have(place, forms):
    first = forms.place(upload(workbook()), "")
    with pytest.raises(ServerRefused) as raised:
        forms.place(upload(workbook((*ROWS, ("begin_group", "open")))), first.remote_id)
    assert raised.value.code == "SERVER-048"
    assert "open" in raised.value.message
    assert forms.placed(first.remote_id) == first


def test_an_edit_in_the_browser_between_import_and_deployment_is_no_error(place, forms):
    first = forms.place(upload(workbook()), "")
    asset = place.state.assets[first.remote_id]
    place.faults.add("hook", path="/deployment/", method="PATCH", function=lambda: asset.saved("organiser"))
    assert forms.place(upload(workbook()), first.remote_id).remote_version == asset.version_id


def test_an_answer_without_the_form_is_unexpected(place, forms):
    place.faults.add("rewrite", path="/imports/", method="GET", function=lambda _: b'{"status":"complete"}')
    with pytest.raises(UnexpectedReply) as raised:
        forms.place(upload(workbook()), "")
    assert raised.value.code == "SERVER-041"


# Media


def test_media_are_made_the_same_and_reach_phones(place, forms, tmp_path):
    first = forms.place(upload(workbook(), media=files(tmp_path, kept=b"name\n1", changed=b"a", gone=b"x")), "")
    before = place.state.assets[first.remote_id].files[0].uid
    media = files(tmp_path, kept=b"name\n1", changed=b"b", added=b"y")
    second = forms.place(upload(workbook(), media=media), first.remote_id)
    assert names_on_phones(place, first.remote_id) == {name: path.read_bytes() for name, path in media.items()}
    assert place.state.assets[first.remote_id].files[0].uid == before
    assert set(second.media) == set(media)
    assert all(second.media.values())


def test_a_file_that_phones_do_not_have_yet_counts_as_missing(place, forms, tmp_path):
    first = forms.place(upload(workbook()), "")
    place.state.media(first.remote_id, "late.csv", b"x")
    assert forms.placed(first.remote_id).media == {"late.csv": ""}


def test_a_file_that_is_not_taken_is_named(place, forms, tmp_path):
    (tmp_path / "run.exe").write_bytes(b"MZ")
    with pytest.raises(ServerRefused) as raised:
        forms.place(upload(workbook(), media={"run.exe": tmp_path / "run.exe"}), "")
    assert (raised.value.code, raised.value.where) == ("SERVER-050", "kobo, talk, run.exe")


# Phones


def test_a_form_is_archived_and_opened_again(place, forms):
    remote_id = forms.place(upload(workbook()), "").remote_id
    forms.set_active(remote_id, active=False)
    assert not forms.placed(remote_id).active
    forms.set_active(remote_id, active=True)
    assert forms.placed(remote_id).active


def test_a_collector_gets_the_address_of_phones_and_no_secret(place, forms):
    remote_id = forms.place(upload(workbook()), "").remote_id
    access = forms.let_in(remote_id, "collector")
    assert forms.let_in(remote_id, "collector") == access
    assert (access.url, access.username) == (place.kc_url, "collector")
    assert place.state.assets[remote_id].can("collector", "add_submissions")


def test_people_without_account_get_the_address_of_the_owner(place, forms):
    remote_id = forms.place(upload(workbook()), "").remote_id
    access = forms.let_in(remote_id, "anonymous")
    assert (access.url, access.username) == (f"{place.kc_url}/organiser", "")
    assert place.state.assets[remote_id].can("AnonymousUser", "add_submissions")


def test_an_account_that_is_not_there_is_refused(place, forms):
    remote_id = forms.place(upload(workbook()), "").remote_id
    with pytest.raises(ServerRefused) as raised:
        forms.let_in(remote_id, "nobody")
    assert raised.value.code == "SERVER-051"


@pytest.mark.parametrize("url", [None, "", "javascript:alert(1)"])
def test_an_address_for_phones_that_is_none_is_not_given_out(place, forms, url):
    remote_id = forms.place(upload(workbook()), "").remote_id
    said = json.dumps({"open_rosa_server": url}).encode()
    place.faults.add("rewrite", path="/environment/", function=lambda _: said)
    with pytest.raises(UnexpectedReply) as raised:
        forms.let_in(remote_id, "collector")
    assert raised.value.code == "SERVER-041"


def test_the_workbook_can_be_had_back(place, forms):
    remote_id = forms.place(upload(workbook()), "").remote_id
    assert "survey" in load_workbook(BytesIO(forms.workbook(remote_id) or b"")).sheetnames
    assert forms.workbook("aGone") is None


# Reviews and corrections


@pytest.fixture
def remote(place: Place, forms: KoboForms) -> str:
    return forms.place(upload(workbook()), "").remote_id


@pytest.fixture
def review(session: KoboSession, remote: str) -> KoboReview:
    return KoboReview(session, {"talk": remote})


@pytest.mark.parametrize("state", ["approved", "rejected", "has_issues"])
def test_a_review_is_kept_and_comes_back_with_the_pull(place, session, remote, review, state):
    submission_id = place.state.new(remote, {"place": "x"})
    review.review("talk", submission_id, state, "")
    server = KoboServer(session, {"talk": remote})
    [entries] = server.listing("talk", "").pages
    [one] = server.fetch("talk", entries, lambda _: None, 1).received
    assert one.submission.review_state == state


def test_a_comment_is_refused_before_anything_is_changed(place, remote, review):
    submission_id = place.state.new(remote, {"place": "x"})
    for change in (
        lambda: review.review("talk", submission_id, "approved", "well done"),
        lambda: review.correct(FORM, submission_id, {"place": "y"}, "was wrong"),
    ):
        with pytest.raises(ServerRefused) as raised:
            change()
        assert raised.value.code == "SERVER-111"
        assert "well done" not in str(raised.value)
    assert place.state.everything()[submission_id]["state"] == ""


def test_a_correction_is_an_edit_that_keeps_the_id(place, remote, review):
    submission_id = place.state.new(remote, {"place": "x", "person": [{"person/pname": "A"}]})
    edition = review.correct(FORM, submission_id, {"place": "y"}, "")
    facts = place.state.everything()[submission_id]
    assert edition == f"uuid:{facts['uuid']}" != submission_id
    assert facts["answers"] == {"place": "y", "person": [{"person/pname": "A"}]}
    assert facts["edited"]


@pytest.mark.parametrize("path", ["person/pname", "person", "brand_new", "hello", "meta/instanceID", "_uuid"])
def test_what_cannot_be_corrected_there_is_refused_before_anything_is_changed(place, remote, review, path):
    submission_id = place.state.new(remote, {"place": "x"})
    with pytest.raises(ServerRefused) as raised:
        review.correct(FORM, submission_id, {"place": "y", path: "z"}, "")
    assert raised.value.code == "SERVER-116"
    assert place.state.everything()[submission_id]["answers"]["place"] == "x"


def test_a_submission_that_is_not_there_is_named(place, remote, review):
    for change in (
        lambda: review.review("talk", "uuid:gone", "approved", ""),
        lambda: review.correct(FORM, "uuid:gone", {"place": "y"}, ""),
    ):
        with pytest.raises(NotOnServer) as raised:
            change()
        assert raised.value.code == "SERVER-115"
        assert "uuid:gone" in raised.value.where


@pytest.mark.parametrize("body", [b'{"successes":0,"results":[]}', b'{"successes":1,"results":[{}]}', b"[]"])
def test_a_correction_that_was_not_made_is_an_error(place, remote, review, body):
    submission_id = place.state.new(remote, {"place": "x"})
    place.faults.add("rewrite", path="/bulk/", function=lambda _: body)
    with pytest.raises(ServerRefused) as raised:
        review.correct(FORM, submission_id, {"place": "y"}, "")
    assert raised.value.code == "SERVER-117"
