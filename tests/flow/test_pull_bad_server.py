"""`dialogkit pull` meets lying counts, moving rows, wrong clocks and broken submissions, files and archives."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.flow.sites import Site

pytest_plugins = ["tests.flow.sites"]

LIST = {"kobo": r"/data/\?.*fields=", "central": "select=__id%2C__system%2FsubmissionDate"}
COUNT = {"kobo": "count", "central": "@odata.count"}
ROWS = {"kobo": "results", "central": "value"}


def rewrite(site: Site, path: str, change: Callable[[Any], Any], *, times: int = 0, after: int = 0) -> None:
    """The JSON of an answer, as `change` leaves it."""

    def spoilt(body: bytes) -> bytes:
        found = json.loads(body)
        change(found)
        return json.dumps(found).encode()

    site.place.faults.add("rewrite", path=path, times=times, after=after, function=spoilt)


def replace_body(site: Site, path: str, body: bytes) -> None:
    """Other bytes than the server's, with its own headers."""
    site.place.faults.add("rewrite", path=path, times=0, function=lambda _: body)


def nothing_moved_just_now(site: Site) -> None:
    """The server's clock runs ahead of what came a moment ago: that cannot be why a count does not agree."""
    site.place.faults.add("skew", seconds=5)


# --- lists that lie


@pytest.mark.parametrize("more", [5, -1, -2, 10**30])
def test_a_count_that_lies_buries_nobody(site, more):
    nothing_moved_just_now(site)
    rewrite(site, LIST[site.kind], lambda page: page.update({COUNT[site.kind]: page[COUNT[site.kind]] + more}))
    before = site.here
    site.refuses({"kobo": "SERVER-043", "central": "SERVER-065"}[site.kind])
    assert site.here.keys() == before.keys()


def test_a_full_page_that_says_it_is_all_is_not_believed(site):
    nothing_moved_just_now(site)

    def first_only(page: Any) -> None:
        page[COUNT[site.kind]] = len(page[ROWS[site.kind]])

    rewrite(site, LIST[site.kind], first_only, times=1)
    if site.kind == "central":
        # The count of a page is of all pages there: it does not agree with what came.
        site.refuses("SERVER-065")
    else:
        assert site.pull().exit_code == 0
        site.check_equal()


@pytest.mark.parametrize("count", [None, "6", 6.0, [], -1])
def test_a_count_that_is_no_number_is_told(site, count):
    nothing_moved_just_now(site)
    rewrite(site, LIST[site.kind], lambda page: page.update({COUNT[site.kind]: count}))
    result = site.refuses({"kobo": "SERVER-041", "central": "SERVER-065" if count == -1 else "SERVER-064"}[site.kind])
    assert len(result.output) < 600


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("kobo", {"_id": "7"}),
        ("kobo", {"_id": -7}),
        ("kobo", {"meta/rootUuid": 7}),
        ("kobo", {"meta/rootUuid": ""}),
        ("kobo", {"meta/rootUuid": "uuid:\x00"}),
        ("kobo", {"_attachments": 5}),
        ("kobo", {"_attachments": [5]}),
        ("kobo", {"_validation_status": "x"}),
        ("central", {"__id": 7}),
        ("central", {"__id": ""}),
        ("central", {"__system": None}),
        ("central", {"__system": {"submissionDate": 5}}),
        ("central", {"__system": {"submissionDate": "0001-01-01T00:00:00+23:59"}}),
        ("central", {"__system": {"submissionDate": "9999-12-31T23:59:59-23:59"}}),
        ("central", {"__system": {"submissionDate": "2026-01-01T00:00:00Z", "reviewState": []}}),
        ("central", {"__system": {"submissionDate": "2026-01-01T00:00:00Z", "reviewState": {"a": 1}}}),
    ],
)
def test_a_row_of_the_list_that_cannot_be_read_is_told(site, change):
    rewrite(site, LIST[site.kind], lambda page: page[ROWS[site.kind]][0].update(change))
    site.refuses({"kobo": "SERVER-042", "central": "SERVER-064"}[site.kind])


def test_a_page_that_comes_twice_is_told(site):
    first: list[Any] = []

    def again(page: Any) -> None:
        first.append(dict(page))
        page[ROWS[site.kind]] = first[0][ROWS[site.kind]]

    rewrite(site, LIST[site.kind], again)
    site.refuses({"kobo": "SERVER-042", "central": "SERVER-066"}[site.kind])


def test_rows_that_come_and_go_between_pages_are_there_in_the_end(site):
    def move() -> None:
        site.place.state.delete(list(site.there)[-1])
        site.new("late.jpg")

    site.place.faults.add("hook", path=LIST[site.kind], after=1, times=1, function=move)
    assert site.pull().exit_code == 0


@pytest.mark.parametrize("days", [-2, 2])
def test_a_wrong_clock_of_the_server_loses_nothing(site, days):
    site.place.faults.add("skew", seconds=days * 86400)
    assert site.pull().exit_code == 0
    site.check_equal()
    site.prepare()
    assert site.pull().exit_code == 0
    site.check_equal()
    site.place.faults.clear()
    site.prepare()


# --- one submission


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<data>",
        b"<html><body>Sign in</body></html>",
        b"<a>" * 100_000,
        b'<!DOCTYPE d SYSTEM "x"><d/>',
        b"\xff\xfe",
    ],
)
@pytest.mark.parametrize("kind", ["central"])
def test_xml_of_one_submission_that_cannot_be_read_keeps_back_that_one(site, body):
    replace_body(site, r"\.xml$", body)
    result = site.refuses("SERVER-031")
    assert "1 submissions came in a form that cannot be read: uuid:" in result.output
    # Of the one that was edited, what was here before.
    assert len(site.here) == 6


@pytest.mark.parametrize(
    "change", [{"_submission_time": 5}, {"_attachments": [{"filename": 5}]}, {"_submission_time": "Zebracorn"}]
)
@pytest.mark.parametrize("kind", ["kobo"])
def test_a_row_that_cannot_be_read_keeps_back_that_one(site, change):
    rewrite(site, r"/data/\?(?!.*fields=)", lambda page: page["results"][0].update(change))
    result = site.refuses("SERVER-031")
    assert "1 submissions came in a form that cannot be read: uuid:" in result.output
    assert len(site.here) >= 5


@pytest.mark.parametrize("kind", ["kobo"])
def test_rows_that_are_counted_and_do_not_come_are_told(site):
    rewrite(site, r"/data/\?(?!.*fields=)", lambda page: page["results"].clear())
    site.refuses("SERVER-043")


@pytest.mark.parametrize("kind", ["kobo"])
def test_a_row_that_is_nobodys_is_told(site):
    rewrite(site, r"/data/\?(?!.*fields=)", lambda page: page["results"].insert(0, {"a": 1}))
    site.refuses("SERVER-052")


# --- files


@pytest.mark.parametrize("name", ["../../x", "/etc/passwd", "é" * 400 + ".jpg", "CON", "a\\..\\b", "x/y"])
def test_a_file_with_a_hostile_name_stays_in_its_folder(site, name):
    site.new(name)
    outside = {path for path in site.root.rglob("*") if "warehouse" not in path.parts}
    result = site.pull()
    assert result.exit_code == 0, result.output
    assert {path for path in site.root.rglob("*") if "warehouse" not in path.parts} == outside
    for path in site.batches.rglob("attachments/*/*"):
        assert path.is_file()
        assert len(path.name.encode()) <= 255
    assert name not in result.output


def test_a_file_that_is_cut_ends_the_pull_and_the_next_fetches_only_what_is_missing(site):
    site.place.faults.add("cut", path=r"/attachments/.", times=0, after=2)
    site.refuses("SERVER-001")
    site.place.faults.clear()
    site.place.faults.forget()
    assert site.pull().exit_code == 0
    asked = [one for one in site.place.faults.seen if re.search("/attachments/.", one.target)]
    assert len(asked) == 1


@pytest.mark.parametrize("kind", ["central"])
def test_a_file_with_other_bytes_than_announced_is_told(site):
    replace_body(site, "/attachments/.", b"other")
    site.refuses("SERVER-067")


def test_a_file_whose_name_is_none_is_told_or_still_to_come(site):
    key = site.new("..")
    if site.kind == "kobo":
        assert key in site.refuses("SERVER-031").output
    else:
        assert "attachments of 1 submission still to come" in site.pull().output
    site.place.state.delete(key)


# --- archives


def bomb() -> bytes:
    """A table with one line that unpacks to a hundred megabytes."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("visit.csv", b"a" * 100_000_000)
    return file.getvalue()


def damaged(at: bytes, offset: int, to: bytes) -> bytes:
    """An archive with other bytes at a place of its table."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("visit.csv", b"a,b\n")
    whole = bytearray(file.getvalue())
    place = whole.rindex(at) + offset
    whole[place : place + len(to)] = to
    return bytes(whole)


ARCHIVES = {
    "a page": b"<html>Please sign in</html>",
    "nothing": b"",
    "half": b"PK\x03\x04" + b"\x00" * 20,
    "a bomb": bomb(),
    "encrypted": damaged(b"PK\x01\x02", 8, b"\x01"),
    "a method that Python reads badly": damaged(b"PK\x01\x02", 10, b"\x0c"),
    "a table before the beginning": damaged(b"PK\x05\x06", 16, b"\xff\xff\xff\x00"),
    "a size that lies": damaged(b"PK\x01\x02", 24, b"\xff\xff\xff\x7f"),
}


@pytest.mark.parametrize("kind", ["central"])
@pytest.mark.parametrize("archive", [name for name in ARCHIVES if name != "a size that lies"])
def test_an_archive_that_cannot_be_read_is_no_harm_for_each_xml_says_the_same(site, archive):
    replace_body(site, "csv.zip", ARCHIVES[archive])
    assert site.pull().exit_code == 0
    site.check_equal()


@pytest.mark.parametrize("kind", ["central"])
def test_an_archive_that_says_it_is_too_large_is_told(site):
    replace_body(site, "csv.zip", ARCHIVES["a size that lies"])
    site.refuses("SERVER-069")
