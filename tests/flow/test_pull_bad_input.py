"""`dialogkit pull` meets servers that refuse, break, lie or talk nonsense: said plainly, nothing lost, then equal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.lookalikes.faults import Faults, FaultyApp
from tests.lookalikes.serving import serving

if TYPE_CHECKING:
    from tests.flow.sites import Site

pytest_plugins = ["tests.flow.sites"]

#: Every kind of request that a pull sends, by what stands in its target.
KOBO = {
    "me": r"^/me/",
    "rights": "/permission-assignments/",
    "list": r"/data/\?.*fields=",
    "rows": r"/data/\?(?!.*fields=)",
    "file": "/attachments/",
}
CENTRAL = {
    "session": "^/v1/sessions",
    "form": "/forms/visit$",
    "fields": "/fields.odata=true",
    "deleted": r"deletedAt&",
    "count": "top=0&",
    "list": "select=__id%2C__system%2FsubmissionDate",
    "versions": "/versions$",
    "shape": "/versions/7/fields",
    "archive": "/submissions.csv.zip",
    "known": "select=__id%2C__system&",
    "xml": r"\.xml$",
    "names": "/attachments$",
    "file": "/attachments/",
}
PATHS = {"kobo": KOBO, "central": CENTRAL}
EACH = [(kind, name) for kind, paths in PATHS.items() for name in paths]
#: What is not JSON: see the tests of their own.
NOT_JSON = {"archive", "xml", "file"}
JSON = [(kind, name) for kind, name in EACH if name not in NOT_JSON]
DEEP = b"[" * 100_000


def spoil(site: Site, name: str, fault: str = "error500", *, times: int = 0, after: int = 0, **options: Any) -> None:
    """One kind of request goes wrong, for ever if not said otherwise."""
    site.place.faults.add(fault, path=PATHS[site.kind][name], times=times, after=after, **options)


# --- refused


@pytest.mark.parametrize(
    ("kind", "name", "fault", "code"),
    [
        *(("kobo", name, "unauthorised401", "SERVER-002") for name in KOBO),
        *(("kobo", name, "forbidden403", "SERVER-003") for name in KOBO if name != "rights"),
        *(("central", name, "unauthorised401", "SERVER-061") for name in CENTRAL if name != "session"),
        *(("central", name, "forbidden403", "SERVER-061") for name in CENTRAL),
        ("central", "session", "unauthorised401", "SERVER-060"),
    ],
)
def test_a_refusal_at_any_request_is_told(site, name, fault, code):
    spoil(site, name, fault)
    site.refuses(code)


def test_a_wrong_token_or_password_is_told_and_not_shown(site, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setenv("BAD_TOKEN", "0123456789zebraco0123456789zebraco")
        patch.setenv("BAD_PASSWORD", "zebraco zebraco")
        result = site.refuses({"kobo": "SERVER-002", "central": "SERVER-060"}[site.kind])
    assert "zebraco" not in result.output


def test_a_token_that_is_revoked_in_the_middle_ends_the_pull_and_keeps_what_is_whole(site, monkeypatch):
    # On Central a session that ended is no harm as long as the password is right.
    if site.kind == "kobo":
        monkeypatch.setattr("dialogkit.servers.kobo.mirror.MOST", 2)
        monkeypatch.setattr("dialogkit.servers.kobo.mirror._NAMED", 2)
        spoil(site, "rows", "unauthorised401", after=1)
        site.refuses("SERVER-002")
    else:
        spoil(site, "list", "unauthorised401", after=1, times=1)
        assert site.pull().exit_code == 0


@pytest.mark.parametrize("kind", ["central"])
def test_a_password_that_is_changed_in_the_middle_is_told(site):
    spoil(site, "list", "unauthorised401", after=1)
    spoil(site, "session", "unauthorised401", after=1)
    site.refuses("SERVER-060")


@pytest.mark.parametrize(
    ("kind", "name", "code"),
    [
        ("kobo", "list", "SERVER-044"),
        ("kobo", "rows", "SERVER-044"),
        ("central", "form", "SERVER-062"),
        ("central", "list", "SERVER-062"),
        ("central", "archive", "SERVER-062"),
    ],
)
def test_a_form_that_is_gone_is_told_and_its_submissions_stay(site, name, code):
    gone = b'{"message":"Could not find the resource you were looking for.","code":404.1,"detail":"Not found."}'
    spoil(site, name, status=404, body=gone)
    before = site.here
    site.refuses(code)
    # What the listing had shown to be deleted is, and nothing else.
    assert before.keys() - site.here.keys() <= before.keys() - site.there.keys()


@pytest.mark.parametrize("kind", ["central"])
def test_a_project_that_is_gone_is_told(site, in_settings):
    with in_settings("project_id = 1", "project_id = 99"):
        assert "project" in site.refuses("SERVER-062").output


# --- down, busy, elsewhere


@pytest.mark.parametrize(("kind", "name"), EACH)
def test_a_fault_that_stays_is_told_and_one_that_passes_is_not(site, waits, name):
    spoil(site, name)
    site.refuses("SERVER-005")
    assert sum(waits) > 2.5
    site.place.faults.clear()
    spoil(site, name, times=1)
    assert site.pull().exit_code == 0


@pytest.mark.parametrize(("kind", "name"), EACH)
def test_a_busy_server_is_waited_for_as_long_as_it_says(site, waits, name):
    spoil(site, name, "busy503", times=1, retry_after=7)
    assert site.pull().exit_code == 0
    assert sum(waits) == pytest.approx(7)


@pytest.mark.parametrize("retry_after", [3600, "\xb2", "Fri, 31 Dec 99999999999999999999 23:59:59 GMT"])
def test_a_server_that_stays_busy_is_told(site, waits, retry_after):
    site.place.faults.add("busy503", times=0, retry_after=retry_after)
    site.refuses("SERVER-015")
    assert sum(waits) < 6


@pytest.mark.parametrize(("kind", "name"), [one for one in EACH if one[1] != "archive"])
def test_a_connection_that_is_cut_in_the_middle_of_an_answer_is_told(site, name):
    spoil(site, name, "cut")
    site.refuses("SERVER-001")


@pytest.mark.parametrize("kind", ["central"])
def test_an_archive_that_is_cut_is_asked_for_again(site):
    spoil(site, "archive", "cut", times=2)
    assert site.pull().exit_code == 0


def test_a_server_that_goes_away_in_the_middle_is_told(site):
    name = {"kobo": "rows", "central": "archive"}[site.kind]
    spoil(site, name, "hook", function=lambda: site.place.faults.add("cut", times=0, keep=0))
    site.refuses("SERVER-001")


def test_a_server_that_is_down_is_told(site, in_settings):
    with in_settings(site.place.url, "http://127.0.0.1:1"):
        site.refuses("SERVER-001")


@pytest.mark.parametrize(("kind", "name"), EACH)
def test_no_other_host_is_ever_asked_for_anything(site, name):
    seen = Faults()
    with serving(FaultyApp(None, seen)) as other:
        spoil(site, name, "redirect", to=f"{other}/next")
        site.refuses("SERVER-007")
    assert not seen.seen


@pytest.mark.parametrize(
    "to", ["http://[no", "//\x80.\xff:99999/", "https://127.0.0.1/", "?again", "file:///etc/passwd", ""]
)
def test_a_redirect_to_anywhere_else_is_told(site, to):
    # An empty one is no redirect, but no answer either.
    site.place.faults.add("redirect", times=0, to=to)
    site.refuses("SERVER-007")


# --- other answers than the server's


@pytest.mark.parametrize(("kind", "name"), JSON)
def test_what_is_no_json_that_can_be_read_is_told(site, name):
    for body in (DEEP, b'{"results":' + DEEP, b'{"a":"\\ud800"}', b"9" * 5000, b""):
        site.place.faults.clear()
        spoil(site, name, status=200, body=body)
        site.refuses("SERVER-014")
    site.place.faults.clear()
    spoil(site, name, "html")
    assert "a page for browsers" in site.refuses("SERVER-014").output


@pytest.mark.parametrize(("kind", "name"), JSON)
def test_json_of_another_shape_is_told(site, name):
    for body in (b"null", b"7", b"[null]", b'{"results":5,"value":5}'):
        if (name, body[:1]) in {("rights", b"["), ("form", b"{")}:
            continue  # a list without rights, and a form without a version
        site.place.faults.clear()
        spoil(site, name, status=200, body=body)
        site.refuses({"kobo": "SERVER-041", "central": "SERVER-064"}[site.kind])


@pytest.mark.parametrize(("kind", "name", "code"), [("central", "form", "SERVER-063"), ("kobo", "me", "SERVER-006")])
def test_a_refusal_that_cannot_be_read_is_a_refusal(site, name, code):
    for body in (DEEP, b'{"code":Infinity}', b'{"code":NaN}', b'{"code":1e999}', b"null", b"<a/>"):
        site.place.faults.clear()
        spoil(site, name, status=418, body=body)
        site.refuses(code)


def test_a_page_in_place_of_a_file_is_not_taken_for_the_file(site):
    spoil(site, "file", "html")
    result = site.pull()
    assert result.exit_code == 0
    assert "attachments of 3 submissions still to come" in result.output
