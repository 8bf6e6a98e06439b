"""What phones ask for: list of forms, manifest, sending of submissions."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote
from xml.sax.saxutils import escape

from starlette.responses import Response

from . import receiving
from .call import Call, Routes
from .incoming import Incoming, read_incoming
from .problems import Refused, forbidden, not_found
from .records import Edition, Form, Table
from .replies import openrosa, openrosa_message, openrosa_nothing

routes = Routes("openrosa")
_LIST: Final = '<?xml version="1.0" encoding="UTF-8"?>\n  <xforms xmlns="http://openrosa.org/xforms/xformsList">\n'
_MANIFEST: Final = (
    '<?xml version="1.0" encoding="UTF-8"?>\n  <manifest xmlns="http://openrosa.org/xforms/xformsManifest">\n'
)
_DISPOSITION: Final = re.compile(rb'\bname="([^"]*)"')
_KIND: Final = re.compile(rb"content-type:\s*([^\r\n]+)", re.IGNORECASE)


@routes.on("GET", "/projects/{project}/formList")
def form_list(call: Call) -> Response:
    _check_header(call)
    project = call.project()
    wanted = call.query.get("formID")
    listed = [
        _listed(call, form, form.shown, "")
        for form in project.forms.values()
        if form.published and form.state == "open" and _may_fill(call, form) and wanted in {None, form.form_id}
    ]
    return openrosa(f"{_LIST}{''.join(listed)}  </xforms>")


@routes.on("GET", "/projects/{project}/forms/{form}/manifest")
def manifest(call: Call) -> Response:
    _check_header(call)
    form = call.project().forms.get(call.parts["form"])
    if form is None or not form.published:
        raise not_found()
    if not _may_fill(call, form):
        raise forbidden()
    return _manifest(call, form, form.shown, "")


@routes.on("HEAD", "/projects/{project}/submission")
def head(call: Call) -> Response:
    _check_header(call)
    return openrosa_nothing()


@routes.on("POST", "/projects/{project}/submission")
def submit(call: Call) -> Response:
    _check_header(call)
    project = call.project()
    parts = _parts(call)
    incoming = read_incoming(parts["xml_submission_file"][0])
    form = project.forms.get(incoming.form_id)
    if form is None or not form.published:
        raise not_found()
    call.need("submission.create", form=form)
    if form.state == "closed":
        message = "This form is not currently accepting submissions. Please talk to your program staff if this is "
        raise Refused(409.2, message + "unexpected.")
    return _taken_in(call, form, form.table, edition_for(form, incoming), incoming, parts)


@routes.on("GET", "/projects/{project}/forms/{form}/draft/formList")
def draft_list(call: Call) -> Response:
    _check_header(call)
    form, edition = _draft(call)
    return openrosa(f"{_LIST}{_listed(call, form, edition, '/draft')}  </xforms>")


@routes.on("GET", "/projects/{project}/forms/{form}/draft/manifest")
def draft_manifest(call: Call) -> Response:
    _check_header(call)
    return _manifest(call, *_draft(call), "/draft")


@routes.on("POST", "/projects/{project}/forms/{form}/draft/submission")
def draft_submit(call: Call) -> Response:
    _check_header(call)
    form, edition = _draft(call)
    parts = _parts(call)
    incoming = read_incoming(parts["xml_submission_file"][0])
    return _taken_in(call, form, form.draft_table, edition, incoming, parts)


def edition_for(form: Form, incoming: Incoming) -> Edition:
    """The published edition that a submission was made with."""
    edition = form.edition(incoming.version)
    if edition is None or incoming.root is None:
        named = incoming.version
        message = f"The form version specified in this submission '{named}' does not exist."
        raise Refused(404.6, message, {"formVersion": named})
    return edition


def _taken_in(
    call: Call, form: Form, table: Table, edition: Edition, incoming: Incoming, parts: dict[str, tuple[bytes, str]]
) -> Response:
    xml = parts.pop("xml_submission_file")[0]
    device, agent = call.query.get("deviceID"), call.headers.get("user-agent")
    sender = receiving.Sender(call.actor, device, agent)
    known = table.by_instance.get(incoming.instance_id)
    if known is not None:
        submission, version = known
        if submission.deleted_at and not incoming.deprecated_id:
            call.store.number("submission")  # the real one's database has counted it already
            raise Refused(409.18, "This submission has been deleted. You may not resubmit it.")
        if version.xml != xml:
            message = "A submission already exists with this ID, but with different XML. Resubmissions to attach "
            raise Refused(409.1, message + "additional multimedia must resubmit an identical xml_submission_file.")
    elif incoming.deprecated_id:
        submission = receiving.edit(call.store, form, table, edition, incoming, xml, sender)
    else:
        submission = receiving.create(call.store, form, table, edition, incoming, xml, sender)
    for name, (content, kind) in parts.items():
        if name in submission.attachments:
            receiving.attach(call.store, form, submission, name, content, kind, sender)
    return openrosa_message("full submission upload was successful!", 201)


def _check_header(call: Call) -> None:
    if call.headers.get("x-openrosa-version") != "1.0":
        message = "An expected header field (X-OpenRosa-Version) did not match the expected format."
        raise Refused(400.6, message)


def _may_fill(call: Call, form: Form) -> bool:
    verbs = call.store.people.verbs(call.actor, form=form)
    return bool(verbs & {"form.read", "open_form.read"})


def _draft(call: Call) -> tuple[Form, Edition]:
    """The draft that the token of the path, or the right of the actor, gives access to."""
    form = call.project().forms.get(call.parts["form"])
    if form is None or form.draft is None:
        raise not_found()
    if call.draft_token != form.draft.draft_token:
        call.need("form.update", form=form)
    return form, form.draft


def _address(call: Call, form: Form, more: str) -> str:
    return f"{call.origin}/v1{call.secret}/projects/{form.project.id}/forms/{quote(form.form_id, safe='')}{more}"


def _listed(call: Call, form: Form, edition: Edition, more: str) -> str:
    definition = edition.definition
    lines = [
        f"<formID>{escape(form.form_id)}</formID>",
        f"<name>{escape(definition.name)}</name>",
        f"<version>{escape(definition.version)}</version>",
        f"<hash>md5:{definition.digest('md5')}</hash>",
        f"<downloadUrl>{_address(call, form, f'{more}.xml')}</downloadUrl>",
    ]
    if edition.media:
        lines.append(f"<manifestUrl>{_address(call, form, f'{more}/manifest')}</manifestUrl>")
    return "    <xform>\n" + "".join(f"      {line}\n" for line in lines) + "    </xform>\n"


def _manifest(call: Call, form: Form, edition: Edition, more: str) -> Response:
    listed = "".join(
        "    <mediaFile>\n"
        f"      <filename>{escape(name)}</filename>\n"
        f"      <hash>md5:{blob.md5}</hash>\n"
        f"      <downloadUrl>{_address(call, form, f'{more}/attachments/{quote(name)}')}</downloadUrl>\n"
        "    </mediaFile>\n"
        for name, blob in edition.media.items()
        if blob is not None
    )
    return openrosa(f"{_MANIFEST}{listed}  </manifest>")


def _parts(call: Call) -> dict[str, tuple[bytes, str]]:
    """The parts of a multipart body by name: content and type."""
    boundary = re.search(r'boundary="?([^";]+)', call.headers.get("content-type", ""))
    found: dict[str, tuple[bytes, str]] = {}
    for piece in call.body.split(b"--" + boundary.group(1).encode())[1:-1] if boundary else []:
        head, _, content = piece.partition(b"\r\n\r\n")
        name, kind = _DISPOSITION.search(head), _KIND.search(head)
        if name:
            shown = kind.group(1).decode() if kind else "application/octet-stream"
            found[name.group(1).decode()] = (content.removesuffix(b"\r\n"), shown)
    if "xml_submission_file" not in found:
        raise Refused(400.4, "Required multipart POST field xml_submission_file missing.")
    return found
