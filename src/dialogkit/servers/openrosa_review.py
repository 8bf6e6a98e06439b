"""Corrections on dialogkit's own server, as a phone edits: a new edition that names the one it replaces."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from xml.etree.ElementTree import Element, SubElement, tostring

from dialogkit import xml
from dialogkit.errors import NotOnServer, ServerRefused
from dialogkit.instance import in_the_open
from dialogkit.model.form import Form
from dialogkit.model.server import Received
from dialogkit.servers.briefcase import read_download
from dialogkit.servers.openrosa import OpenRosaServer

#: What the server writes on the root of a submission that it gives out.
_MARKS: Final = ("instanceID", "submissionDate", "isComplete", "markedAsCompleteDate")
#: The namespace of the envelope that a submission comes in; elements without one of their own get it.
_ENVELOPE: Final = "{http://opendatakit.org/submissions}"


class OpenRosaReview:
    """Corrections on the embedded server. Satisfies `model.host.ReviewServer`.

    Args:
        server: with a key for staff.
    """

    def __init__(self, server: OpenRosaServer) -> None:
        self.name, self._server = server.name, server

    def review(self, form_id: str, submission_id: str, state: str, comment: str) -> None:
        """This server knows neither review states nor comments.

        Raises:
            ServerRefused: SERVER-110.
        """
        self.check(state, comment)

    def check(self, state: str, comment: str) -> None:
        """It knows neither.

        Raises:
            ServerRefused: SERVER-110, there is a state or a comment.
        """
        if not (state or comment):
            return
        raise self._refused(
            "SERVER-110",
            "dialogkit's own server knows no review states and keeps no comments. Nothing was sent.",
            "Leave out --state and --comment. To keep a submission out: dialogkit held drop, for one that is held.",
        )

    def correct(self, form: Form, submission_id: str, changes: Mapping[str, str], comment: str) -> str:
        """Change answers as an edit: full path → new text. Returns the new instanceID.

        All else of the submission, its files too, stays as it is.

        Raises:
            ServerRefused: SERVER-110 it cannot be changed so; SERVER-006 the server says no: somebody else has edited
                it meanwhile.
            NotOnServer: SERVER-115, it is not there.
        """
        self.check("", comment)
        received = self._server.current(form.form_id, submission_id, lambda _: form)
        if received is None:
            raise NotOnServer("SERVER-115", self.name, "The submission is not on the server.", "Pull, then look again.")
        submission = received.submission
        if submission.refused or not in_the_open(form, submission.answers):
            raise self._refused(
                "SERVER-110", "Its answers are encrypted, or were taken away.", "It can only be sent anew."
            )
        new = f"uuid:{uuid.uuid4()}"
        body = self._edited(received, changes, new)
        with TemporaryDirectory() as folder:
            files: dict[str, bytes | Path] = {}
            for number, attachment in enumerate(submission.attachments):
                files[attachment.name] = Path(folder) / str(number)
                with (Path(folder) / str(number)).open("wb") as file:
                    file.writelines(self._server.attachment(form.form_id, submission, attachment.name))
            self._server.send(body, files)
        return new

    def _edited(self, received: Received, changes: Mapping[str, str], new: str) -> bytes:
        root = xml.parse(read_download(self.name, received.body).instance)
        for element in root.iter():
            element.tag = element.tag.removeprefix(_ENVELOPE)
        for mark in _MARKS:
            root.attrib.pop(mark, None)
        for path, text in changes.items():
            self._put(root, path.split("/"), text)
        meta = self._child(root, "meta")
        self._put(meta, ["instanceID"], new)
        self._put(meta, ["deprecatedID"], received.submission.instance_id)
        written: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
        # A bare carriage return is read as a line feed.
        return written.replace(b"\r", b"&#13;")

    def _put(self, root: Element, parts: Sequence[str], text: str) -> None:
        element = root
        for part in parts:
            element = self._child(element, part)
        if len(element) or not xml.writable(text):
            raise self._refused(
                "SERVER-110", f"{'/'.join(parts)} cannot hold this text.", "Check the path and the text."
            )
        element.text = text or None

    def _child(self, above: Element, name: str) -> Element:
        """The child of this name; made where it is not there because the phone left it out."""
        found = [child for child in above if xml.local(child) == name]
        if len(found) > 1:
            raise self._refused(
                "SERVER-110", f"{name} stands more than once in this submission.", "It cannot be corrected from here."
            )
        return found[0] if found else SubElement(above, name)

    def _refused(self, code: str, message: str, fix: str) -> ServerRefused:
        return ServerRefused(code, self.name, message, fix)
