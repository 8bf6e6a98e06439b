"""Submissions for staff: one by one, with their editions, files, comments, reviews and log."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, unquote

from starlette.responses import Response

from . import receiving
from .call import Call, Routes
from .incoming import Incoming, read_incoming
from .openrosa import edition_for
from .problems import Refused, exists, missing, not_found, outdated, unexpected
from .records import Audit, Form, Submission, Version
from .replies import event_tag, file_reply, json_reply, success, unchanged, xml_reply
from .shapes import submission_json, version_json

routes = Routes()
_ALL = "/projects/{project}/forms/{form}/submissions"
_ONE = f"{_ALL}/{{instance}}"


@routes.on("GET", _ALL)
def listing(call: Call) -> Response:
    form = call.form("submission.list")
    deleted = call.query.get("deleted") == "true"
    found = [each for each in form.table.newest_first() if bool(each.deleted_at) == deleted]
    first = int(call.query.get("offset", 0))
    shown = found[first : first + int(call.query["limit"])] if "limit" in call.query else found[first:]
    tag = event_tag([each.event for each in shown])
    if call.headers.get("if-none-match") == tag:
        return unchanged(tag)
    return json_reply([submission_json(each, extended=call.extended) for each in shown], 200, {"ETag": tag})


@routes.on("POST", _ALL)
def create(call: Call) -> Response:
    form = call.form("submission.create")
    incoming = _incoming(call, form)
    if form.table.get(incoming.instance_id) is not None:
        call.store.number("submission")  # the real one's database has counted it already
        raise exists("submissions", formId=form.number, instanceId=incoming.instance_id, draft="f")
    edition = edition_for(form, incoming)
    made = receiving.create(call.store, form, form.table, edition, incoming, call.body, _sender(call))
    said = submission_json(made)
    del said["reviewState"], said["deletedAt"]
    return json_reply(said)


@routes.on("GET", f"{_ALL}/keys")
def keys(call: Call) -> Response:
    form = call.form("submission.read")
    used = {each.current.form.key for each in form.table.newest_first() if each.current.sealed}
    return json_reply([key.to_json() for key in sorted(filter(None, used), key=lambda key: key.id)])


@routes.on("GET", _ONE)
def get(call: Call) -> Response:
    form = call.form("submission.read")
    instance = call.parts["instance"]
    if form.table.get(instance) is None and instance in form.table.by_instance:
        return _moved(call, form)
    _, found = call.submission("submission.read")
    return json_reply(submission_json(found, extended=call.extended))


def _moved(call: Call, form: Form) -> Response:
    """Where an edition is found that was asked for by its own id."""
    root = form.table.by_instance[call.parts["instance"]][0]
    base, _, last = call.path.rpartition("/")
    to = f"{base}/{quote(root.id, safe='')}/versions/{last}"
    said = f"Moved Permanently. Redirecting to {to}"
    return Response(said, 301, {"Location": to}, media_type="text/plain; charset=utf-8")


@routes.on("PUT", _ONE)
def edit(call: Call) -> Response:
    form, found = call.submission("submission.update")
    incoming = _incoming(call, form)
    if not incoming.deprecated_id:
        raise missing("deprecatedID")
    if incoming.deprecated_id != found.current.instance_id:
        raise outdated(incoming.deprecated_id)
    edition = edition_for(form, incoming)
    receiving.edit(call.store, form, form.table, edition, incoming, call.body, _sender(call))
    return json_reply(submission_json(found))


@routes.on("PATCH", _ONE)
def review(call: Call) -> Response:
    form, found = call.submission("submission.update")
    given = call.json()
    if "reviewState" not in given:
        raise missing("reviewState")
    notes = call.headers.get("x-action-notes")
    assert call.actor is not None
    receiving.review(call.store, form, found, given["reviewState"], call.actor, unquote(notes) if notes else None)
    return json_reply(submission_json(found, current=False))


@routes.on("DELETE", _ONE)
def delete(call: Call) -> Response:
    receiving.delete(call.store, *call.submission("submission.delete"), call.actor)
    return success()


@routes.on("POST", f"{_ONE}/restore")
def restore(call: Call) -> Response:
    form = call.form("submission.restore")
    found = form.table.get(call.parts["instance"])
    if found is None:
        raise not_found()
    receiving.restore(call.store, form, found, call.actor)
    return success()


@routes.on("GET", f"{_ONE}.xml")
def xml(call: Call) -> Response:
    form, instance = call.form("submission.read"), call.parts["instance"]
    if form.table.get(instance) is None and instance in form.table.by_instance:
        return _moved(call, form)
    return xml_reply(call.submission("submission.read")[1].current.xml)


@routes.on("GET", f"{_ONE}/versions")
def versions(call: Call) -> Response:
    _, found = call.submission("submission.read")
    return json_reply([_version_json(found, each, call) for each in reversed(found.versions)])


@routes.on("GET", f"{_ONE}/versions/{{edition}}")
def version(call: Call) -> Response:
    found, edition = _version(call)
    return json_reply(_version_json(found, edition, call))


@routes.on("GET", f"{_ONE}/versions/{{edition}}.xml")
def version_xml(call: Call) -> Response:
    return xml_reply(_version(call)[1].xml)


@routes.on("GET", f"{_ONE}/attachments")
def files(call: Call) -> Response:
    _, found = call.submission("submission.read")
    return json_reply([{"name": name, "exists": blob is not None} for name, blob in sorted(found.attachments.items())])


@routes.on("GET", f"{_ONE}/attachments/{{name}}")
def file(call: Call) -> Response:
    _, found = call.submission("submission.read")
    name = call.parts["name"]
    blob = found.attachments.get(name)
    if blob is None:
        raise not_found()
    tag = f'"{blob.md5}"'
    if call.headers.get("if-none-match") == tag:
        return unchanged(tag)
    return file_reply(blob.content, blob.content_type, name, tag, "inline")


@routes.on("POST", f"{_ONE}/attachments/{{name}}")
def upload(call: Call) -> Response:
    form, found = call.submission("submission.update")
    kind = call.headers.get("content-type", "application/octet-stream")
    receiving.attach(call.store, form, found, call.parts["name"], call.body, kind, _sender(call))
    return success()


@routes.on("DELETE", f"{_ONE}/attachments/{{name}}")
def clear(call: Call) -> Response:
    form, found = call.submission("submission.update")
    receiving.clear(call.store, form, found, call.parts["name"], call.actor)
    return success()


@routes.on("GET", f"{_ONE}/comments")
def comments(call: Call) -> Response:
    _, found = call.submission("submission.read")
    plain = [{name: text for name, text in each.items() if name != "actor"} for each in found.comments]
    return json_reply(list(reversed(found.comments if call.extended else plain)))


@routes.on("POST", f"{_ONE}/comments")
def comment(call: Call) -> Response:
    _, found = call.submission("submission.read")
    body = call.json().get("body")
    if not body:
        raise missing("body")
    assert call.actor is not None
    said = {"body": body, "actorId": call.actor.id, "createdAt": call.store.now()}
    found.comments.append({**said, "actor": call.actor.to_json()})
    return json_reply(said)


@routes.on("GET", f"{_ONE}/audits")
def audits(call: Call) -> Response:
    _, found = call.submission("submission.read")
    return json_reply([_audit(line, extended=call.extended) for line in reversed(found.audits)])


def _audit(line: Audit, *, extended: bool) -> dict[str, Any]:
    said = line.to_json()
    if extended:
        said["details"]["entity"] = {"entityAvailable": False}
        said["actor"] = line.actor.to_json() if line.actor else None
    return said


def _version(call: Call) -> tuple[Submission, Version]:
    _, found = call.submission("submission.read")
    edition = next((each for each in found.versions if each.instance_id == call.parts["edition"]), None)
    if edition is None:
        raise not_found()
    return found, edition


def _version_json(found: Submission, edition: Version, call: Call) -> dict[str, Any]:
    more = {"formVersion": edition.form.definition.version} if call.extended else {}
    return {**version_json(found, edition, extended=call.extended), **more}


def _incoming(call: Call, form: Form) -> Incoming:
    incoming = read_incoming(call.body)
    if incoming.form_id != form.form_id:
        reason = f"did not match the form ID in the URL ({form.form_id})"
        raise unexpected("form ID", incoming.form_id, reason)
    if form.state == "closed":
        raise Refused(409.2, "This form is not currently accepting submissions.")
    return incoming


def _sender(call: Call) -> receiving.Sender:
    return receiving.Sender(call.actor, call.query.get("deviceID"), call.headers.get("user-agent"))
