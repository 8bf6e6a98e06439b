"""Endpoints that read submissions: the listing, one submission, its attachments, links to Enketo."""

from __future__ import annotations

from typing import Any

import orjson
from starlette.responses import Response

from tests.lookalikes.kobo import instances
from tests.lookalikes.kobo.asking import Asking, Refused, answer
from tests.lookalikes.kobo.asset import Asset
from tests.lookalikes.kobo.query import arranged, matches, select
from tests.lookalikes.kobo.rows import Attached, Row

MOST = 1000
_BAD_JSON = {"fr": "La valeur doit être un JSON valide."}


def viewed(asking: Asking) -> tuple[Asset, list[dict[str, Any]]]:
    """The form whose data may be read, and the filters of who may read only some of it.

    Raises:
        Refused: 404 without the right to view; 400 before the form is deployed.
    """
    asset = asking.asset()
    filters = asset.partial.get(asking.name, [])
    if not asset.can(asking.name, "view_submissions") and not filters:
        raise Refused(404, "Not found.")
    if asset.deployed is None:
        raise Refused(400, "The specified asset has not been deployed")
    if asset.can(asking.name, "view_submissions"):
        return asset, []
    return asset, [one for part in filters for one in part["filters"]]


async def listing(asking: Asking) -> Response:
    asset, filters = viewed(asking)
    if "count" in asking.query:
        raise Refused(400, {"count": "This param is not implemented. Use `count` property of the response instead."})
    query, sort, fields = (_json(asking, name) for name in ("query", "sort", "fields"))
    with asking.state.lock:
        numbers = select(asset.rows, query or {})
        if filters:
            rows = asset.rows.by_number
            numbers = [one for one in numbers if any(matches(rows[one], part) for part in filters)]
        if sort and sort != {"_id": 1}:
            numbers = arranged(asset.rows, numbers, sort)
        start, end, after, before = asking.page(len(numbers), 100, MOST)
        if "start" not in asking.query:
            start, end = 0, end - start
        page = [asset.rows.by_number[number] for number in numbers[start:end]]
        if asking.query.get("format") == "xml":
            return _xml_page(asset, page, len(numbers), after, before)
        wanted = tuple(fields) if fields else None
        parts = [row.json(asking.state.base, wanted) for row in page]
    asking.state.note(asset, asking.name, "view-data")
    links = b'"next":%b,"previous":%b' % (orjson.dumps(after), orjson.dumps(before))
    body = b'{"count":%d,%b,"results":[%b]}' % (len(numbers), links, b",".join(parts))
    return Response(body, media_type="application/json")


def _json(asking: Asking, name: str) -> Any:
    text = asking.query.get(name)
    if not text:
        return None
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        language = asking.request.headers.get("accept-language", "")[:2]
        raise Refused(400, {name: _BAD_JSON.get(language, "Value must be valid JSON.")}) from None


def xml_of(asset: Asset, row: Row) -> bytes:
    """The submission as XML: as it was sent, or written from the answers."""
    if row.xml is None:
        row.xml = instances.written(asset.uid, asset.phone_version, row.answers)
    return row.xml


def _xml_page(asset: Asset, page: list[Row], count: int, after: str | None, before: str | None) -> Response:
    def text(link: str | None) -> bytes:
        return str(link).replace("&", "&amp;").encode()

    rows = b"".join(xml_of(asset, row).partition(b"?>")[2] or xml_of(asset, row) for row in page)
    head = b"<count>%d</count><next>%b</next><previous>%b</previous>" % (count, text(after), text(before))
    body = b'<?xml version="1.0" encoding="utf-8"?><root>%b<results>%b</results></root>' % (head, rows)
    return Response(body, media_type="application/xml")


def found(asking: Asking, asset: Asset) -> Row:
    """The submission in the path, by number or by uuid.

    Raises:
        Refused: there is none.
    """
    name = asking["row"]
    row = asset.rows.by_number.get(int(name)) if name.isdigit() else asset.rows.by_uuid.get(name)
    if row is None:
        raise Refused(404, "Not found.")
    return row


async def single(asking: Asking) -> Response:
    asset, _ = viewed(asking)
    row = found(asking, asset)
    asking.state.note(asset, asking.name, "view-data")
    if asking.query.get("format") == "xml" or asking.request.url.path.endswith(".xml"):
        return Response(xml_of(asset, row), media_type="application/xml")
    return Response(row.json(asking.state.base, None), media_type="application/json")


async def attachment_by_place(asking: Asking) -> Response:
    asset, _ = viewed(asking)
    row = found(asking, asset)
    place = asking.query.get("xpath")
    if not place:
        raise Refused(400, "`xpath` query parameter is required")
    shown = row.shown("")["_attachments"]
    for one, entry in zip(row.files, shown, strict=True):
        if entry["question_xpath"] == place and not one.deleted:
            return _file(one)
    raise Refused(404, "The path could not be found in the submission")


async def attachment(asking: Asking) -> Response:
    if asking.request.method == "DELETE":
        raise Refused(405, 'Method "DELETE" not allowed.')
    asset, _ = viewed(asking)
    for one in found(asking, asset).files:
        if one.uid == asking["attachment"] and not one.deleted:
            return _file(one)
    raise Refused(404, "Not found.")


def _file(one: Attached) -> Response:
    shown = "inline" if one.mimetype.startswith(("image/", "audio/", "video/")) else "attachment"
    return Response(
        one.content, headers={"Content-Disposition": f"{shown}; filename={one.name}", "Content-Type": one.mimetype}
    )


async def enketo(asking: Asking) -> Response:
    asset, _ = viewed(asking)
    row = found(asking, asset)
    kind = asking["kind"]
    if kind == "edit" and not asset.can(asking.name, "change_submissions"):
        raise Refused(403, "You do not have permission to perform this action.")
    url = f"{asking.state.base}/{kind}/{asset.formhub[:8]}?instance_id={row.root}"
    return answer({"url": url, "version_uid": asset.versions[0].uid})
