"""Endpoints of what goes with a form: its media files, its rights, its history."""

from __future__ import annotations

import base64
import json
import mimetypes
from typing import Any

from starlette.datastructures import UploadFile
from starlette.responses import Response

from tests.lookalikes.kobo.asking import Asking, Refused, answer, broken
from tests.lookalikes.kobo.asset import ANONYMOUS, IMPLIED, Asset, Media
from tests.lookalikes.kobo.marks import now, seconds, uid
from tests.lookalikes.kobo.search import compiled
from tests.lookalikes.kobo.shown import paged
from tests.lookalikes.kobo.state import Event

_ALLOWED = ("image/", "audio/", "video/", "text/csv", "application/xml", "application/zip", "application/geo+json")
_REFUSED_TYPE = (
    "Only `image`, `audio`, `video`, `text/csv`, `application/xml`, `application/zip`, "
    "`application/geo+json` MIME types are allowed"
)
_EXTRA_TYPES = {".geojson": "application/geo+json", ".csv": "text/csv", ".xml": "application/xml"}


async def files(asking: Asking) -> Response:
    if asking.request.method == "GET":
        asset = asking.asset()
        kind = asking.query.get("file_type")
        shown = [asking.shown.file(asset, one) for one in asset.files if kind in {None, one.file_type}]
        return answer(paged(shown))
    asset = asking.asset("change_asset")
    body = await asking.body()
    if "metadata" not in body and "base64Encoded" not in body:
        return broken()  # seen
    name = json.loads(body["metadata"])["filename"]
    suffix = "." + name.rpartition(".")[2].lower()
    mimetype = _EXTRA_TYPES.get(suffix) or mimetypes.guess_type(name)[0] or ""
    if not mimetype.startswith(_ALLOWED):
        raise Refused(400, {"content": [_REFUSED_TYPE]})
    if any(one.name == name for one in asset.files):
        raise Refused(400, {"content": ["File already exists"]})
    content = await _content(body)
    kind = str(body.get("file_type", "form_media"))
    media = Media(uid("af"), name, content, mimetype, str(body.get("description", "")), kind, now())
    asset.files.append(media)
    asking.state.note(asset, asking.name, "add-media")
    location = asking.shown.url(f"assets/{asset.uid}/files/{media.uid}/")
    return answer(asking.shown.file(asset, media), 201, {"Location": location})


async def _content(body: dict[str, Any]) -> bytes:
    file = body.get("content")
    if isinstance(file, UploadFile):
        return await file.read()
    return base64.b64decode(str(body["base64Encoded"]).partition("base64,")[2])


def _file(asset: Asset, name: str) -> Media:
    for one in asset.files:
        if one.uid == name:
            return one
    raise Refused(404, "Not found.")


async def file(asking: Asking) -> Response:
    if asking.request.method == "DELETE":
        asset = asking.asset("change_asset")
        asset.files.remove(_file(asset, asking["file"]))
        return answer(None, 204)
    asset = asking.asset()
    return answer(asking.shown.file(asset, _file(asset, asking["file"])))


async def file_content(asking: Asking) -> Response:
    media = _file(asking.asset(), asking["file"])
    named = f"attachment; filename*=UTF-8''{media.name}"
    return Response(media.content, headers={"Content-Disposition": named, "Content-Type": media.mimetype})


async def rights(asking: Asking) -> Response:
    if asking.request.method == "GET":
        asset = asking.asset()
        return answer(asking.shown.rights(asset, asking.name))
    asset = asking.asset("manage_asset")
    holder, right = _granted(asking, asset, await asking.body())
    shown = asking.shown.right(asset, holder, right)
    return answer(shown, 201, {"Location": shown["url"]})


def _granted(asking: Asking, asset: Asset, body: dict[str, Any]) -> tuple[str, str]:
    holder = str(body.get("user", "")).partition("?")[0].strip("/").rpartition("/")[2]
    right = str(body.get("permission", "")).partition("?")[0].strip("/").rpartition("/")[2]
    for name, known in (("user", {*asking.state.users, ANONYMOUS}), ("permission", set(IMPLIED))):
        if (holder if name == "user" else right) not in known:
            raise Refused(400, {name: ["Invalid hyperlink - Object does not exist."]})
    if right == "partial_submissions":
        asset.partial[holder] = body["partial_permissions"]
    asset.grant(holder, right)
    return holder, right


async def rights_in_bulk(asking: Asking) -> Response:
    """Gives what the list says, and takes what it does not say from everybody but the owner."""
    asset = asking.asset("manage_asset")
    wanted = (await asking.body())[""]
    for holder, right in list(asset.rights):
        if holder != asset.owner:
            kept = any(holder in one["user"] and right in one["permission"] for one in wanted)
            if not kept:
                del asset.rights[holder, right]
    for one in wanted:
        _granted(asking, asset, one)
    return answer(asking.shown.rights(asset, asking.name))


async def right(asking: Asking) -> Response:
    asset = asking.asset("manage_asset")
    for key, name in list(asset.rights.items()):
        if name == asking["right"]:
            del asset.rights[key]
            return answer(None, 204)
    raise Refused(404, "Not found.")


async def history(asking: Asking) -> Response:
    asking.must_be_somebody()
    asset = asking.asset("manage_asset")
    events = list(reversed(asking.state.history[asset.uid]))
    words = asking.query.get("q")
    if words:
        test = compiled(words, "action")
        events = [one for one in events if test(_searched(one))]
    start, end, after, before = asking.page(len(events), 100, 1000)
    results = [_event(asking, asset, one) for one in events[start:end]]
    return answer({"count": len(events), "next": after, "previous": before, "results": results})


def _searched(event: Event) -> dict[str, str]:
    return {
        "date_created": seconds(event.moment),
        "action": event.action,
        "username": event.user,
        "metadata__submission__root_uuid": event.root,
    }


def _event(asking: Asking, asset: Asset, event: Event) -> dict[str, Any]:
    known = asking.state.users.get(event.user)
    whose = {"root_uuid": event.root, "submitted_by": event.by or ANONYMOUS, **event.more}
    submission = {"submission": whose} if event.root else {}
    return {
        "user": asking.shown.url(f"users/{event.user}/"),
        "user_uid": known.uid if known else "uAnonymous000000000000",
        "username": event.user,
        "action": event.action,
        "metadata": {
            "source": "Python Requests (Other)",
            "asset_uid": asset.uid,
            "ip_address": "127.0.0.1",
            **submission,
            "log_subtype": "project",
            "project_owner": asset.owner,
        },
        "date_created": seconds(event.moment),
    }


async def history_actions(asking: Asking) -> Response:
    asset = asking.asset("manage_asset")
    return answer({"actions": sorted({one.action for one in asking.state.history[asset.uid]})})
