"""The check of answers finds what is lost, what stands twice, and what nobody answered."""

from __future__ import annotations

import pytest

from tests.accounting import account
from tests.builders import land_batch, make_form, write_batch

FORM = make_form(
    "f",
    "1",
    [
        ("text", "a"),
        ("integer", "n"),
        ("text", "who", {"disclosure": "direct"}),
        ("select_multiple", "many", {"choices": ["x", "y"]}),
        ("geopoint", "at"),
        ("start", "began"),
        ("time", "clock"),
        ("repeat", "r"),
        ("decimal", "r/d"),
        ("repeat", "r/s"),
        ("date", "r/s/day"),
    ],
)
ANSWERS = {
    "a": "word",
    "n": "007",
    "who": "Zebracorn",
    "many": "y  x",
    "at": "1.5 -2 0",
    "began": "2026-11-20T10:00:00.123+02:00",
    "clock": "10:00:00.5+02:00",
    "new": "drifted",
    "r": [{"r/d": "1.50"}, {"r/d": "much", "r/s": [{"r/s/day": "2026-11-20"}, {"r/s/odd": [{"x": "1"}]}]}],
}


@pytest.fixture
def batch(db, tmp_path):
    batch = write_batch(tmp_path, FORM, [ANSWERS, {"a": "held"}, {}])
    land_batch(db, batch, FORM, hold={"uuid:2": "CHECK-001"})
    return batch


def test_every_answer_of_a_good_landing_is_found(db, batch):
    assert account(db, batch) == 13


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        ("UPDATE accepted.f SET n = NULL", "in no place: \\['n'\\]"),
        ("UPDATE accepted.f SET n = 8 WHERE n = 7", "n: a cell with another value"),
        ("UPDATE accepted.f SET many = ['x', 'y'] WHERE a = 'word'", "many: a cell with another value"),
        ("UPDATE accepted.f SET began = began + INTERVAL 2 HOUR WHERE a = 'word'", "began: a cell with another"),
        ("UPDATE accepted.f SET a = 'x' WHERE a IS NULL", "a: a cell without an answer"),
        ("UPDATE held.f SET a = NULL", "in no place: \\['a'\\]"),
        ("DELETE FROM identifiers.f", "in no place: \\['who'\\]"),
        ("UPDATE accepted.f__s SET day = NULL", "in no place: \\['r/s/day'\\]"),
        ("DELETE FROM accepted.f__s WHERE day IS NULL", "accepted.f__s: other rows"),
        ("UPDATE accepted.f__r SET _row = '3' WHERE _row = '1'", "r/d: a cell without an answer"),
        ("INSERT INTO accepted.f SELECT * FROM accepted.f", "f: a row stands twice"),
        ("DELETE FROM ops.issues", "in no place: \\['r/d'\\]"),
        ("INSERT INTO ops.issues SELECT * FROM ops.issues", "more than one place: \\['r/d'\\]"),
        ("UPDATE ops.issues SET raw = 'few'", "r/d: an issue with another value"),
        ("DELETE FROM ops.drift WHERE path = 'new'", "in no place: \\['new'\\]"),
        ("INSERT INTO ops.drift SELECT * FROM ops.drift", "more than one place: \\['new', 'r/s/odd'\\]"),
        ("INSERT INTO ops.drift SELECT submission_id, form_id, '', 'a', 'word' FROM ops.drift", "\\['a'\\]"),
        ("DELETE FROM ops.version_rows WHERE submission_id = 'uuid:3'", "1 submissions are in no book"),
        ("UPDATE ops.version_rows SET state = 'held' WHERE submission_id = 'uuid:1'", "in another state"),
        ("UPDATE ops.version_rows SET state = 'dropped' WHERE submission_id = 'uuid:2'", "in another state"),
        (
            "UPDATE ops.version_rows SET state = 'refused' WHERE submission_id = 'uuid:3'; "
            "DELETE FROM accepted.f WHERE _submission_id = 'uuid:3'; "
            "INSERT INTO ops.drift SELECT 'uuid:3', form_id, row, path, raw FROM ops.drift LIMIT 1",
            "ops.drift: a submission that must not be here",
        ),
    ],
)
def test_every_kind_of_loss_is_told_without_an_answer(db, batch, harm, said):
    db.execute(harm)
    with pytest.raises(AssertionError, match=said) as caught:
        account(db, batch)
    text = str(caught.value).partition("\n")[0]
    assert not any(word in text for word in ("Zebracorn", "word", "drifted", "much", "007"))
