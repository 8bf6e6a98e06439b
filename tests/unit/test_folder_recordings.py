"""Exports that real servers made, read from a folder: the same answers as their own data and the XML of the phone."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from dialogkit.forms.build import build_form
from dialogkit.instance import read_instance
from dialogkit.model.form import Form
from dialogkit.model.submission import Answers
from tests.builders import make_form
from tests.builders_folder import fetch_all

ROOT = Path(__file__).parents[2]
RECORDINGS = ROOT / "tests" / "recordings"
RICH = make_form(
    "rich",
    "1",
    [
        ("text", "place"),
        ("select_multiple", "barriers", {"choices": ["reporting", "restricted", "language"]}),
        ("integer", "ctx/n_part"),
        ("decimal", "ctx/budget"),
        ("text", "ctx/inner/remark"),
        ("text", "ctx/inner/flag"),
        ("geopoint", "loc"),
        ("image", "photo"),
        ("audio", "voice"),
        ("repeat", "person"),
        ("text", "person/pname"),
        ("text", "person/prole"),
        ("geopoint", "person/pgps"),
        ("image", "person/pphoto"),
        ("repeat", "person/need"),
        ("text", "person/need/what"),
        ("text", "person/need/sev"),
        *(("text", name) for name in ("start", "end", "today", "deviceid", "username", "consent", "country")),
        *(("text", name) for name in ("country_other", "trace", "area", "d", "t", "dt", "total", "rating", "prio")),
        *(("text", name) for name in ("bc", "ack", "district", "popn", "new_q")),
    ],
)


def answer(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((RECORDINGS / f"{name}.json").read_text(encoding="utf-8"))["response"]
    return found


def put(folder: Path, name: str, recording: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(base64.b64decode(answer(recording)["body_base64"]))
    return folder


def read(folder: Path, form: Form, form_id: str = "") -> dict[str, Answers]:
    _, fetched = fetch_all(folder, form, form_id or form.form_id)
    assert fetched.unreadable == ()
    return {one.submission.id: one.submission.answers for one in fetched.received}


@pytest.fixture(scope="module")
def dialogue() -> Form:
    return build_form(ROOT / "forms" / "local_dialogue.xlsx").form


def sent(form: Form) -> dict[str, Answers]:
    """The first data set as the phone sent it."""
    bodies = [path.stem for path in sorted((RECORDINGS / "first-data-set").glob("central-xml-*.json"))]
    instances = [read_instance(answer(f"first-data-set/{name}")["body"].encode(), form.repeats) for name in bodies]
    assert len(instances) == 5
    return {instance.instance_id: instance.answers for instance in instances}


def test_centrals_archive_of_the_first_data_set(tmp_path: Path, dialogue: Form) -> None:
    put(tmp_path, "anything.zip", "first-data-set/central-csv-zip")
    assert read(tmp_path, dialogue) == sent(dialogue)


def test_kobotoolboxs_data_of_the_first_data_set(tmp_path: Path, dialogue: Form) -> None:
    folder = tmp_path / "local_dialogue"
    folder.mkdir()
    (folder / "data.json").write_text(json.dumps(answer("first-data-set/kobo-data")["body"]), encoding="utf-8")
    assert read(tmp_path, dialogue) == sent(dialogue)


def test_kobotoolboxs_workbook_says_what_its_data_says(tmp_path: Path) -> None:
    workbook, data = tmp_path / "workbook" / "rich", tmp_path / "data" / "rich"
    put(workbook, "export.xlsx", "kobo/export_xlsx_download")
    data.mkdir(parents=True)
    rows = answer("kobo/data_list")["body"]["results"]
    (data / "data.json").write_text(json.dumps(rows), encoding="utf-8")
    from_workbook, from_data = read(workbook.parent, RICH), read(data.parent, RICH)
    # Others were sent, edited or deleted between the two recordings.
    both = [
        key for key, one in from_data.items() if key in from_workbook and from_workbook[key]["place"] == one["place"]
    ]
    assert both
    for key in both:
        same = {
            path: value for path, value in from_data[key].items() if path not in ("meta/audit", "meta/instanceName")
        }
        workbooks = {path: value for path, value in from_workbook[key].items() if path not in ("audit", "meta/audit")}
        assert workbooks == same


def test_every_option_of_centrals_archive_gives_the_same_answers(tmp_path: Path) -> None:
    """With and without paths of groups, selects split or not, removed questions in or out."""
    read_with = {
        name: read(put(tmp_path / name / "local_dialogue", "a.zip", f"central/{name}").parent, CENTRAL)
        for name in ("175-csv-zip-default", "176-csv-zip-options")
    }
    default, options = read_with.values()
    without = {key: {path: text for path, text in one.items() if path != "badge"} for key, one in options.items()}
    assert default == without
    assert default != options


CENTRAL = make_form(
    "local_dialogue",
    "2026112002",
    [
        *(("text", name) for name in ("start", "end", "today", "deviceid", "country", "district", "held_on")),
        *(("text", name) for name in ("start_time", "logged_at", "topics_other", "priority_rank", "trust", "budget")),
        ("select_multiple", "topics", {"choices": ["land", "water", "other"]}),
        *(("text", name) for name in ("participants", "total_sessions", "consent", "follow_up", "badge")),
        ("text", "venue/venue_name"),
        ("geopoint", "venue/location"),
        ("text", "venue/route"),
        ("text", "venue/area"),
        ("image", "venue/photo"),
        ("repeat", "venue/session"),
        ("text", "venue/session/session_title"),
        ("integer", "venue/session/attendees"),
        ("repeat", "venue/session/barrier"),
        ("text", "venue/session/barrier/barrier_kind"),
        ("text", "venue/session/barrier/barrier_quote"),
        ("repeat", "ally"),
        ("text", "ally/ally_name"),
        ("image", "ally/ally_card"),
    ],
)
