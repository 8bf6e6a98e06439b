"""Files of answers and times of questions: from a batch into the warehouse, and what a snapshot shows of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from dialogkit.files import sha256_of
from dialogkit.model.server import Received
from dialogkit.steps.query import query
from dialogkit.warehouse.as_of import open_as_of
from dialogkit.warehouse.connect import reading, writing
from dialogkit.warehouse.held import drop
from dialogkit.warehouse.snapshot import current_snapshot, make_snapshot
from dialogkit.workspace import Workspace, open_workspace
from tests.builders import land_batch, make_form, received, rows_of, write_batch

PAGE = Path(__file__).parents[2] / "docs" / "audit.md"
FORM = make_form(
    "household",
    "1",
    [
        ("text", "said"),
        ("image", "scan", {"disclosure": "direct"}),
        ("repeat", "g/person"),
        ("text", "g/person/name", {"disclosure": "direct"}),
        ("image", "g/person/photo"),
    ],
)
AUDIT = b"""event,node,start,end,old-value,new-value
form start,,1000,,,
question,/data/said,1000,3000,,Zebracorn
question,/data/g/person[1]/name,3000,4000,,Zebracorn
question,/data/g/person[2]/name,4000,4500,,Zebracorn
question,/data/said,5000,6000,Zebracorn,Zebrafish
question,/data/Zebraquestion,6000,7000,,
"""
CONTENT = {"audit.csv": AUDIT, "one.jpg": b"photo", "passport-zebra.jpg": b"scan"}


def answers(photo: str = "one.jpg") -> dict[str, object]:
    people = [{"g/person/name": "Zebrina", "g/person/photo": photo}, {"g/person/name": "Zebro"}]
    return {"said": "Yes", "scan": "passport-zebra.jpg", "g/person": people, "meta/audit": "audit.csv"}


def visit(submission_id: str, photo: str = "one.jpg", **facts: object) -> Received:
    return received(FORM, answers(photo), submission_id, files=list(CONTENT), **facts)


def landed(
    workspace: Workspace,
    some: Sequence[Received],
    hold: Mapping[str, str] | None = None,
    content: Mapping[str, bytes] | None = CONTENT,
) -> None:
    batch = write_batch(workspace.batches, FORM, some, content=content)
    with writing(workspace.warehouse) as db:
        land_batch(db, batch, hold=hold)


def snapshot(workspace: Workspace) -> Path:
    return make_snapshot(workspace.warehouse, workspace.snapshots)


def empty(folder: Path) -> Workspace:
    (folder / "dialogkit.toml").write_text('[forms.household]\nfile = "x.xlsx"\n')
    return open_workspace(folder)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Accepted, held and one whose photo is named only; with a snapshot."""
    workspace = empty(tmp_path_factory.mktemp("files"))
    some = [visit("uuid:acc"), visit("uuid:held"), visit("uuid:late", "late.jpg")]
    landed(workspace, some, {"uuid:held": "RULE-001"})
    snapshot(workspace)
    return workspace


def test_the_warehouse_has_the_times_of_what_it_keeps(shown):
    with reading(shown.warehouse) as db:
        counts = db.execute("SELECT submission_id, count(*) FROM ops.audit GROUP BY 1 ORDER BY 1").fetchall()
        assert counts == [("uuid:acc", 5), ("uuid:held", 5), ("uuid:late", 5)]
        assert rows_of(db, "FROM ops.issues WHERE submission_id = 'uuid:acc'") == [
            {
                "submission_id": "uuid:acc",
                "form_id": "household",
                "table_name": "household",
                "row": "",
                "path": "meta/audit",
                "kind": "audit",
                "raw": "line 7",
            }
        ]


def test_a_snapshot_adds_up_the_visits_of_each_question_of_accepted_submissions(shown):
    columns, rows = query(shown, "FROM ops.question_times WHERE submission_id = 'uuid:acc' ORDER BY path, row")
    assert columns == ["form_id", "submission_id", "path", "row", "seconds", "visits"]
    assert [row[2:] for row in rows] == [
        ("g/person/name", "1", 1.0, 1),
        ("g/person/name", "2", 0.5, 1),
        ("said", "", 3.0, 2),
    ]
    assert query(shown, "SELECT DISTINCT submission_id FROM ops.audit ORDER BY 1")[1] == [("uuid:acc",), ("uuid:late",)]


def test_every_answer_that_names_a_file_tells_whether_it_is_here(shown):
    columns, rows = query(shown, "FROM ops.files WHERE table_name LIKE '%person' ORDER BY submission_id")
    found = [dict(zip(columns, row, strict=True)) for row in rows]
    (batch,) = {row["batch_id"] for row in found if row["batch_id"]}
    assert found == [
        {
            "form_id": "household",
            "table_name": "household__person",
            "submission_id": "uuid:acc",
            "row": "1",
            "path": "g/person/photo",
            "name": "one.jpg",
            "size": 5,
            "sha256": sha256_of(next((shown.batches / "household" / batch).rglob("one.jpg"))),
            "batch_id": batch,
            "fetched": True,
        },
        {
            "form_id": "household",
            "table_name": "household__person",
            "submission_id": "uuid:late",
            "row": "1",
            "path": "g/person/photo",
            "name": "late.jpg",
            "size": None,
            "sha256": None,
            "batch_id": None,
            "fetched": False,
        },
    ]
    assert query(shown, "SELECT submission_id, row, name FROM ops.files WHERE path = 'meta/audit' ORDER BY 1")[1] == [
        ("uuid:acc", "", "audit.csv"),
        ("uuid:late", "", "audit.csv"),
    ]


def test_files_of_identifying_questions_and_what_an_audit_tracked_are_not_in_the_bytes_of_a_snapshot(shown):
    data = current_snapshot(shown.snapshots).read_bytes()
    assert b"one.jpg" in data
    for word in (b"passport", b"Zebr", b"uuid:held"):
        assert word not in data, word


def test_the_queries_of_the_page_run(shown):
    first, second = re.findall(r"^```sql\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert query(shown, first)[1] == [("said", 2, 3.0, 4), ("g/person/name", 2, 0.75, 4)]
    assert query(shown, second)[1] == [
        ("household", "g/person/photo", 2, 1, 5),
        ("household", "meta/audit", 2, 2, 2 * len(AUDIT)),
    ]


def test_files_that_were_not_fetched_give_no_times_and_no_issue(tmp_path):
    workspace = empty(tmp_path)
    landed(workspace, [visit("uuid:1")], content=None)
    snapshot(workspace)
    assert query(workspace, "SELECT count(*) FROM ops.audit")[1] == [(0,)]
    assert query(workspace, "SELECT DISTINCT fetched FROM ops.files")[1] == [(False,)]
    with reading(workspace.warehouse) as db:
        assert rows_of(db, "FROM ops.issues") == []


def test_an_attachment_that_the_answer_does_not_name_is_no_audit(tmp_path):
    workspace = empty(tmp_path)
    other = received(FORM, {"said": "Yes", "meta/audit": "other.csv"}, "uuid:1", files=["audit.csv"])
    landed(workspace, [other])
    with reading(workspace.warehouse) as db:
        assert rows_of(db, "FROM ops.audit") == []


def test_an_edit_replaces_the_times_and_an_earlier_time_has_none_of_the_later_ones(tmp_path):
    workspace = empty(tmp_path)
    landed(workspace, [visit("uuid:1"), visit("uuid:2")])
    with reading(workspace.warehouse) as db:
        (first,) = db.execute("SELECT max(valid_from) FROM ops.versions").fetchone() or ()
    edited = AUDIT.replace(b"3000,,Zebracorn", b"9000,,Zebracorn", 1)
    landed(workspace, [visit("uuid:1", "late.jpg", instance_id="uuid:1b")], content=CONTENT | {"audit.csv": edited})
    snapshot(workspace)
    times = "SELECT submission_id, seconds FROM ops.question_times WHERE path = 'said' ORDER BY 1"
    assert query(workspace, times)[1] == [("uuid:1", 9.0), ("uuid:2", 3.0)]
    with open_as_of(workspace.warehouse, workspace.snapshots, first) as db:
        assert db.execute(times).fetchall() == [("uuid:2", 3.0)]
        assert db.execute("SELECT DISTINCT submission_id FROM ops.files").fetchall() == [("uuid:2",)]
        assert db.execute("SELECT count(*) FROM accepted.household").fetchone() == (2,)


def test_a_submission_that_refuses_leaves_no_time(tmp_path):
    workspace = empty(tmp_path)
    landed(workspace, [visit("uuid:1")])
    landed(workspace, [received(FORM, {}, "uuid:1", instance_id="uuid:1b", refused="consent")])
    with reading(workspace.warehouse) as db:
        assert rows_of(db, "FROM ops.audit") == []


def test_a_submission_that_was_dropped_leaves_no_time_when_it_comes_again(tmp_path):
    workspace = empty(tmp_path)
    landed(workspace, [visit("uuid:1")], {"uuid:1": "RULE-001"})
    with writing(workspace.warehouse) as db:
        drop(db, "uuid:1", "not ours", "somebody")
    landed(workspace, [visit("uuid:1", "late.jpg")])
    with reading(workspace.warehouse) as db:
        assert rows_of(db, "SELECT state FROM ops.submissions") == [{"state": "dropped"}]
        assert rows_of(db, "FROM ops.audit") == []
