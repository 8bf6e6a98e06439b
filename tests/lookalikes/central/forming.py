"""The life of a form: created, drafted, published, deleted, restored; with its files and its keys."""

from __future__ import annotations

import base64
import hashlib
import secrets
import uuid

from .definition import Definition, read_definition, with_key, with_version
from .people import ROLE_IDS
from .problems import Refused, exists, not_found
from .records import Actor, Blob, Edition, Form, Project
from .store import Store


def add_form(store: Store, project: Project, definition: Definition, workbook: Blob | None, actor: Actor) -> Form:
    """A new form with a draft.

    Raises:
        Refused: the project has one with this id.
    """
    if definition.form_id in project.forms:
        raise exists("forms", projectId=project.id, xmlFormId=definition.form_id)
    form = Form(store.number("form"), project, definition.form_id, str(uuid.uuid4()), store.now(), actor)
    project.forms[form.form_id] = form
    # Central gives each form an actor of its own, for previews.
    preview = store.people.add("singleUse", f"preview of {form.form_id}", store.now())
    store.people.grant(preview, ROLE_IDS["formview"], ("form", form.number))
    set_draft(store, form, definition, workbook)
    store.note("form.create", actor, form=form)
    return form


def set_draft(store: Store, form: Form, definition: Definition, workbook: Blob | None) -> None:
    """Replace the draft; files that an earlier edition has are carried over.

    Raises:
        Refused: it is another form, or it changes the type of a field.
    """
    if definition.form_id != form.form_id:
        message = f"The Form ID in the file ({definition.form_id}) does not match the Form ID ({form.form_id})."
        raise Refused(400.8, message, {"field": "xmlFormId", "value": definition.form_id, "reason": "differs"})
    _check_types(form, definition)
    if form.project.key is not None and not definition.public_key:
        version = f"{definition.version}{_version_suffix(store)}"
        definition = read_definition(with_version(with_key(definition.xml, form.project.key.public), version))
    key = store.add_key(definition.public_key) if definition.public_key else None
    before = form.draft or (form.published[-1] if form.published else None)
    carried = before.media if before else {}
    media = {name: carried.get(name) for name, _ in definition.media}
    token = secrets.token_urlsafe(48)
    form.draft = Edition(store.number("edition"), definition, workbook, media, key, token)


def copy_draft(store: Store, form: Form) -> None:
    """A draft that is the published edition again.

    Raises:
        Refused: nothing was published.
    """
    if not form.published:
        raise not_found()
    last = form.published[-1]
    number, token = store.number("edition"), secrets.token_urlsafe(48)
    form.draft = Edition(number, last.definition, last.workbook, dict(last.media), last.key, token)


def publish(store: Store, form: Form, actor: Actor, version: str | None = None, *, at_once: bool = False) -> None:
    """Make the draft the form that phones are given; `at_once`: in the step that created it.

    Raises:
        Refused: there is no draft, or its version was used before.
    """
    draft = form.draft
    if draft is None:
        raise not_found()
    if version is not None:
        draft.definition = read_definition(with_version(draft.definition.xml, version))
    named = draft.definition.version
    if form.edition(named) is not None:
        message = (
            f"You tried to publish the form '{form.form_id}' with version '{named}', but a published form has "
            "already existed in this project with those identifiers."
        )
        raise Refused(409.6, message, {"xmlFormId": form.form_id, "version": named})
    draft.published_at, draft.draft_token = store.now(), None
    if not at_once:
        form.updated_at = draft.published_at
    form.published.append(draft)
    form.draft = None
    store.note("form.update.publish", actor, form=form)


def set_file(store: Store, edition: Edition, name: str, content: bytes, content_type: str) -> Blob:
    """Give a draft one of its files.

    Raises:
        Refused: the form does not ask for such a file.
    """
    if name not in edition.media:
        raise not_found()
    blob = make_blob(content, content_type, store.now())
    edition.media[name] = blob
    return blob


def make_blob(content: bytes, content_type: str, at: str) -> Blob:
    return Blob(content, content_type, hashlib.md5(content).hexdigest(), at)


def delete_form(store: Store, form: Form) -> None:
    """Into the bin; its id is free again."""
    form.deleted_at = store.now()
    del form.project.forms[form.form_id]
    form.project.deleted_forms.append(form)


def restore_form(project: Project, number: int) -> None:
    """Out of the bin.

    Raises:
        Refused: it is not there, or its id was taken meanwhile.
    """
    form = next((each for each in project.deleted_forms if each.number == number), None)
    if form is None:
        raise not_found()
    if form.form_id in project.forms:
        raise exists("forms", projectId=project.id, xmlFormId=form.form_id)
    project.deleted_forms.remove(form)
    form.deleted_at = None
    project.forms[form.form_id] = form


def _version_suffix(store: Store) -> str:
    stamp = int(store.clock().timestamp() * 1000).to_bytes(6, "big")
    return f"[encrypted:{base64.b64encode(stamp).decode()}]"


def _check_types(form: Form, definition: Definition) -> None:
    types = {field.path: field.type for edition in form.published for field in edition.definition.fields}
    for field in definition.fields:
        was = types.get(field.path, field.type)
        if was != field.type and field.type != "string":
            path = "/" + "/".join(field.path)
            message = (
                f"The form you have uploaded attempts to change the type of the field at {path}. In a previous "
                f'version, it had the type "{was}". Please either return that field to its previous type, or rename '
                "the field so it lives at a new path."
            )
            raise Refused(400.17, message, {"path": path, "type": was})
