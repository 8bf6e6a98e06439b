"""One submission in every shape in which data leaves a server, for tests of the folder server."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import openpyxl

from dialogkit.instance import write_instance
from dialogkit.model.form import Form
from dialogkit.model.server import Entry, Fetched
from dialogkit.servers.folder import FolderServer
from tests.builders import make_form

FORM = make_form(
    "visit",
    "3",
    [
        ("text", "name"),
        ("integer", "g/age"),
        ("select_multiple", "topics", {"choices": ["land", "water"]}),
        ("geopoint", "g/place"),
        ("image", "photo"),
        ("repeat", "g/child"),
        ("text", "g/child/nick"),
        ("repeat", "g/child/toy"),
        ("text", "g/child/toy/kind"),
    ],
)
ID = "uuid:0c7b3c1e-5d1a-4a51-9f0b-2f2d3c1f6a01"
ANSWERS: Mapping[str, Any] = {
    "name": 'Zoë "Z", née\nLa 007 ',
    "g/age": "007",
    "topics": "land water",
    "g/place": "-1.3133 36.7877 1680.50 4.8",
    "photo": "p.png",
    "g/child": [
        {"g/child/nick": "1.0", "g/child/toy": [{"g/child/toy/kind": "ball"}, {"g/child/toy/kind": "kite"}]},
        {"g/child/nick": "B"},
        {"g/child/nick": "C", "g/child/toy": [{"g/child/toy/kind": "drum"}]},
    ],
}
PICTURE = b"\x89PNG picture"


def bare(submission_id: str) -> str:
    """The id without its `uuid:`."""
    return submission_id.removeprefix("uuid:")


def put_instance(root: Path, answers: Mapping[str, Any] = ANSWERS, instance_id: str = ID, **facts: Any) -> Path:
    """A folder of Briefcase."""
    folder = root / "forms" / "Visit" / "instances" / f"uuid{bare(instance_id)}"
    folder.mkdir(parents=True, exist_ok=True)
    body = write_instance(FORM, answers, instance_id, **facts).decode()
    # Briefcase writes when the server had received it.
    body = body.replace('id="visit"', 'id="visit" submissionDate="2026-11-20T12:00:00.000+02:00"', 1)
    (folder / "submission.xml").write_text(body, encoding="utf-8")
    (folder / "p.png").write_bytes(PICTURE)
    return folder


def kobo_row(answers: Mapping[str, Any] = ANSWERS, instance_id: str = ID, **facts: Any) -> dict[str, Any]:
    """A row of KoboToolbox's data."""
    row = {
        "_id": 7,
        "_uuid": bare(instance_id),
        "meta/instanceID": instance_id,
        "meta/rootUuid": instance_id,
        "_submission_time": "2026-11-20T10:00:00",
        "_validation_status": {},
        "_submitted_by": "",
        "_attachments": [{"media_file_basename": "p.png", "download_url": "https://k/1", "uid": "att1"}],
        "formhub/uuid": "d89d",
        "__version__": "vJ",
        "dialogkit_form_id": "visit",
        "dialogkit_form_version": "3",
    }
    return {**row, **answers, **facts}


def put_kobo(root: Path, rows: Sequence[Mapping[str, Any]] = (), shape: str = "list", name: str = "data.json") -> Path:
    """A JSON export, with the media unpacked."""
    rows = rows or [kobo_row()]
    text = {
        "list": json.dumps(rows),
        "page": json.dumps({"count": len(rows), "next": None, "previous": None, "results": rows}),
        "lines": "\n".join(json.dumps(row) for row in rows) + "\n",
    }[shape]
    root.mkdir(parents=True, exist_ok=True)
    file = root / name
    file.write_text(text, encoding="utf-8")
    _put_media(root)
    return file


def put_workbook(root: Path, *, groups: bool = False, edit: Any = None, form: Form = FORM) -> Path:
    """A workbook of KoboToolbox with XML values and headers."""
    book = openpyxl.Workbook()
    main = book.worksheets[0]
    main.title = "A visit"
    grouped = (lambda path: path) if groups else (lambda path: path.rpartition("/")[2])
    system = {
        "_id": 7,
        "_uuid": bare(ID),
        "_submission_time": "2026-11-20T10:00:00",
        "_validation_status": None,
        "_submitted_by": None,
        "__version__": "vJ",
        "meta/rootUuid": ID,
        "dialogkit_form_id": "visit",
        "dialogkit_form_version": "3",
        "_index": 1,
    }
    cells = {grouped(path): value for path, value in ANSWERS.items() if isinstance(value, str)}
    point = {"_place_latitude": "-1.3133", "_place_longitude": "36.7877", "topics/land": "1", "topics/water": "1"}
    _sheet(main, [{**cells, **point, **system}])
    children, toys = book.create_sheet("child"), book.create_sheet("toy")
    rows, below = [], []
    for number, child in enumerate(ANSWERS["g/child"], start=1):
        rows.append(
            {grouped("g/child/nick"): child["g/child/nick"], "_index": number, "_parent_table_name": "A visit"}
            | {"_parent_index": 1, "_submission__id": 7}
        )
        for toy in child.get("g/child/toy", ()):
            kind = {grouped("g/child/toy/kind"): toy["g/child/toy/kind"], "_index": len(below) + 1}
            below.append({**kind, "_parent_table_name": "child", "_parent_index": number})
    _sheet(children, rows)
    _sheet(toys, below)
    if edit is not None:
        edit(book)
    root.mkdir(parents=True, exist_ok=True)
    file = root / "export.xlsx"
    book.save(file)
    _put_media(root)
    return file


def central_files(*, group_paths: bool = True, split: bool = False, status: str = "") -> dict[str, str]:
    """The CSV files of Central's archive."""
    group = "g-" if group_paths else ""
    own = "meta-instanceID" if group_paths else "instanceID"
    place = ["-1.3133", "36.7877", "1680.50", "4.8"]
    main: dict[str, str] = {"SubmissionDate": "2026-11-20T10:00:00.000Z", "name": ANSWERS["name"]}
    main |= {f"{group}age": "007", "topics": "land water"} | (
        {"topics/land": "1", "topics/water": "1"} if split else {}
    )
    parts = ("Latitude", "Longitude", "Altitude", "Accuracy")
    main |= {f"{group}place-{part}": cell for part, cell in zip(parts, place, strict=True)}
    main |= {"photo": "p.png", own: ID, "KEY": ID, "SubmitterID": "8", "SubmitterName": "Phone 1"}
    main |= {"AttachmentsPresent": "1", "AttachmentsExpected": "1", "Status": status, "ReviewState": "hasIssues"}
    main |= {"DeviceID": "collect:x", "Edits": "0", "FormVersion": "3"}
    if status:
        main |= dict.fromkeys(("name", f"{group}age", "topics", "photo", own), "")
    children, toys = [], []
    for number, child in enumerate(ANSWERS["g/child"] if not status else (), start=1):
        key = f"{ID}/g/child[{number}]"
        children.append({"nick": child["g/child/nick"], "PARENT_KEY": ID, "KEY": key})
        for at, toy in enumerate(child.get("g/child/toy", ()), start=1):
            toys.append({"kind": toy["g/child/toy/kind"], "PARENT_KEY": key, "KEY": f"{key}/toy[{at}]"})
    return {
        "visit.csv": _csv([main]),
        "visit-child.csv": _csv(children, ["nick"]),
        "visit-toy.csv": _csv(toys, ["kind"]),
    }


def put_central(root: Path, files: Mapping[str, str] | None = None, media: Sequence[str] = ("p.png",)) -> Path:
    """Central's archive as it was downloaded."""
    root.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(root / "visit.zip", "w") as archive:
        for name, text in (files or central_files()).items():
            archive.writestr(name, text)
        for name in media:
            archive.writestr(f"media/{name}", PICTURE)
    return root / "visit.zip"


def put_unpacked(root: Path) -> Path:
    """Central's archive after it was unpacked."""
    put_central(root)
    with zipfile.ZipFile(root / "visit.zip") as archive:
        archive.extractall(root)
    (root / "visit.zip").unlink()
    return root


def entries(server: FolderServer, form_id: str = "visit") -> list[Entry]:
    """The whole listing."""
    listing = server.listing(form_id, "")
    return [entry for page in listing.pages for entry in page]


def fetch_all(root: Path, form: Form | None = FORM, form_id: str = "visit") -> tuple[FolderServer, Fetched]:
    """Every submission of a folder."""
    server = FolderServer("old", root)
    listed = entries(server, form_id)
    return server, server.fetch(form_id, listed, lambda _: form, len(listed))


def _put_media(root: Path) -> None:
    folder = root / "attachments" / bare(ID)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "p.png").write_bytes(PICTURE)


def _sheet(sheet: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    headings = list(rows[0])
    sheet.append(headings)
    for row in rows:
        sheet.append([row.get(heading) for heading in headings])


def _csv(rows: Sequence[Mapping[str, str]], headings: Sequence[str] = ()) -> str:
    text = io.StringIO()
    names = list(rows[0]) if rows else [*headings, "PARENT_KEY", "KEY"]
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
