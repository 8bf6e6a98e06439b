"""Audit files of phones: events are read, answers never, and no file stops a landing."""

from __future__ import annotations

import json
import re
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dialogkit.model.staged import Staged
from dialogkit.normalize.audit import EVENTS, stage_audit
from dialogkit.normalize.schema import tables_of
from tests.builders import make_form

FORM = make_form(
    "f",
    "1",
    [
        ("text", "q"),
        ("note", "g/told"),
        ("repeat", "g/rep"),
        ("text", "g/rep/q"),
        ("repeat", "g/rep/in"),
        ("text", "g/rep/in/deep"),
    ],
)
OLD = make_form("f", "0", [("text", "before"), ("text", "place")])
RECORDINGS = Path(__file__).parents[1] / "recordings"
HEAD = "event,node,start,end\n"
START = 1_790_000_000_000
SAID = re.compile(r"header|file|line \d+|after line \d+|\d+ more lines")


@pytest.fixture(scope="module")
def db():
    with duckdb.connect() as db:
        db.execute("SET TimeZone = 'UTC'")
        yield db


def staged_files(db, *files: Path) -> None:
    db.execute(
        "CREATE OR REPLACE TEMP TABLE stage_issues "
        "(submission_id VARCHAR, table_name VARCHAR, row VARCHAR, path VARCHAR, kind VARCHAR, raw VARCHAR)"
    )
    tables = tables_of([OLD, FORM])
    staged = Staged("f", "b", "server", {"0": OLD, "1": FORM}, tables, {})
    stage_audit(db, [(f"uuid:{number}", path) for number, path in enumerate(files, start=1)], staged)


def read(db, tmp_path: Path, content: str | bytes):
    """Rows (event, path, row, seconds) and issues (raw) of one file."""
    path = tmp_path / "audit.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    staged_files(db, path)
    rows = db.execute("SELECT event, path, row, seconds FROM stage_audit ORDER BY n").fetchall()
    return rows, [raw for (raw,) in db.execute("SELECT raw FROM stage_issues").fetchall()]


def test_an_event_becomes_a_row_with_its_path_and_its_times(db, tmp_path):
    content = f"form start,,{START},\nquestion,/data/q,{START},{START + 1500}\nquestion,/other_root/before,0,0\n"
    rows, issues = read(db, tmp_path, HEAD + content)
    assert rows == [("form start", "", "", None), ("question", "q", "", 1.5), ("question", "before", "", 0.0)]
    assert issues == []
    times = db.execute("SELECT submission_id, n, began::VARCHAR, ended::VARCHAR FROM stage_audit ORDER BY n").fetchall()
    assert times == [
        ("uuid:1", 1, "2026-09-21 14:13:20+00", None),
        ("uuid:1", 2, "2026-09-21 14:13:20+00", "2026-09-21 14:13:21.5+00"),
        ("uuid:1", 3, "1970-01-01 00:00:00+00", "1970-01-01 00:00:00+00"),
    ]


@pytest.mark.parametrize(
    ("node", "path", "row"),
    [
        ("/data/g/told", "g/told", ""),
        ("/data/g", "g", ""),
        ("/data/g/rep[2]", "g/rep", "2"),
        ("/data/g/rep[2]/q", "g/rep/q", "2"),
        ("/data/g/rep[2]/in[13]/deep", "g/rep/in/deep", "2/13"),
        # Old versions of Collect put a position after every name.
        ("/data/g[1]/rep[2]/in[13]/deep[1]", "g/rep/in/deep", "2/13"),
    ],
)
def test_a_node_is_the_full_path_and_only_repeats_make_the_row(db, tmp_path, node, path, row):
    assert read(db, tmp_path, f"{HEAD}question,{node},1,2\n") == ([("question", path, row, 0.001)], [])


def test_every_kind_of_event_of_collect_is_known(db, tmp_path):
    kinds = sorted(EVENTS)
    rows, issues = read(db, tmp_path, HEAD + "".join(f"{kind},,1,\n" for kind in kinds))
    assert ([row[0] for row in rows], issues) == (kinds, [])


def test_an_event_that_ended_before_it_began_has_no_length(db, tmp_path):
    assert read(db, tmp_path, f"{HEAD}question,/data/q,5,4\n") == ([("question", "q", "", None)], [])


def test_answers_places_names_and_reasons_are_never_read(db, tmp_path):
    header = "event,node,start,end,latitude,longitude,accuracy,old-value,new-value,user,change-reason\n"
    lines = 'question,/data/q,1,2,-15.25,28.25,3,"Zebra, one\nquestion,/data/q,7,8","say ""Zebra""",Zebrina,"Zebra\n"\n'
    rows, issues = read(db, tmp_path, header + lines + "Zebra,/data/Zebra,Zebra,Zebra\nquestion,/data/q,3,4,,,,,,,\n")
    assert rows == [("question", "q", "", 0.001)] * 2
    assert issues == ["line 5"]
    everything = str(db.execute("FROM stage_audit").fetchall() + db.execute("FROM stage_issues").fetchall())
    assert "Zebr" not in everything
    assert "28.25" not in everything


def test_lines_from_before_the_header_grew_are_read(db, tmp_path):
    lines = "event,node,start,end,old-value,new-value,user\nform start,,1,\nquestion,/data/q,1,2,a,b,c\n"
    rows, issues = read(db, tmp_path, lines)
    assert ([row[0] for row in rows], issues) == (["form start", "question"], [])


def test_the_audit_file_of_the_recordings_is_read(db, tmp_path):
    exchange = json.loads((RECORDINGS / "kobo" / "attachment_download_3.json").read_text(encoding="utf-8"))
    rows, issues = read(db, tmp_path, exchange["response"]["body"])
    assert rows == [("form start", "", "", None), ("question", "place", "", 4.0), ("form exit", "", "", None)]
    assert issues == []


@pytest.mark.parametrize(
    "line",
    [
        "question,/data/q",
        "Something Zebra,/data/q,1,2",
        "question,/data/zebra,1,2",
        "question,/data/q/zebra,1,2",
        "question,/data/g/rep[x]/q,1,2",
        "question,data/q,1,2",
        "question,/data/q\0,1,2",
        "question,/data/" + "q" * 2000 + ",1,2",
        "question,/data/q,,2",
        "question,/data/q,-1,2",
        "question,/data/q,1.5,2",
        "question,/data/q,1e3,2",
        "question,/data/q,١,2",
        "question,/data/q,2000-01-01T00:01,2",
        "question,/data/q,1,zebra",
        "question,/data/q,1,4102444800000",
        "question,/data/q,1," + "9" * 5000,
    ],
)
def test_a_line_that_cannot_be_read_is_an_issue_that_says_where(db, tmp_path, line):
    rows, issues = read(db, tmp_path, f"{HEAD}form start,,1,\n{line}\n\nform exit,,9,\n")
    assert [row[0] for row in rows] == ["form start", "form exit"]
    assert issues == ["line 3"]
    assert db.execute("SELECT * EXCLUDE (raw) FROM stage_issues").fetchall() == [
        ("uuid:1", "f", "", "meta/audit", "audit")
    ]


@pytest.mark.parametrize(
    "content",
    [b"", b"event;node;start;end\n", b"event,node,start\n", HEAD.encode("utf-16"), b"\0\0\0", b"\xff\xd8\xff\xe0JFIF"],
    ids=["empty", "semicolons", "a column less", "utf-16", "nul", "a photo"],
)
def test_a_file_that_is_no_audit_is_one_issue(db, tmp_path, content):
    assert read(db, tmp_path, content) == ([], ["header"])


def test_a_file_that_is_not_there_is_one_issue_and_others_are_read(db, tmp_path):
    good = tmp_path / "good.csv"
    good.write_text(HEAD + "form start,,1,\n")
    staged_files(db, tmp_path / "none.csv", good, tmp_path)
    assert db.execute("SELECT submission_id, event FROM stage_audit").fetchall() == [("uuid:2", "form start")]
    assert db.execute("SELECT submission_id, raw FROM stage_issues ORDER BY 1").fetchall() == [
        ("uuid:1", "file"),
        ("uuid:3", "file"),
    ]


def test_no_audit_at_all_is_an_empty_table(db):
    staged_files(db)
    assert db.execute("SELECT count(*) FROM stage_audit").fetchone() == (0,)


@pytest.mark.parametrize("encoded", ["utf-8-sig", "latin-1"])
def test_a_mark_at_the_start_or_another_encoding_of_answers_does_not_matter(db, tmp_path, encoded):
    content = f"event,node,start,end,new-value\nquestion,/data/q,1,2,{'é' if encoded == 'latin-1' else ''}\n"
    assert read(db, tmp_path, content.encode(encoded)) == ([("question", "q", "", 0.001)], [])


def test_nothing_is_read_after_a_quote_that_nobody_closes(db, tmp_path):
    """What follows is the middle of an answer, even if it looks like an event."""
    content = 'form start,,1,,\nquestion,/data/q,1,2,"open\nform exit,,3,,\n'
    rows, issues = read(db, tmp_path, "event,node,start,end,new-value\n" + content)
    assert ([row[0] for row in rows], issues) == (["form start"], ["after line 2"])


def test_many_unread_lines_are_a_few_issues(db, tmp_path):
    assert read(db, tmp_path, HEAD + "zebra\n" * 1000)[1] == [f"line {n}" for n in range(2, 7)] + ["995 more lines"]


def test_reading_stops_at_a_line_that_no_phone_writes(db, tmp_path):
    rows, issues = read(db, tmp_path, f"{HEAD}form start,,1,\nquestion,/data/q,1,2{',' * 200_000}\nform exit,,1,\n")
    assert ([row[0] for row in rows], issues) == (["form start"], ["after line 2"])


def test_reading_stops_after_200_000_lines(db, tmp_path):
    longest = HEAD + "\n" * 199_998 + "jump,,1,\n"
    assert read(db, tmp_path, longest) == ([("jump", "", "", None)], [])
    assert read(db, tmp_path, longest + "jump,,1,\n") == ([("jump", "", "", None)], ["after line 200000"])


@given(st.binary(max_size=200) | st.text(alphabet='question,/dat[1]"\n\r\0,,é', max_size=120).map(str.encode))
@example(b'"')
@example(b"question,/data/q,1,2\xff")
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_a_file_holds_a_landing_goes_on_and_no_content_is_told(db, tmp_path, some):
    for content in (some, HEAD.encode() + some):
        rows, issues = read(db, tmp_path, content)
        assert all(SAID.fullmatch(raw) for raw in issues)
        assert {row[0] for row in rows} <= EVENTS
        assert {row[1] for row in rows} <= {
            "",
            "q",
            "before",
            "place",
            "g",
            "g/told",
            "g/rep",
            "g/rep/q",
            "g/rep/in",
            "g/rep/in/deep",
        }


def test_reading_stops_after_more_than_any_phone_writes(db, tmp_path):
    line = f"question,/data/q,1,2,{'x' * 120_000}\n"
    rows, issues = read(db, tmp_path, "event,node,start,end,new-value\n" + line * 600)
    told = 64 * 1024 * 1024 // len(line)
    assert (len(rows), issues) == (told, [f"after line {told + 1}"])
