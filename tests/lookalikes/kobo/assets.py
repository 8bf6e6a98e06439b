"""Endpoints of forms: list, one, its versions, its XForm and XLSForm; create, change, clone, delete."""

from __future__ import annotations

import hashlib
import json
from io import BytesIO
from typing import Any

from openpyxl import load_workbook
from starlette.responses import HTMLResponse, Response

from tests.lookalikes.kobo import xform
from tests.lookalikes.kobo.asking import PAGE, Asking, Refused, answer
from tests.lookalikes.kobo.asset import Asset
from tests.lookalikes.kobo.marks import kuid
from tests.lookalikes.kobo.search import compiled
from tests.lookalikes.kobo.shown import paged

_TYPES = frozenset({"survey", "block", "question", "template", "collection", "empty"})
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


async def listed(asking: Asking) -> Response:
    if "text/html" in asking.request.headers.get("accept", ""):
        return HTMLResponse(PAGE)
    if asking.request.method == "POST":
        return await created(asking)
    words = asking.query.get("q", "")
    if words and len(words) < 3:
        raise Refused(400, "Your query is too short")
    test = compiled(words, "name") if words else lambda _: True
    found = [one for one in asking.state.assets.values() if asking.user and one.can(asking.name, "view_asset")]
    found = [one for one in found if test(_searched(one))]
    key = asking.query.get("ordering", "-date_modified")
    found.sort(key=lambda one: one.created if "created" in key else one.modified, reverse=key.startswith("-"))
    start, end, after, before = asking.page(len(found), 100, 1000)
    results = [asking.shown.listed(one, asking.name) for one in found[start:end]]
    body: dict[str, Any] = {"count": len(found), "next": after, "previous": before, "results": results}
    if asking.query.get("metadata") == "on":
        languages = dict.fromkeys(name for one in found for name in one.content.get("translations", []) if name)
        body["metadata"] = {"languages": list(languages), "countries": [], "sectors": [], "organizations": []}
    return answer(body)


def _searched(asset: Asset) -> dict[str, str]:
    status = "draft" if asset.deployed is None else "deployed" if asset.active else "archived"
    return {
        "asset_type": asset.asset_type,
        "name": asset.name,
        "uid": asset.uid,
        "owner__username": asset.owner,
        "_deployment_status": status,
    }


async def digest(asking: Asking) -> Response:
    user = asking.must_be_somebody().name
    versions = [one.version_id for one in asking.state.assets.values() if one.can(user, "view_asset")]
    return answer({"hash": hashlib.md5("".join(versions).encode()).hexdigest()})


async def created(asking: Asking) -> Response:
    user = asking.must_be_somebody().name
    body = await asking.body()
    kind = body.get("asset_type", "")
    if kind not in _TYPES:
        raise Refused(400, {"asset_type": [f'"{kind}" is not a valid choice.']})
    if "clone_from" in body:
        model = asking.state.assets[body["clone_from"]]
        asset = Asset(body.get("name", model.name), user, model.content, model.workbook, settings=model.settings)
    else:
        asset = Asset(body.get("name", ""), user, _completed(body.get("content", {})))
        asset.settings = dict(body.get("settings", {}))
    asset.asset_type, asset.edited_by, asset.created_by = kind, user, user
    asking.state.add_asset(asset)
    shown = asking.shown.whole(asset, user)
    return answer(shown, 201, {"Location": shown["url"]})


def _completed(content: dict[str, object]) -> dict[str, object]:
    survey = content.get("survey", [])
    assert isinstance(survey, list)
    rows = [{**row, "$kuid": kuid(), "$autoname": row["name"], "$xpath": row["name"]} for row in survey]
    languages = content.get("translations", [])
    assert isinstance(languages, list)
    # Seen: content with languages gets one more, without a name.
    return {**content, "survey": rows, "translations": [*languages, None], "translated": ["label"], "schema": "1"}


async def one(asking: Asking) -> Response:
    method = asking.request.method
    if method == "DELETE":
        asset = asking.asset("manage_asset")
        del asking.state.assets[asset.uid]
        return answer(None, 204)
    if method == "PATCH":
        asset = asking.asset("change_asset")
        body = await asking.body()
        if "name" in body:
            asset.name = body["name"]
            asset.saved(asking.name)
        if "settings" in body:
            given = body["settings"]
            settings = json.loads(given) if isinstance(given, str) else given
            codes = [country["value"] for country in settings.get("country", [])]
            asset.settings = {**asset.settings, **settings, "country_codes": codes}
    else:
        asset = asking.asset()
    return answer(asking.shown.whole(asset, asking.name))


async def versions(asking: Asking) -> Response:
    asset = asking.asset()
    return answer(paged([asking.shown.version(asset, one) for one in asset.versions]))


async def version(asking: Asking) -> Response:
    asset = asking.asset()
    for one in asset.versions:
        if one.uid == asking["version"]:
            return answer({**asking.shown.version(asset, one), "content": one.content})
    raise Refused(404, "Not found.")


async def as_xml(asking: Asking) -> Response:
    asset = asking.asset()
    text = xform.preview(asset.uid, asset.name, asset.workbook, asset.content)
    named = {"Content-Disposition": f"attachment; filename={asset.uid}.xml"}
    return Response(text, headers=named, media_type="application/xml")


async def as_workbook(asking: Asking) -> Response:
    asset = asking.asset()
    named = {"Content-Disposition": f"attachment; filename={asset.uid}.xlsx"}
    given = _given_back(asset.workbook) if asset.workbook else asset.workbook
    return Response(given, headers={**named, "Content-Type": f"{_XLSX}; charset=utf-8"})


def _given_back(workbook: bytes) -> bytes:
    """The real one writes it anew from its content: without a title, and with a blank for each no-break space."""
    book = load_workbook(BytesIO(workbook), data_only=True)
    for sheet in book:
        for column in sheet.iter_cols():
            for cell in column:
                if isinstance(cell.value, str):
                    cell.value, cell.data_type = cell.value.replace("\u00a0", " "), "s"
            if sheet.title == "settings" and column[0].value in ("form_title", "title"):
                for cell in column:
                    cell.value = None
    written = BytesIO()
    book.save(written)
    return written.getvalue()
