"""Forms for staff: created, drafted, published, listed, opened and closed, deleted and restored."""

from __future__ import annotations

from starlette.responses import Response

from . import forming
from .build import XLS, XLSX, build
from .call import Call, Routes
from .definition import Definition
from .problems import not_found, unexpected
from .records import Blob, Edition, Form
from .replies import file_reply, json_reply, success, xml_reply
from .shapes import form_extra, form_json, media_json

routes = Routes()
_STATES = ("open", "closing", "closed")


@routes.on("POST", "/projects/{project}/forms")
def create(call: Call) -> Response:
    project = call.project()
    call.need("form.create", project)
    assert call.actor is not None
    definition = _built(call)
    form = forming.add_form(call.store, project, definition, _workbook(call), call.actor)
    if call.query.get("publish") == "true":
        forming.publish(call.store, form, call.actor, at_once=True)
    return json_reply(form_json(form))


@routes.on("GET", "/projects/{project}/forms")
def listing(call: Call) -> Response:
    project = call.project()
    call.need("form.list", project)
    if call.query.get("deleted") == "true":
        call.need("form.restore", project)
        gone = project.deleted_forms
        return json_reply([{**form_json(each), "deletedAt": each.deleted_at, "id": each.number} for each in gone])
    forms = project.forms.values()
    return json_reply([{**form_json(each), **(form_extra(each) if call.extended else {})} for each in forms])


@routes.on("GET", "/projects/{project}/forms/{form}")
def get(call: Call) -> Response:
    form = call.form("form.read")
    more = {**form_extra(form), "publishNotes": None} if call.extended else {}
    return json_reply({**form_json(form), **more})


@routes.on("PATCH", "/projects/{project}/forms/{form}")
def change(call: Call) -> Response:
    form = call.form("form.update")
    state = call.json().get("state", form.state)
    if state not in _STATES:
        raise unexpected("state", state, "not a recognized state name")
    form.state, form.updated_at = state, call.store.now()
    return json_reply(form_json(form))


@routes.on("DELETE", "/projects/{project}/forms/{form}")
def delete(call: Call) -> Response:
    forming.delete_form(call.store, call.form("form.delete"))
    return success()


@routes.on("POST", "/projects/{project}/forms/{number}/restore")
def restore(call: Call) -> Response:
    project = call.project()
    call.need("form.restore", project)
    forming.restore_form(project, int(call.parts["number"]) if call.parts["number"].isdigit() else 0)
    return success()


@routes.on("GET", "/projects/{project}/forms/{form}.xml")
def xml(call: Call) -> Response:
    return xml_reply(_readable(call).definition.xml)


@routes.on("GET", "/projects/{project}/forms/{form}.xlsx")
def workbook(call: Call) -> Response:
    form = call.form("form.read")
    return _workbook_reply(form.form_id, form.shown)


@routes.on("GET", "/projects/{project}/forms/{form}/fields")
def fields(call: Call) -> Response:
    return _fields(call, call.form("form.read").shown)


@routes.on("GET", "/projects/{project}/forms/{form}/versions")
def versions(call: Call) -> Response:
    form = call.form("form.read")
    return json_reply([form_json(form, each) for each in reversed(form.published)])


@routes.on("GET", "/projects/{project}/forms/{form}/versions/{version}")
def version(call: Call) -> Response:
    return json_reply(form_json(*_version(call)))


@routes.on("GET", "/projects/{project}/forms/{form}/versions/{version}.xml")
def version_xml(call: Call) -> Response:
    return xml_reply(_version(call)[1].definition.xml)


@routes.on("GET", "/projects/{project}/forms/{form}/versions/{version}/fields")
def version_fields(call: Call) -> Response:
    return _fields(call, _version(call)[1])


@routes.on("GET", "/projects/{project}/forms/{form}/attachments")
def files(call: Call) -> Response:
    return _files(call.form("form.read").shown)


@routes.on("GET", "/projects/{project}/forms/{form}/attachments/{name}")
def file(call: Call) -> Response:
    return _file(_readable(call), call.parts["name"])


@routes.on("POST", "/projects/{project}/forms/{form}/draft")
def draft(call: Call) -> Response:
    form = call.form("form.update")
    if call.body:
        forming.set_draft(call.store, form, _built(call), _workbook(call))
    else:
        forming.copy_draft(call.store, form)
    return success()


@routes.on("GET", "/projects/{project}/forms/{form}/draft")
def get_draft(call: Call) -> Response:
    form, edition = _draft(call, "form.read")
    return json_reply(form_json(form, edition))


@routes.on("DELETE", "/projects/{project}/forms/{form}/draft")
def delete_draft(call: Call) -> Response:
    form, _ = _draft(call, "form.update")
    if not form.published:
        raise not_found()
    form.draft = None
    return success()


@routes.on("POST", "/projects/{project}/forms/{form}/draft/publish")
def publish(call: Call) -> Response:
    form, _ = _draft(call, "form.update")
    assert call.actor is not None
    forming.publish(call.store, form, call.actor, call.query.get("version"))
    return success()


@routes.on("GET", "/projects/{project}/forms/{form}/draft.xml")
def draft_xml(call: Call) -> Response:
    return xml_reply(_draft(call, "form.read")[1].definition.xml)


@routes.on("GET", "/projects/{project}/forms/{form}/draft.xlsx")
def draft_workbook(call: Call) -> Response:
    form, edition = _draft(call, "form.read")
    return _workbook_reply(form.form_id, edition)


@routes.on("GET", "/projects/{project}/forms/{form}/draft/fields")
def draft_fields(call: Call) -> Response:
    return _fields(call, _draft(call, "form.read")[1])


@routes.on("GET", "/projects/{project}/forms/{form}/draft/attachments")
def draft_files(call: Call) -> Response:
    return _files(_draft(call, "form.read")[1])


@routes.on("GET", "/projects/{project}/forms/{form}/draft/attachments/{name}")
def draft_file(call: Call) -> Response:
    return _file(_draft(call, "form.read")[1], call.parts["name"])


@routes.on("POST", "/projects/{project}/forms/{form}/draft/attachments/{name}")
def upload(call: Call) -> Response:
    _, edition = _draft(call, "form.update")
    kind = call.headers.get("content-type", "application/octet-stream")
    name = call.parts["name"]
    blob = forming.set_file(call.store, edition, name, call.body, kind)
    return json_reply(media_json(name, dict(edition.definition.media)[name], blob))


@routes.on("DELETE", "/projects/{project}/forms/{form}/draft/attachments/{name}")
def remove_file(call: Call) -> Response:
    _, edition = _draft(call, "form.update")
    if edition.media.get(call.parts["name"]) is None:
        raise not_found()
    edition.media[call.parts["name"]] = None
    return success()


def _built(call: Call) -> Definition:
    kind = call.headers.get("content-type", "")
    fallback = call.headers.get("x-xlsform-formid-fallback", "")
    return build(call.body, kind, fallback, ignore_warnings=call.query.get("ignoreWarnings") == "true")


def _workbook(call: Call) -> Blob | None:
    kind = call.headers.get("content-type", "").partition(";")[0]
    return forming.make_blob(call.body, kind, call.store.now()) if kind in {XLSX, XLS} else None


def _workbook_reply(form_id: str, edition: Edition) -> Response:
    blob = edition.workbook
    if blob is None:
        raise not_found()
    return file_reply(blob.content, blob.content_type, f"{form_id}.xlsx", f'"{blob.md5}"')


def _readable(call: Call) -> Edition:
    """The form for staff, or for a phone that may fill it in."""
    verbs_form = call.project().forms.get(call.parts["form"])
    verbs = call.store.people.verbs(call.actor, form=verbs_form)
    return call.form("form.read" if "form.read" in verbs else "open_form.read").shown


def _draft(call: Call, verb: str) -> tuple[Form, Edition]:
    form = call.form(verb)
    if form.draft is None:
        raise not_found()
    return form, form.draft


def _version(call: Call) -> tuple[Form, Edition]:
    form = call.form("form.read")
    # Central writes `___` where a form has no version.
    edition = form.edition(call.parts["version"].replace("___", ""))
    if edition is None:
        raise not_found()
    return form, edition


def _fields(call: Call, edition: Edition) -> Response:
    odata = call.query.get("odata") == "true"
    return json_reply([field.to_json(odata=odata) for field in edition.definition.fields])


def _files(edition: Edition) -> Response:
    return json_reply([media_json(name, kind, edition.media.get(name)) for name, kind in edition.definition.media])


def _file(edition: Edition, name: str) -> Response:
    blob = edition.media.get(name)
    if blob is None:
        raise not_found()
    return file_reply(blob.content, blob.content_type, name, f'"{blob.md5}"')
