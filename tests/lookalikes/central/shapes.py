"""Forms and submissions as Central's JSON describes them."""

from __future__ import annotations

from typing import Any

from .records import Actor, Blob, Edition, Form, Submission, Version


def form_json(form: Form, edition: Edition | None = None) -> dict[str, Any]:
    """A form, as one of its editions."""
    edition = edition or form.shown
    definition = edition.definition
    return {
        "projectId": form.project.id,
        "xmlFormId": form.form_id,
        "state": form.state,
        "enketoId": None,
        "enketoOnceId": None,
        "createdAt": form.created_at,
        "updatedAt": form.updated_at,
        "webformsEnabled": True,
        "keyId": edition.key.id if edition.key else None,
        "version": definition.version,
        "hash": definition.digest("md5"),
        "sha": definition.digest("sha1"),
        "sha256": definition.digest("sha256"),
        "draftToken": edition.draft_token,
        "publishedAt": edition.published_at,
        "name": definition.name,
    }


def form_extra(form: Form) -> dict[str, Any]:
    """What X-Extended-Metadata adds to a form."""
    live = [each for each in form.table.newest_first() if not each.deleted_at]
    workbook = form.shown.workbook
    return {
        "submissions": len(live),
        "entityRelated": False,
        "reviewStates": {
            "received": sum(each.review is None for each in live),
            "hasIssues": sum(each.review == "hasIssues" for each in live),
            "edited": sum(each.review == "edited" for each in live),
        },
        "lastSubmission": live[0].created_at if live else None,
        "excelContentType": workbook.content_type if workbook else None,
        "publicLinks": 0,
        "createdBy": form.creator.to_json(),
    }


def media_json(name: str, kind: str, blob: Blob | None) -> dict[str, Any]:
    """A file of a form."""
    said = {
        "name": name,
        "type": kind,
        "hash": blob.md5 if blob else None,
        "exists": blob is not None,
        "blobExists": blob is not None,
        "datasetExists": False,
    }
    return said if blob is None else {**said, "updatedAt": blob.at, "size": len(blob.content)}


def submission_json(each: Submission, *, extended: bool = False, current: bool = True) -> dict[str, Any]:
    """A submission, with its current edition unless that is not wanted."""
    said: dict[str, Any] = {
        "instanceId": each.id,
        "submitterId": _id(each.first.submitter),
        "deviceId": each.first.device,
        "createdAt": each.created_at,
        "updatedAt": each.updated_at,
        "reviewState": each.review,
        "deletedAt": each.deleted_at,
    }
    if not current:
        return said
    said["userAgent"] = each.first.agent
    said["currentVersion"] = version_json(each, each.current, extended=extended)
    if extended:
        said["submitter"] = _person(each.first.submitter)
    return said


def version_json(each: Submission, version: Version, *, extended: bool = False) -> dict[str, Any]:
    """One edition of a submission."""
    said = {
        "submitterId": _id(version.submitter),
        "createdAt": version.created_at,
        "instanceName": version.name,
        "instanceId": version.instance_id,
        "current": version is each.current,
        "deviceId": version.device,
        "userAgent": version.agent,
    }
    return {**said, "submitter": _person(version.submitter)} if extended else said


def _id(actor: Actor | None) -> int | None:
    return actor.id if actor else None


def _person(actor: Actor | None) -> dict[str, Any] | None:
    return actor.to_json() if actor else None
