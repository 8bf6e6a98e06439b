"""The submissions of a form as OData: tables, paging, counts, selections."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode

from starlette.responses import Response

from .call import Call, Routes
from .odata_filter import Filter, read_filter, sort_by
from .odata_rows import Rows, rows_of, system_json
from .odata_select import Selection
from .problems import Refused, not_found, unsupported
from .records import Edition, Form, Submission, Table
from .replies import event_tag, json_bytes, json_reply, raw_json, refusal, unchanged

routes = Routes("odata")
_SVC: Final = "/projects/{project}/forms/{form}.svc"
_DRAFT: Final = "/projects/{project}/forms/{form}/draft.svc"
_KNOWN: Final = frozenset(
    {"$top", "$skip", "$skiptoken", "$count", "$wkt", "$filter", "$expand", "$select", "$orderby"}
)
_ODATA: Final = {"OData-Version": "4.0"}
_SINGLE: Final = re.compile(r"Submissions\('(.*)'\)")
_STEP: Final = re.compile(r"(\w+)(?:\('(\w*)'\))?")


@dataclass(frozen=True)
class Source:
    """What is read: the submissions of a form, by the fields of an edition; and where that is."""

    form: Form
    edition: Edition
    table: Table
    root: str

    def context(self, name: str) -> str:
        return f"{self.root}/$metadata#{name}"


@routes.on("GET", _SVC)
def service(call: Call) -> Response:
    source = _published(call)
    names = ["Submissions", *(_table_name(each.path, source) for each in source.edition.definition.repeats)]
    sets = [{"name": name, "kind": "EntitySet", "url": name} for name in names]
    kind = "application/json; charset=utf-8; odata.metadata=minimal"
    said = {"@odata.context": f"{source.root}/$metadata", "value": sets}
    return json_reply(said, 200, {**_ODATA, "Content-Type": kind})


@routes.on("GET", f"{_SVC}/{{table}}")
def listing(call: Call) -> Response:
    return _listing(call, _published(call))


@routes.on("GET", f"{_DRAFT}/{{table}}")
def draft_listing(call: Call) -> Response:
    form = call.form("submission.list")
    if form.draft is None:
        raise not_found()
    return _listing(call, Source(form, form.draft, form.draft_table, _root(call, form, "/draft.svc")))


@routes.on("GET", f"{_SVC}/{{table}}/{{rest*}}")
def nested(call: Call) -> Response:
    _check_options(call)
    source = _published(call)
    each = _single(call, source)
    rows = _rows(source, each, expand=False, wkt=call.query.get("$wkt") == "true")
    name, parent = "Submissions", each.id
    steps = [_STEP.fullmatch(step) for step in call.parts["rest"].split("/")]
    for step in steps:
        if step is None:
            raise not_found()
        name = f"{name}.{step.group(1)}"
        parent = step.group(2) or parent
    if name not in {_table_name(repeat.path, source) for repeat in source.edition.definition.repeats}:
        raise not_found()
    found = [row for row in rows.tables.get(name, ()) if parent in row.values()]
    return json_reply({"value": found, "@odata.context": source.context(name)}, 200, _ODATA)


def _listing(call: Call, source: Source) -> Response:
    _check_options(call)
    name = call.parts["table"]
    if _SINGLE.fullmatch(name):
        row = _fragments(call, source, [_single(call, source)])
        return raw_json(_body(row, source.context("Submissions"), {}), 200, _ODATA)
    rooted = name != "Submissions"
    if rooted and name not in {_table_name(each.path, source) for each in source.edition.definition.repeats}:
        # The real one has the tag in hand before it looks at the table.
        return refusal(not_found(), "odata", {"ETag": event_tag([])})
    if "$orderby" in call.query and "$skiptoken" in call.query:
        raise unsupported("using $orderby and $skiptoken together")
    wanted = read_filter(call.query["$filter"], rooted=rooted) if "$filter" in call.query else None
    found = matching(source.table, wanted)
    if "$orderby" in call.query:
        found = sort_by(found, call.query["$orderby"])
    return _repeat_page(call, source, found, name) if rooted else _page(call, source, found)


def matching(table: Table, wanted: Filter | None) -> list[Submission]:
    """Submissions that a filter lets through, newest first; deleted ones only where the filter speaks of them."""
    if wanted is None:
        return [each for each in table.newest_first() if each.deleted_at is None]
    rows: Iterable[Submission] = table.newest_first()
    if wanted.ids is not None:
        known = filter(None, (table.get(each) for each in wanted.ids))
        rows = sorted(known, key=lambda each: (each.created_at, each.number), reverse=True)
    if wanted.with_deleted:
        return [each for each in rows if wanted.test(each)]
    return [each for each in rows if each.deleted_at is None and wanted.test(each)]


def _page(call: Call, source: Source, found: list[Submission]) -> Response:
    more: dict[str, Any] = {"@odata.count": len(found)} if call.query.get("$count") == "true" else {}
    context = source.context("Submissions")
    if call.query.get("$top") == "0":
        return raw_json(_body([], context, more), 200, _ODATA)
    total = found
    if "$skiptoken" in call.query:
        total = _older(source.table, found, _cursor(call).get("instanceId"))
    shown = _window(call, total)
    tag = event_tag([each.event for each in shown])
    if call.headers.get("if-none-match") == tag:
        return unchanged(tag, _ODATA)
    if len(total) > len(shown):
        more = {"@odata.nextLink": _next(call, source, {"instanceId": shown[-1].id if shown else None}), **more}
    try:
        fragments = _fragments(call, source, shown)
    except Refused as refused:
        return refusal(refused, "odata", {"ETag": tag})
    return raw_json(_body(fragments, context, more), 200, {**_ODATA, "ETag": tag})


def _repeat_page(call: Call, source: Source, found: list[Submission], name: str) -> Response:
    wkt = call.query.get("$wkt") == "true"
    total = [row for each in found for row in _rows(source, each, expand=False, wkt=wkt).tables.get(name, ())]
    more: dict[str, Any] = {"@odata.count": len(total)} if call.query.get("$count") == "true" else {}
    if "$skiptoken" in call.query:
        after = _cursor(call).get("repeatId")
        place = next((place for place, row in enumerate(total) if row["__id"] == after), len(total))
        total = total[place + 1 :]
    shown = _window(call, total)
    tag = event_tag([each.event for each in found])
    if len(total) > len(shown) and call.query.get("$top") != "0":
        more = {"@odata.nextLink": _next(call, source, {"repeatId": shown[-1]["__id"] if shown else None}), **more}
    if "$select" in call.query:
        shown = [Selection.of_repeat(call.query["$select"]).pick(row) for row in shown]
    body = _body([json_bytes(row) for row in shown], source.context(name), more)
    return raw_json(body, 200, {**_ODATA, "ETag": tag})


def _fragments(call: Call, source: Source, shown: list[Submission]) -> list[bytes]:
    """The rows as JSON; each is made once and kept until the submission changes."""
    expand, wkt = call.query.get("$expand") == "*", call.query.get("$wkt") == "true"
    text = call.query.get("$select", "")
    selection = Selection.of_root(text, source.edition.definition) if text else None
    key = (source.edition.number, expand, wkt, text)
    made = []
    for each in shown:
        known = each.cache.get(key)
        if known is None:
            known = each.cache[key] = json_bytes(_row(source, each, selection, expand=expand, wkt=wkt))
        made.append(known)
    return made


def _row(source: Source, each: Submission, selection: Selection | None, *, expand: bool, wkt: bool) -> dict[str, Any]:
    if selection is None:
        return _rows(source, each, expand=expand, wkt=wkt).root
    if selection.system_only:
        return selection.pick({"__id": each.id, "__system": system_json(each)})
    return selection.pick(_rows(source, each, expand=False, wkt=wkt).root)


def _rows(source: Source, each: Submission, *, expand: bool, wkt: bool) -> Rows:
    return rows_of(source.edition.definition, each, expand=expand, wkt=wkt)


def _body(fragments: list[bytes], context: str, more: dict[str, Any]) -> bytes:
    rest = json_bytes({"@odata.context": context, **more})
    return b'{"value":[' + b",".join(fragments) + b"]," + rest[1:]


def _check_options(call: Call) -> None:
    if "xml" in call.headers.get("accept", ""):
        allowed = ["application/json", "json"]
        message = f"Requested format not acceptable; this resource allows: {','.join(allowed)}."
        raise Refused(406.1, message, {"allowed": allowed, "got": call.headers["accept"]})
    for name in call.query:
        if name.startswith("$") and name not in _KNOWN:
            raise unsupported(name)
    expand = call.query.get("$expand", "*")
    if expand != "*":
        message = f'The given OData expand expression is not supported by this server: "{expand}". '
        raise Refused(501.6, message + 'Currently, only "$expand=*" is supported.', {"text": expand})
    if "$expand" in call.query and "$select" in call.query:
        raise Refused(501.11, "This server doesn't support $select query parameter with $expand.")


def _window(call: Call, rows: list[Any]) -> list[Any]:
    first = int(call.query.get("$skip", 0))
    return rows[first : first + int(call.query["$top"])] if "$top" in call.query else rows[first:]


def _older(table: Table, found: list[Submission], instance_id: Any) -> list[Submission]:
    """What comes after a submission, whether that one is still among them or not."""
    last = table.get(instance_id) if isinstance(instance_id, str) else None
    if last is None:
        return []
    mark = (last.created_at, last.number)
    return [each for each in found if (each.created_at, each.number) < mark]


def _cursor(call: Call) -> dict[str, Any]:
    text = call.query["$skiptoken"]
    try:
        found = json.loads(base64.b64decode(text.removeprefix("01"), validate=True)) if text[:2] == "01" else None
    except (ValueError, binascii.Error):
        found = None
    if not isinstance(found, dict):
        raise Refused(400.35, "Invalid $skiptoken")
    return found


def _next(call: Call, source: Source, cursor: dict[str, Any]) -> str:
    token = "01" + base64.b64encode(json.dumps(cursor, separators=(",", ":")).encode()).decode()
    query = {name: text for name, text in call.query.items() if name != "$skip"} | {"$skiptoken": token}
    return f"{source.root}/{call.parts['table']}?{urlencode(query, safe='*')}"


def _single(call: Call, source: Source) -> Submission:
    named = _SINGLE.fullmatch(call.parts["table"])
    # A slash ends a path segment for the real one, even where it is escaped.
    instance_id = named.group(1) if named and "/" not in named.group(1) else ""
    found = source.table.get(instance_id)
    if found is None or found.deleted_at:
        raise not_found()
    return found


def _published(call: Call) -> Source:
    form = call.form("submission.list")
    if not form.published:
        raise not_found()
    return Source(form, form.shown, form.table, _root(call, form, ".svc"))


def _root(call: Call, form: Form, end: str) -> str:
    return f"{call.origin}/v1/projects/{form.project.id}/forms/{quote(form.form_id, safe='')}{end}"


def _table_name(path: tuple[str, ...], source: Source) -> str:
    names, section = ["Submissions"], source.edition.definition.root
    for step in path:
        section = section.children[step]
        names.append(section.key)
    return ".".join(names)
