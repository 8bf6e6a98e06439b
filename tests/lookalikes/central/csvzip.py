"""Exports: CSV of the root table, or a zip of all tables with their files; opened with a passphrase where sealed."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl
from xml.etree.ElementTree import fromstring

from starlette.responses import Response

from .call import Call, Routes
from .csvlayout import Layout, Lines, Options, Path, line
from .definition import Field
from .odata import matching
from .odata_filter import read_filter
from .problems import Refused, not_found, undecryptable
from .records import Form, Key, Submission
from .replies import CutOff, event_tag, file_reply, refusal, unchanged
from .sealing import Unopened, open_files

routes = Routes()
_ALL: Final = "/projects/{project}/forms/{form}/submissions"
_AUDIT: Final = (
    "instance ID",
    "event",
    "node",
    "start",
    "end",
    "latitude",
    "longitude",
    "accuracy",
    "old-value",
    "new-value",
    "user",
    "change-reason",
)


@dataclass
class _Opened:
    """A submission with its answers and files in the clear, as far as the keys reach."""

    each: Submission
    xml: bytes | None
    files: dict[str, bytes]


@routes.on("GET", f"{_ALL}.csv.zip")
def get_zip(call: Call) -> Response:
    return _export(call, {name: text for name, text in call.query.items() if name.isdigit()})


@routes.on("POST", f"{_ALL}.csv.zip")
def post_zip(call: Call) -> Response:
    return _export(call, dict(parse_qsl(call.body.decode())))


@routes.on("GET", f"{_ALL}.csv")
def get_csv(call: Call) -> Response:
    form, found, tag = _found(call)
    layout = Layout(form, form.shown, _options(call, form, found))
    made = [layout.closed(each) if each.status else layout.lines(each) for each in found]
    body = "".join([layout.header(layout.top), *(lines.root for lines in made)]).encode()
    return file_reply(body, "text/csv", f"{form.form_id}.csv", tag)


def _export(call: Call, passphrases: dict[str, str]) -> Response:
    form, found, tag = _found(call)
    if call.headers.get("if-none-match") == tag:
        return unchanged(tag)
    with_files = call.query.get("attachments") != "false"
    try:
        opened = _open_all(call, found, passphrases)
    except Refused as refused:
        return refusal(refused, "json", {"ETag": tag})
    except Unopened:
        # It has begun to answer by then.
        return CutOff(b"PK\3\4", media_type="application/zip")
    layout = Layout(form, form.shown, _options(call, form, found))
    body = _zip(form, layout, opened, with_files=with_files)
    name = f"{form.form_id}.zip" if with_files else f"{form.form_id}.csv.zip"
    return file_reply(body, "application/zip", name, tag)


def _found(call: Call) -> tuple[Form, list[Submission], str]:
    form = call.form("submission.read")
    if not form.published:
        raise not_found()
    wanted = read_filter(call.query["$filter"]) if "$filter" in call.query else None
    found = matching(form.table, wanted)
    return form, found, event_tag([each.event for each in found])


def _options(call: Call, form: Form, found: list[Submission]) -> Options:
    values: tuple[tuple[Path, tuple[str, ...]], ...] = ()
    if call.query.get("splitSelectMultiples") == "true":
        columns = [each for each in form.shown.definition.fields if each.multiple]
        values = tuple((column.path, _values(column, found)) for column in columns)
    return Options(call.query.get("deletedFields") == "true", call.query.get("groupPaths") != "false", values)


def _values(column: Field, found: list[Submission]) -> tuple[str, ...]:
    """Every value that was ever chosen."""
    chosen: set[str] = set()
    for each in found:
        if not each.current.sealed:
            steps = "/".join(f"{{*}}{step}" for step in column.path)
            for element in fromstring(each.current.xml).findall(steps):
                chosen.update((element.text or "").split())
    return tuple(sorted(chosen))


def _zip(form: Form, layout: Layout, opened: list[_Opened], *, with_files: bool) -> bytes:
    made = [_lines(layout, one) for one in opened]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        root = "".join([layout.header(layout.top), *(lines.root for lines in made)])
        archive.writestr(f"{form.form_id}.csv", root)
        taken: dict[str, int] = {}
        for repeat in layout.repeats:
            text = "".join([layout.header(repeat), *(lines.repeats.get(repeat.path, "") for lines in made)])
            count = taken[repeat.name] = taken.get(repeat.name, 0) + 1
            more = f"~{count - 1}" if count > 1 else ""
            archive.writestr(f"{form.form_id}-{repeat.name}{more}.csv", text)
        if with_files:
            for name, content in _files(form, opened):
                _add(archive, name, content)
    return out.getvalue()


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    """The real one lets two submissions have a file of the same name in the zip; Python would warn."""
    archive.NameToInfo.pop(name, None)
    archive.writestr(name, content)


def _lines(layout: Layout, one: _Opened) -> Lines:
    if one.xml is None:
        return layout.closed(one.each)
    return layout.lines_of(one.each, one.xml) if one.each.current.sealed else layout.lines(one.each)


def _files(form: Form, opened: list[_Opened]) -> Iterator[tuple[str, bytes]]:
    logs: list[str] = []
    for one in reversed(opened):
        logged = _audit_name(one)
        for name, content in one.files.items():
            if name != logged:
                yield f"media/{name}", content
        if logged:
            logs.append(_audit_lines(one.each.id, one.files.get(logged)))
    if logs:
        yield f"{form.form_id} - audit.csv", "".join([line(_AUDIT), *logs]).encode()


def _audit_name(one: _Opened) -> str:
    """The file of Collect's own log, from meta/audit."""
    found = fromstring(one.xml).find("{*}meta/{*}audit") if one.xml else None
    return (found.text or "") if found is not None else ""


def _audit_lines(instance_id: str, content: bytes | None) -> str:
    rows = list(csv.DictReader(io.StringIO((content or b"").decode())))
    return "".join(line([instance_id, *(row.get(name) or "" for name in _AUDIT[1:])]) for row in rows or [{}])


def _open_all(call: Call, found: list[Submission], passphrases: dict[str, str]) -> list[_Opened]:
    keys = {key for each in found if each.current.sealed and (key := each.current.form.key)}
    opening: set[Key] = set()
    for key in keys:
        given = passphrases.get(str(key.id))
        if given is not None and key.managed:
            if given != key.passphrase:
                raise undecryptable()
            opening.add(key)
    return [_open(each, opening) for each in found]


def _open(each: Submission, keys: set[Key]) -> _Opened:
    current = each.current
    if not current.sealed:
        return _Opened(each, current.xml, _present(each))
    key = current.form.key
    if key is None or key not in keys:
        return _Opened(each, None, {})
    names = [*current.sealed_files, "submission.xml.enc"]
    blobs = [each.attachments.get(name) for name in names]
    clear = open_files(key.private, current.sealed, each.id, [blob.content if blob else None for blob in blobs])
    files = {name.removesuffix(".enc"): content for name, content in zip(names, clear, strict=True) if content}
    xml = files.pop("submission.xml", None)
    return _Opened(each, xml, files)


def _present(each: Submission) -> dict[str, bytes]:
    return {name: blob.content for name, blob in sorted(each.attachments.items()) if blob is not None}
