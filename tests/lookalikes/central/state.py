"""Direct ways for tests to change what the server has, and to ask for all of it."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Mapping
from typing import Any

from . import forming, receiving
from .build import XLSX, build
from .csvlayout import Layout, Options
from .incoming import read_incoming, write_xml
from .people import ROLE_IDS
from .records import Actor, Form, Key, Project, Submission
from .sealing import Sealed, new_key, private_pem, public_text, seal
from .store import Store

#: Canonical answers, or XML.
Content = Mapping[str, Any] | bytes


class State:
    """What tests do to the server behind its back. Every call is one step: no request sees half of it."""

    def __init__(self, store: Store, project: Project) -> None:
        self.store = store
        self.project = project
        self._places: dict[str, tuple[Form, Submission]] = {}
        self._lock: threading.RLock = store.lock

    def publish(
        self, workbook: bytes, media: Mapping[str, bytes] | None = None, *, content_type: str = XLSX, fallback: str = ""
    ) -> str:
        """Place a form (or a new version of it) with its files, as staff would; its form_id."""
        with self._lock:
            definition = build(workbook, content_type, fallback, ignore_warnings=True)
            blob = forming.make_blob(workbook, content_type, self.store.now())
            form = self.project.forms.get(definition.form_id)
            new = form is None
            if form is None:
                form = forming.add_form(self.store, self.project, definition, blob, self.store.admin)
            else:
                forming.set_draft(self.store, form, definition, blob)
            assert form.draft is not None
            for name, content in (media or {}).items():
                forming.set_file(self.store, form.draft, name, content, "application/octet-stream")
            forming.publish(self.store, form, self.store.admin, at_once=new)
            return form.form_id

    def new(
        self,
        form_id: str,
        content: Content,
        files: Mapping[str, bytes] | None = None,
        *,
        instance_id: str = "",
        version: str = "",
        device: str | None = None,
        submitter: Actor | None = None,
    ) -> str:
        """A submission comes in; its id. Files that are expected and not given are missing for now."""
        with self._lock:
            form = self.form(form_id)
            edition = form.edition(version) if version else form.shown
            assert edition is not None, f"{form_id} has no version {version}"
            if isinstance(content, bytes):
                xml = content
            else:
                xml = write_xml(edition.definition, content, instance_id or f"uuid:{uuid.uuid4()}")
            incoming = read_incoming(xml)
            edition = form.edition(incoming.version) or edition
            sender = receiving.Sender(submitter or self.store.admin, device, "look-alike")
            made = receiving.create(self.store, form, form.table, edition, incoming, xml, sender)
            self._places[made.id] = (form, made)
            for name, body in (files or {}).items():
                receiving.attach(self.store, form, made, name, body, "application/octet-stream", sender)
            return made.id

    def edit(
        self, submission_id: str, content: Content, files: Mapping[str, bytes] | None = None, *, instance_id: str = ""
    ) -> str:
        """Replace its answers by an edit; the new instanceID."""
        with self._lock:
            form, found = self._find(submission_id)
            xml = content
            if not isinstance(xml, bytes):
                new = instance_id or f"uuid:{uuid.uuid4()}"
                xml = write_xml(form.shown.definition, xml, new, deprecated_id=found.current.instance_id)
            incoming = read_incoming(xml)
            sender = receiving.Sender(self.store.admin, None, "look-alike")
            edition = form.edition(incoming.version) or form.shown
            receiving.edit(self.store, form, form.table, edition, incoming, xml, sender)
            for name, body in (files or {}).items():
                receiving.attach(self.store, form, found, name, body, "application/octet-stream", sender)
            return found.current.instance_id

    def review(self, submission_id: str, state: str | None, notes: str | None = None) -> None:
        """Set the review state, in Central's words: approved, rejected, hasIssues, edited, None."""
        with self._lock:
            form, found = self._find(submission_id)
            receiving.review(self.store, form, found, state, self.store.admin, notes)

    def delete(self, submission_id: str) -> None:
        with self._lock:
            receiving.delete(self.store, *self._find(submission_id), self.store.admin)

    def restore(self, submission_id: str) -> None:
        with self._lock:
            receiving.restore(self.store, *self._find(submission_id), self.store.admin)

    def purge(self, submission_id: str) -> None:
        """Forget a deleted submission altogether, as Central does after 30 days."""
        with self._lock:
            form, found = self._find(submission_id)
            form.table.remove(found)
            del self._places[found.id]

    def attach(self, submission_id: str, name: str, content: bytes) -> None:
        with self._lock:
            form, found = self._find(submission_id)
            sender = receiving.Sender(self.store.admin)
            receiving.attach(self.store, form, found, name, content, "application/octet-stream", sender)

    def clear(self, submission_id: str, name: str) -> None:
        with self._lock:
            receiving.clear(self.store, *self._find(submission_id), name, self.store.admin)

    def everything(self, form_id: str = "", *, deleted: bool = False) -> dict[str, dict[str, Any]]:
        """What the server has, by id: live submissions (or the deleted ones), of one form or of all."""
        with self._lock:
            forms = [self.form(form_id)] if form_id else list(self.project.forms.values())
            return {
                each.id: _facts(form, each)
                for form in forms
                for each in form.table.newest_first()
                if bool(each.deleted_at) == deleted
            }

    def app_user(self, name: str, *form_ids: str) -> Actor:
        """An app user with its key (`token`) and the right to fill in these forms."""
        with self._lock:
            people, project = self.store.people, self.project
            actor = people.add("field_key", name, self.store.now(), project_id=project.id, creator=self.store.admin)
            actor.token = uuid.uuid4().hex + uuid.uuid4().hex
            for form_id in form_ids:
                people.grant(actor, ROLE_IDS["app-user"], ("form", self.form(form_id).number))
            return actor

    def user(self, email: str, password: str, role: str) -> Actor:
        """A person with a role in the project: `manager`, `viewer`, `formfill`."""
        with self._lock:
            actor = self.store.people.add("user", email, self.store.now(), email=email, password=password)
            self.store.people.grant(actor, ROLE_IDS[role], ("project", self.project.id))
            return actor

    def encrypt(self, passphrase: str, hint: str | None = None) -> Key:
        """Turn on managed encryption for the project; its forms are encrypted from their next version on."""
        with self._lock:
            private = new_key()
            key = self.store.add_key(public_text(private), managed=True, hint=hint, passphrase=passphrase)
            key.private = private
            self.project.key, self.project.updated_at = key, self.store.now()
            return key

    def private_key(self, key: Key) -> bytes:
        """The private key of a managed key, as PEM."""
        return private_pem(key.private)

    def seal(
        self, form_id: str, content: Content, media: Mapping[str, bytes] | None = None, *, instance_id: str = ""
    ) -> Sealed:
        """A submission encrypted as a phone does, for `new(form_id, sealed.xml, sealed.files)`."""
        with self._lock:
            edition = self.form(form_id).shown
            instance_id = instance_id or f"uuid:{uuid.uuid4()}"
            plain = content if isinstance(content, bytes) else write_xml(edition.definition, content, instance_id)
            definition = edition.definition
            return seal(definition.public_key, form_id, definition.version, instance_id, plain, media)

    def warm(self, form_id: str) -> None:
        """Work out the CSV of every submission now, so that a measurement does not pay for it."""
        with self._lock:
            form = self.form(form_id)
            layout = Layout(form, form.shown, Options(deleted_fields=True))
            for each in form.table.newest_first():
                layout.lines(each)

    def form(self, form_id: str) -> Form:
        return self.project.forms[form_id]

    def _find(self, submission_id: str) -> tuple[Form, Submission]:
        if submission_id not in self._places:
            for form in self.project.forms.values():
                found = form.table.get(submission_id)
                if found is not None:
                    self._places[submission_id] = (form, found)
        return self._places[submission_id]


def _facts(form: Form, each: Submission) -> dict[str, Any]:
    current = each.current
    return {
        "form_id": form.form_id,
        "form_version": current.form.definition.version,
        "instance_id": current.instance_id,
        "xml": current.xml,
        "submitted_at": each.created_at,
        "updated_at": each.updated_at,
        "deleted_at": each.deleted_at,
        "review_state": each.review,
        "edits": len(each.versions) - 1,
        "submitter": each.first.submitter.name if each.first.submitter else None,
        "versions": [version.instance_id for version in each.versions],
        "attachments": {name: blob.content if blob else None for name, blob in each.attachments.items()},
    }
