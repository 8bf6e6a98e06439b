"""What a listing of Central keeps of each submission, and where a pull stood."""

from __future__ import annotations

import pytest

from dialogkit.servers.central.listing import Cursor, Signed, any_of, can_filter, signature

SYSTEM = {"updatedAt": None, "attachmentsPresent": 1, "attachmentsExpected": 2, "reviewState": None, "edits": 0}


@pytest.mark.parametrize(
    "change",
    [{"updatedAt": "2026-11-20T12:00:00.000Z"}, {"attachmentsPresent": 2}, {"reviewState": "approved"}, {"edits": 1}],
    ids=["updated", "file", "review", "edit"],
)
def test_whatever_changes_shows_in_the_signature(change: dict[str, object]):
    assert signature({**SYSTEM, **change}) != signature(SYSTEM)


def test_a_signature_says_whether_there_are_files_and_edits():
    assert Signed.read(signature(SYSTEM)) == Signed(has_files=True, edited=False)
    without = {**SYSTEM, "attachmentsPresent": 0, "attachmentsExpected": 0, "edits": 2}
    assert Signed.read(signature(without)) == Signed(has_files=False, edited=True)
    assert Signed.read("of an earlier program") == Signed(has_files=True, edited=True)


def test_a_cursor_comes_back_as_it_was_kept():
    cursor = Cursor("2", "abc", "2026-11-20T12:00:00.000Z")
    assert Cursor.read(cursor.text()) == cursor


@pytest.mark.parametrize(
    "text", ["", "12", "[]", "null", '{"version":"2"}', '{"version":"2","fields":"a","watermark":"x"}']
)
def test_a_cursor_of_something_else_is_of_no_form(text: str):
    assert Cursor.read(text) == Cursor("", "", "")


@pytest.mark.parametrize("odd", ["my id/2", "it's", "a\nb", "é", ""])
def test_an_id_that_a_filter_cannot_name_is_left_out(odd: str):
    assert not can_filter(odd)
    assert any_of([odd, "uuid:a-1", "plain_2.x"]) == "__id eq 'uuid:a-1' or __id eq 'plain_2.x'"
