"""ODK Central as a server that takes reviews and corrections of single submissions."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import quote
from xml.etree.ElementTree import Element, SubElement, register_namespace, tostring

from dialogkit import xml
from dialogkit.errors import NotOnServer, ServerRefused
from dialogkit.model.form import Form
from dialogkit.model.host import REVIEW_STATES
from dialogkit.servers.central.odata import REVIEW_WORDS
from dialogkit.servers.central.session import CentralSession, quoted, refusal
from dialogkit.servers.exchange import Asked, Reply

_STATES: Final = {ours: theirs for theirs, ours in REVIEW_WORDS.items() if ours in REVIEW_STATES}
_CLOSED, _STALE = 409.2, 409.9

for _prefix, _address in (("orx", "http://openrosa.org/xforms"), ("jr", "http://openrosa.org/javarosa")):
    # Written as phones write them.
    register_namespace(_prefix, _address)


class CentralReview:
    """Reviews in one project. Satisfies `model.host.ReviewServer`.

    Args:
        session: of the project.
        remote_ids: our form_id → the server's xmlFormId; a form that is not in it has the same name there.
    """

    def __init__(self, session: CentralSession, remote_ids: Mapping[str, str] | None = None) -> None:
        self.name = session.name
        self._session, self._remote_ids = session, dict(remote_ids or {})

    def check(self, state: str, comment: str) -> None:
        """Central keeps both."""

    def review(self, form_id: str, submission_id: str, state: str, comment: str) -> None:
        """Set the review state (one of `REVIEW_STATES`; `""` leaves it) and add a comment (`""`: none).

        Raises:
            ServerRefused: SERVER-075, there is no such state; and as the session.
        """
        path = self._path(form_id, submission_id)
        if state and state not in _STATES:
            raise ServerRefused(
                "SERVER-075", self.name, "There is no such review state.", f"Use one of {', '.join(_STATES)}."
            )
        if state:
            body = {"reviewState": _STATES[state]}
            self._session.send(Asked("PATCH", path, json=body, headers=_note(comment), again=True))
        elif comment:
            self._session.send(Asked("POST", f"{path}/comments", json={"body": comment}))

    def correct(self, form: Form, submission_id: str, changes: Mapping[str, str], comment: str) -> str:
        """Change answers of the main table as an edit: full path → new text. Returns the new instanceID.

        Raises:
            ServerRefused: SERVER-113 there is no such question, SERVER-114 it cannot be changed from here, SERVER-112
                somebody else has edited it meanwhile, SERVER-074 the form takes nothing now.
            NotOnServer: SERVER-062, it is not there (any more).
        """
        self._check(form, changes)
        path = self._path(form.form_id, submission_id)
        root, was = self._read(path)
        for question, text in changes.items():
            self._put(root, question.split("/"), text)
        new = f"uuid:{uuid.uuid4()}"
        meta = self._child(root, "meta")
        self._child(meta, "instanceID").text = new
        self._child(meta, "deprecatedID").text = was
        body = tostring(root, encoding="utf-8", xml_declaration=True).replace(b"\r", b"&#13;")
        asked = Asked("PUT", path, body=body, content_type="text/xml", headers=_note(comment))
        self._settle(self._session.send(asked, accept=(_STALE, _CLOSED)), path, new)
        return new

    def _check(self, form: Form, changes: Mapping[str, str]) -> None:
        for path, text in changes.items():
            if path in form.repeats or form.repeat_of(path):
                raise self._cannot(
                    f"{path} stands in a repeat; only answers outside repeats can be corrected from here.",
                    "Edit the submission on the server (Edit, in its details), then pull.",
                )
            question = form.by_path.get(path)
            if question is None or not question.has_answer or path.startswith("meta/"):
                raise ServerRefused(
                    "SERVER-113", self.name, f"{path} is not a question of this form.", "Check the full path."
                )
            if not xml.writable(text):
                raise self._cannot(f"The new answer to {path} holds a sign that XML cannot hold.", "Take it out.")

    def _read(self, path: str) -> tuple[Element, str]:
        """The submission as it is now, and the id of this edition."""
        try:
            root = xml.parse(self._session.get(f"{path}.xml").body)
        except xml.UnsafeXml:
            raise self._session.unexpected("SERVER-064", "The submission on the server cannot be read.") from None
        if root.get("encrypted") == "yes":
            raise self._cannot(
                "The submission is encrypted, so that it cannot be changed on the server.",
                "Edit it on the page of the server, or ask the person to send it anew.",
            )
        return root, self._edition(root) or self._session_id(path)

    def _edition(self, root: Element) -> str:
        found = [one for meta in _named(root, "meta") for one in _named(meta, "instanceID")]
        return (found[0].text or "").strip() if len(found) == 1 else ""

    def _session_id(self, path: str) -> str:
        """The id that the server made up for a submission that came without one."""
        now = self._session.record(self._session.get(path)).get("currentVersion")
        found = now.get("instanceId") if isinstance(now, dict) else None
        if not isinstance(found, str) or not found:
            raise self._session.unexpected("SERVER-064", "The submission on the server has no instanceID.")
        return found

    def _put(self, root: Element, parts: Sequence[str], text: str) -> None:
        element = root
        for part in parts:
            element = self._child(element, part)
        if len(element):
            raise self._cannot(f"{'/'.join(parts)} is a section in this submission.", "Check the full path.")
        element.text = text or None

    def _child(self, above: Element, name: str) -> Element:
        """The child of this name; made where phones left it out because it did not apply."""
        found = _named(above, name)
        if len(found) > 1:
            raise self._cannot(f"{name} stands more than once in this submission.", "Edit it on the server, then pull.")
        return found[0] if found else SubElement(above, name)

    def _settle(self, reply: Reply, path: str, new: str) -> None:
        code = refusal(reply)
        if code == _CLOSED:
            raise ServerRefused(
                "SERVER-074",
                self.name,
                "The form is closed on the server and takes no edits.",
                "Open it on the server (Settings, State of the form), then correct again.",
            )
        # An answer that was lost on its way: the edit stands, and its repetition is out of date.
        if code == _STALE and self._read(path)[1] != new:
            raise ServerRefused(
                "SERVER-112",
                self.name,
                "Somebody else has edited this submission meanwhile. Nothing was changed.",
                "Pull, look at it as it is now, and correct it again where that is still needed.",
            )

    def _path(self, form_id: str, submission_id: str) -> str:
        if submission_id in ("", ".", ".."):
            raise NotOnServer(
                "SERVER-062", self.name, "There is no such submission.", "Check the id of the submission."
            )
        return self._session.form(self._remote_ids.get(form_id, form_id), f"/submissions/{quoted(submission_id)}")

    def _cannot(self, message: str, fix: str) -> ServerRefused:
        return ServerRefused("SERVER-114", self.name, message, fix)


def _note(comment: str) -> dict[str, str]:
    """The header for what is written beside a change."""
    return {"X-Action-Notes": quote(comment, safe="")} if comment else {}


def _named(above: Element, name: str) -> list[Element]:
    return [child for child in above if xml.local(child) == name]
