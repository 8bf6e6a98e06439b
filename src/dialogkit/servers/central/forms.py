"""ODK Central as a server that forms are placed on: draft, media, publish, and the way in for phones."""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Mapping
from typing import Any, Final
from xml.etree.ElementTree import tostring

from dialogkit import xml
from dialogkit.errors import ServerRefused
from dialogkit.model.host import PhoneAccess, Placed, Upload
from dialogkit.servers.central.session import CentralSession, quoted, refusal
from dialogkit.servers.exchange import Asked, Reply

_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_NOT_THERE, _TAKEN, _USED_VERSION, _OTHER_TYPE = 404.1, 409.3, 409.6, 400.17
#: The form cannot be built: the server says why.
_NOT_BUILT: Final = (400.15, 400.16)


class CentralForms:
    """Forms of one project. Satisfies `model.host.FormHost`; a form's remote id is its form_id."""

    def __init__(self, session: CentralSession) -> None:
        self.name = session.name
        self._session = session

    def find(self, form_id: str, title: str) -> str:
        """The remote id of a form that was placed earlier, or `""`.

        Raises:
            ServerError: no connection, or refused.
        """
        del title  # Central knows forms by their form_id.
        return form_id if self._facts(form_id) is not None else ""

    def placed(self, remote_id: str) -> Placed | None:
        """The form as it is there; None when it is not, or never was published.

        Raises:
            ServerError: no connection, refused, or an answer of another shape.
        """
        facts = self._facts(remote_id)
        if facts is None or not facts.get("publishedAt"):
            return None
        return Placed(
            remote_id=remote_id,
            remote_version=str(facts.get("version") or ""),
            active=facts.get("state") == "open",
            content=self._content(remote_id),
            media=self._media(remote_id),
        )

    def place(self, upload: Upload, remote_id: str) -> Placed:
        """Create (`remote_id` empty) or replace a form with its media, and publish it.

        Safe to run again after a stop: a draft that was left is replaced, and a form that is there already as it
        should be is left alone.

        Raises:
            ServerRefused: SERVER-070 the form cannot be built there, SERVER-071 this version was published before
                with other content, SERVER-072 a question changes its type, SERVER-073 a file is missing.
            ServerError: no connection, or refused for another reason.
        """
        form_id = upload.form.form_id
        if not remote_id and self._facts(form_id) is None:
            self._upload(self._session.project("/forms"), upload, accept=(_TAKEN,))
        else:
            self._upload(self._session.form(form_id, "/draft"), upload)
        self._send_media(form_id, upload)
        if self._is_published(form_id):
            self._drop_draft(form_id)
        else:
            self._publish(form_id, upload)
        placed = self.placed(form_id)
        if placed is None:
            raise self._session.unexpected("SERVER-064", "The server published a form that it does not show then.")
        self._refuse_missing([name for name, md5 in placed.media.items() if not md5])
        return placed

    def set_active(self, remote_id: str, *, active: bool) -> None:
        """Open a form to phones, or archive it. Its submissions stay.

        Raises:
            ServerError: no connection, or refused.
        """
        state = {"state": "open" if active else "closed"}
        self._session.send(Asked("PATCH", self._session.form(remote_id), json=state, again=True))

    def let_in(self, remote_id: str, label: str) -> PhoneAccess:
        """An app user of this name who may load and send the form; made when there is none whose key still holds.

        Raises:
            ServerError: no connection, refused, or an answer of another shape.
        """
        path = self._session.project("/app-users")
        users = self._session.records(self._session.get(path))
        user = next((one for one in users if one.get("displayName") == label and one.get("token")), None)
        if user is None:
            user = self._session.record(self._session.send(Asked("POST", path, json={"displayName": label})))
        token, number = user.get("token"), user.get("id")
        if not isinstance(token, str) or not token or not isinstance(number, int):
            raise self._session.unexpected("SERVER-064", "The server made an app user without a key.")
        assigned = self._session.form(remote_id, f"/assignments/app-user/{number}")
        self._session.send(Asked("POST", assigned, again=True), accept=(_TAKEN,))
        url = f"{self._session.url}/v1/key/{token}/{self._session.project()}"
        return PhoneAccess(url, label=label)

    def workbook(self, remote_id: str) -> bytes | None:
        """The XLSForm as it was placed; None when the form came in another way.

        Raises:
            ServerError: no connection, or refused.
        """
        reply = self._session.get(self._session.form(remote_id, ".xlsx"), accept=(_NOT_THERE,))
        return None if reply.status == 404 else reply.body

    def _facts(self, remote_id: str, rest: str = "") -> dict[str, Any] | None:
        reply = self._session.get(self._session.form(remote_id, rest), accept=(_NOT_THERE,))
        return None if reply.status == 404 else self._session.record(reply)

    def _upload(self, path: str, upload: Upload, accept: tuple[float, ...] = ()) -> None:
        asked = Asked(
            "POST",
            path,
            {"ignoreWarnings": "true"},
            body=upload.workbook,
            content_type=_XLSX,
            headers={"X-XlsForm-FormId-Fallback": quoted(upload.form.form_id)},
        )
        reply = self._session.send(asked, accept=(*accept, *_NOT_BUILT, _OTHER_TYPE))
        if refusal(reply) == _TAKEN:
            # Somebody, or a run of ours that was cut off, made it since it was looked for.
            self._upload(self._session.form(upload.form.form_id, "/draft"), upload)
        elif reply.status >= 400:
            raise self._not_built(reply)

    def _not_built(self, reply: Reply) -> ServerRefused:
        details = self._session.record(reply).get("details")
        details = details if isinstance(details, dict) else {}
        if refusal(reply) == _OTHER_TYPE:
            question = self._session.shown(str(details.get("path")))
            return ServerRefused(
                "SERVER-072",
                self.name,
                f"A question has another type than in a version before: {question}.",
                "Give the question its type back, or another name.",
            )
        said = details.get("error") or details.get("warnings") or "no reason given"
        return ServerRefused(
            "SERVER-070",
            self.name,
            f"The server cannot build this form: {self._session.shown(str(said))}",
            "Run dialogkit form check on it, correct the workbook, and deploy again.",
        )

    def _send_media(self, form_id: str, upload: Upload) -> None:
        """Send the files that the draft asks for and does not have as they are now."""
        expected = self._media(form_id, "/draft")
        for name, there in expected.items():
            path = upload.media.get(name)
            if path is None:
                continue
            content = path.read_bytes()
            if hashlib.md5(content, usedforsecurity=False).hexdigest() != there:
                kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
                to = self._session.form(form_id, f"/draft/attachments/{quoted(name)}")
                self._session.send(Asked("POST", to, body=content, content_type=kind, again=True))
                expected[name] = "sent"
        self._refuse_missing([name for name, there in expected.items() if not there])

    def _is_published(self, form_id: str) -> bool:
        """Whether the draft says what the published form says already, with the same files."""
        published, draft = self._facts(form_id), self._facts(form_id, "/draft")
        if published is None or draft is None or not published.get("publishedAt"):
            return False
        same = all(published.get(fact) == draft.get(fact) for fact in ("hash", "version"))
        return same and self._media(form_id) == self._media(form_id, "/draft")

    def _drop_draft(self, form_id: str) -> None:
        self._session.send(Asked("DELETE", self._session.form(form_id, "/draft")), accept=(_NOT_THERE,))

    def _publish(self, form_id: str, upload: Upload) -> None:
        asked = Asked("POST", self._session.form(form_id, "/draft/publish"))
        if refusal(self._session.send(asked, accept=(_USED_VERSION,))):
            self._drop_draft(form_id)
            raise ServerRefused(
                "SERVER-071",
                self.name,
                f"Version {upload.form.version} of {form_id} was published before, with other questions or files.",
                "Give the form a new version in its settings sheet, and deploy again.",
            )

    def _refuse_missing(self, names: list[str]) -> None:
        if names:
            raise ServerRefused(
                "SERVER-073",
                self.name,
                f"The form needs files that are not there: {self._session.shown(', '.join(sorted(names)))}.",
                "Put them into the folder media beside the form, and deploy again.",
            )

    def _media(self, remote_id: str, rest: str = "") -> dict[str, str]:
        """Names of the files that the form asks for, with their MD5; empty for those that are not there."""
        listed = self._session.records(self._session.get(self._session.form(remote_id, f"{rest}/attachments")))
        media = {}
        for one in listed:
            name, md5, exists = one.get("name"), one.get("hash"), one.get("exists")
            if not isinstance(name, str) or not isinstance(exists, bool):
                raise self._session.unexpected("SERVER-064", "A file of a form has no name.")
            media[name] = (md5 if isinstance(md5, str) else "") if exists else ""
            if exists and not media[name]:
                # A list of entities: phones are given what it holds now.
                media[name] = self._manifest(remote_id, rest).get(name, "")
        return media

    def _manifest(self, remote_id: str, rest: str) -> Mapping[str, str]:
        asked = Asked("GET", self._session.form(remote_id, f"{rest}/manifest"), headers={"X-OpenRosa-Version": "1.0"})
        try:
            root = xml.parse(self._session.send(asked).body)
        except xml.UnsafeXml:
            raise self._session.unexpected("SERVER-064", "The list of the files of a form cannot be read.") from None
        files = [{xml.local(child): child.text or "" for child in one} for one in root]
        return {one.get("filename", ""): one.get("hash", "").removeprefix("md5:") for one in files}

    def _content(self, remote_id: str) -> str:
        """A hash of the published XForm but for its version, so that only a change of the form changes it."""
        try:
            root = xml.parse(self._session.get(self._session.form(remote_id, ".xml")).body)
        except xml.UnsafeXml:
            raise self._session.unexpected("SERVER-064", "The published form cannot be read.") from None
        for instance in root.iter():
            if xml.local(instance) == "instance":
                for top in list(instance)[:1]:
                    top.attrib.pop("version", None)
                break
        return hashlib.sha256(tostring(root)).hexdigest()
