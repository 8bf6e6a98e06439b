"""Rows of one fetch → what a pull writes down: from their JSON, or from the XML where that says more."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from dialogkit.instance import read_instance
from dialogkit.model.form import Form
from dialogkit.model.server import Entry, Fetched, FindForm, Received
from dialogkit.model.submission import Submission
from dialogkit.servers.exchange import Asked
from dialogkit.servers.http import CONNECTIONS
from dialogkit.servers.kobo.rows import Misshapen, answers_of, needs_xml, submission_of, version_of
from dialogkit.servers.kobo.session import KoboSession, asset_path, number, text


@dataclass(frozen=True, slots=True)
class Row:
    """A row that came for an entry: as JSON, and its bytes."""

    entry: Entry
    found: Any
    raw: bytes


@dataclass
class Reader:
    """Reads rows of one form.

    Args:
        session: the account.
        remote_id: the form there.
        form_id: ours.
        find_form: the form of a version of ours.
        versions: version there → ours.
    """

    session: KoboSession
    remote_id: str
    form_id: str
    find_form: FindForm
    versions: Mapping[str, str]
    _forms: dict[str, Form | None] = field(default_factory=dict)

    def read(self, rows: Sequence[Row]) -> Fetched:
        """All of them, in their order; one that goes from the server meanwhile is left out."""
        versions = [version_of(row.found, self.versions) if isinstance(row.found, dict) else "" for row in rows]
        xmls = self._xmls([row for row, version in zip(rows, versions, strict=True) if self._needs_xml(row, version)])
        received, unreadable = [], []
        for row, version in zip(rows, versions, strict=True):
            body = xmls.get(row.entry.place)
            if body is None and row.entry.place in xmls:
                continue
            try:
                received.append(self._received(row, version, body))
            except (ValueError, RecursionError):
                # Misshapen, unsafe XML, or text that no file can hold.
                unreadable.append(row.entry.id)
        return Fetched(tuple(received), tuple(unreadable))

    def _received(self, row: Row, version: str, body: bytes | None) -> Received:
        """`body`: the XML, or None where the JSON says it all."""
        if not isinstance(row.found, dict):
            raise Misshapen
        if (text(row.found, "meta/rootUuid"), str(number(row.found, "_id"))) != (row.entry.id, row.entry.place):
            raise Misshapen
        submission = submission_of(row.found, self.form_id, self._form(version), version)
        if body is not None:
            return Received(self._with_answers(submission, body), body)
        return Received(submission, _storable(row))

    def _with_answers(self, submission: Submission, body: bytes) -> Submission:
        instance = read_instance(body)
        # An encrypted form cannot carry our version in the open.
        version = submission.form_version or self.versions.get(instance.form_version, "")
        form = self._form(version)
        if form and form.repeats:
            instance = read_instance(body, form.repeats)
        # An edit may have come between the row and its XML.
        edition = instance.instance_id or submission.instance_id
        return replace(submission, form_version=version, instance_id=edition, answers=answers_of(instance, form))

    def _xmls(self, rows: Sequence[Row]) -> dict[str, bytes | None]:
        """Place → the XML; None when it has gone."""
        if not rows:
            return {}

        def one(row: Row) -> bytes | None:
            path = asset_path(self.remote_id, f"data/{row.entry.place}.xml")
            reply = self.session.http.send(Asked("GET", path, headers={"Accept": "application/xml"}, allow=(404,)))
            return reply.body if reply.status < 400 else None

        with ThreadPoolExecutor(CONNECTIONS) as pool:
            return dict(zip([row.entry.place for row in rows], pool.map(one, rows), strict=True))

    def _needs_xml(self, row: Row, version: str) -> bool:
        return isinstance(row.found, dict) and needs_xml(row.found, self._form(version))

    def _form(self, version: str) -> Form | None:
        if version not in self._forms:
            self._forms[version] = self.find_form(version)
        return self._forms[version]


def _storable(row: Row) -> bytes:
    """The bytes of the row. Half a character, which only an escape can hold, would stop a file from being written."""
    if b"\\u" in row.raw:
        json.dumps(row.found, ensure_ascii=False).encode()
    return row.raw
