"""Endpoints that change submissions: review states, edits in bulk, deletion of submissions and attachments."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from starlette.responses import Response

from tests.lookalikes.kobo import instances
from tests.lookalikes.kobo.asking import Asking, Refused, answer
from tests.lookalikes.kobo.asset import Asset
from tests.lookalikes.kobo.data import found
from tests.lookalikes.kobo.marks import new_uuid
from tests.lookalikes.kobo.query import select
from tests.lookalikes.kobo.rows import Row
from tests.lookalikes.kobo.state import LABELS

_UID = "validation_status.uid"


async def status(asking: Asking) -> Response:
    method = asking.request.method
    asset = asking.asset("view_submissions" if method == "GET" else "validate_submissions")
    row = found(asking, asset)
    if method == "GET":
        return answer(row.status)
    if method == "DELETE":
        asking.state.mark(asset, row, "", asking.name)
        return answer(None, 204)
    asking.state.mark(asset, row, _status_in(await asking.body()), asking.name)
    return answer(row.status)


def _status_in(body: dict[str, Any]) -> str:
    status = str(body.get(_UID, ""))
    if status not in LABELS:
        raise Refused(400, f"Invalid validation status: `{status}`")
    return status


async def statuses(asking: Asking) -> Response:
    asset = asking.asset("validate_submissions")
    payload = await _payload(asking)
    rows = _chosen(asset, payload)
    status = "" if asking.request.method == "DELETE" else _status_in(payload)
    for row in rows:
        asking.state.mark(asset, row, status, asking.name)
    return answer({"detail": f"{len(rows)} submissions have been updated"})


async def _payload(asking: Asking) -> dict[str, Any]:
    payload = (await asking.body()).get("payload")
    if not isinstance(payload, dict):
        raise Refused(400, {"payload": ["This field is required."]})
    return payload


def _chosen(asset: Asset, payload: dict[str, Any]) -> list[Row]:
    if "submission_ids" in payload:
        numbers = sorted(int(one) for one in payload["submission_ids"])
        return [asset.rows.by_number[one] for one in numbers if one in asset.rows.by_number]
    return [asset.rows.by_number[one] for one in select(asset.rows, payload.get("query", {}))]


async def bulk(asking: Asking) -> Response:
    if asking.request.method == "DELETE":
        asset = asking.asset("delete_submissions")
        rows = _chosen(asset, await _payload(asking))
        for row in rows:
            asking.state.remove(asset, row, asking.name)
        return answer({"detail": f"{len(rows)} submissions have been deleted"})
    asset = asking.asset("change_submissions")
    payload = await _payload(asking)
    rows = _chosen(asset, payload)
    if not rows:
        raise Refused(400, ["No submissions match the given `submission_ids`"])
    if any(row.form != asset.uid for row in rows):
        raise Refused(404, "Not found.")  # seen: a submission that was sent under another form's id
    results = [_edited(asking, asset, row, payload["data"]) for row in rows]
    good = sum(one["status_code"] == 201 for one in results)
    said = {"count": len(rows), "successes": good, "failures": len(rows) - good, "results": results}
    return answer(said, 200 if good else 400)


def _edited(asking: Asking, asset: Asset, row: Row, data: dict[str, str]) -> dict[str, Any]:
    if not asset.active:
        return {"uuid": new_uuid(), "root_uuid": None, "status_code": 400, "message": "Form is not active"}
    answers = deepcopy(row.answers)
    for path, value in data.items():
        instances.put(answers, path, value)
    answers["meta/instanceID"] = f"uuid:{new_uuid()}"
    fresh = asking.state.edit(f"uuid:{row.root}", answers, by=asking.name)
    return {"uuid": fresh, "root_uuid": row.root, "status_code": 201, "message": "Successful submission"}


async def delete(asking: Asking) -> Response:
    asset = asking.asset("delete_submissions")
    asking.state.remove(asset, found(asking, asset), asking.name)
    return answer(None, 204)


async def attachments(asking: Asking) -> Response:
    """Deletes attachments, by their uids or of whole submissions."""
    asset = asking.asset("delete_submissions")
    body = await asking.body()
    uids = {body.get("attachment_uid"), *body.get("attachment_uids", [])}
    roots = set(body.get("submission_root_uuids", []))
    deleted = 0
    with asking.state.lock:
        for row in asset.rows.by_number.values():
            for one in row.files:
                if not one.deleted and (one.uid in uids or row.root in roots):
                    one.deleted = True
                    deleted += 1
                    row.changed()
    return answer({"message": f"{deleted} attachments deleted"}, 202)
