"""Endpoints of imports and deployments."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import UploadFile
from starlette.responses import Response

from tests.lookalikes.kobo.asking import Asking, Refused, answer, broken
from tests.lookalikes.kobo.asset import Asset
from tests.lookalikes.kobo.content import ImportRefused, content_of, summary_of
from tests.lookalikes.kobo.marks import micro, now, uid
from tests.lookalikes.kobo.state import State
from tests.lookalikes.kobo.xform import NotBuilt


@dataclass
class Import:
    """An import that is under way or has ended; `polls` says how often it still answers `processing`."""

    owner: str
    polls: int
    uid: str = field(default_factory=lambda: uid("i"))
    created: datetime = field(default_factory=now)
    status: str = "complete"
    messages: dict[str, Any] = field(default_factory=dict)


async def imports(asking: Asking) -> Response:
    if asking.request.method == "GET":
        return broken(html=True)  # seen: the list of imports is an error of the server
    user = asking.must_be_somebody().name
    body = await asking.body()
    made = Import(user, asking.state.polls)
    encoded = body.get("base64Encoded")
    if encoded is not None and "base64," not in encoded:
        return broken()
    workbook = await _workbook(body)
    try:
        # The work is done here; only who asks for the status is kept waiting.
        made.messages = _imported(asking.state, made, body, workbook)
    except ImportRefused as refused:
        made.status = "error"
        made.messages = {"error": refused.text, "error_type": refused.kind}
    asking.state.imports[made.uid] = made
    shown = {"uid": made.uid, "url": asking.shown.url(f"imports/{made.uid}/"), "status": "processing"}
    return answer(shown, 201)


async def _workbook(body: dict[str, Any]) -> bytes:
    file = body.get("file")
    if isinstance(file, UploadFile):
        return await file.read()
    try:
        return base64.b64decode(str(body.get("base64Encoded", "")).partition("base64,")[2])
    except binascii.Error:
        return b""


def _imported(state: State, made: Import, body: dict[str, Any], workbook: bytes) -> dict[str, Any]:
    target = _destination(state, body.get("destination"), made.owner)
    if target is None:
        return {"created": [_brief(_created(state, made, body, workbook))]}
    title, content = content_of(workbook)
    old = target.name
    with state.lock:
        target.replace(title, content, workbook)
    log = {
        "source": "Python Requests (Other)",
        "asset_id": list(state.assets).index(target.uid) + 1,
        "new_name": target.name,
        "old_name": old,
        "asset_uid": target.uid,
        "ip_address": "127.0.0.1",
        "project_owner": target.owner,
        "latest_version_uid": target.version_id,
    }
    return {"updated": [_brief(target)], "audit_logs": [log]}


def _created(state: State, made: Import, body: dict[str, Any], workbook: bytes) -> Asset:
    library = str(body.get("library", "true")).lower() not in {"false", "0"}
    name = str(body.get("name", "")).removesuffix(".xlsx").removesuffix(".xls")
    try:
        title, content = content_of(workbook)
    except ImportRefused as refused:
        if refused.kind == "XlsFormatException":
            # Counted in the recorded lists: a file that is no workbook leaves an empty form behind.
            state.add_asset(Asset(name, made.owner, {}))
        raise
    asset = Asset(title or name, made.owner, content, workbook)
    asset.asset_type = "block" if library else "survey"
    return state.add_asset(asset)


def _destination(state: State, destination: str | None, user: str) -> Asset | None:
    if not destination:
        return None
    steps = urlsplit(destination).path.strip("/").split("/")
    if len(steps) < 4:
        raise ImportRefused("Resolver404", f"{{'path': '{destination}'}}")
    asset = state.assets.get(steps[-1])
    if asset is None:
        raise ImportRefused("Http404", "No Asset matches the given query.")
    if not asset.can(user, "change_asset"):
        raise ImportRefused("PermissionDenied", "user cannot update asset")
    return asset


def _brief(asset: Asset) -> dict[str, Any]:
    return {
        "uid": asset.uid,
        "kind": "asset",
        "summary": summary_of(asset.content),
        "owner__username": asset.owner,
    }


async def import_status(asking: Asking) -> Response:
    made = asking.state.imports.get(asking["import_"])
    if made is None or made.owner != asking.must_be_somebody().name:
        raise Refused(404, "No ImportTask matches the given query.")
    shown = {"status": made.status, "uid": made.uid, "messages": made.messages, "date_created": micro(made.created)}
    if made.polls:
        made.polls -= 1
        shown.update(status="processing", messages={})
    return answer(shown)


async def deployment(asking: Asking) -> Response:
    method = asking.request.method
    if method == "GET":
        asset = asking.asset()
        if asset.deployed is None:
            raise Refused(404, "Not found.")
        return answer(asking.shown.deployment(asset, asking.name))
    if method == "DELETE":
        raise Refused(405, 'Method "DELETE" not allowed.')
    asset = asking.asset("change_asset")
    body = await asking.body()
    active = str(body.get("active", "false")).lower() == "true"
    if method == "POST":
        if asset.deployed is not None:
            raise Refused(405, "Use PATCH to update an existing deployment")
        _deploy(asking, asset, "deploy")
    elif "version_id" in body:
        if body["version_id"] != asset.version_id:
            return broken()
        _deploy(asking, asset, "redeploy")
    else:
        asking.state.note(asset, asking.name, "unarchive" if active else "archive")
    asset.active = active
    return answer(asking.shown.deployment(asset, asking.name))


def _deploy(asking: Asking, asset: Asset, action: str) -> None:
    try:
        asking.state.deploy(asset)
    except NotBuilt as refused:
        raise Refused(400, {"error": str(refused)}) from None
    asking.state.note(asset, asking.name, action)
