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
        sure = [row for row in rows if _is_of_its_entry(row)]
        by_json = {row.entry.id: found for row in sure if (found := self._from_json(row)) is not None}
        xmls = self._xmls([row for row in sure if row.entry.id not in by_json])
        received, unreadable = [], []
        for row in rows:
            body = xmls.get(row.entry.place)
            one = by_json.get(row.entry.id) or (self._from_xml(row, body) if body is not None else None)
            if one is not None:
                received.append(one)
            elif body is not None or row.entry.place not in xmls:
                unreadable.append(row.entry.id)
        return Fetched(tuple(received), tuple(unreadable))

    def _from_json(self, row: Row) -> Received | None:
        """None where only the XML says it all, or may."""
        version = version_of(row.found, self.versions)
        form = self._form(version)
        if needs_xml(row.found, form):
            return None
        try:
            return Received(submission_of(row.found, self.form_id, form, version), _storable(row))
        except (ValueError, RecursionError):
            # Misshapen, or text that no file can hold. An element that is no repeat and stands twice is nested so.
            return None

    def _from_xml(self, row: Row, body: bytes) -> Received | None:
        version = version_of(row.found, self.versions)
        try:
            _storable(row)
            submission = submission_of(row.found, self.form_id, self._form(version), version, answers={})
            return Received(self._with_answers(submission, body), body)
        except (ValueError, RecursionError):
            return None

    def _with_answers(self, submission: Submission, body: bytes) -> Submission:
        instance = read_instance(body)
        if not instance.form_id:
            # A page for browsers can be good XML too.
            raise Misshapen
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

    def _form(self, version: str) -> Form | None:
        if version not in self._forms:
            self._forms[version] = self.find_form(version)
        return self._forms[version]


def _is_of_its_entry(row: Row) -> bool:
    found = row.found
    return isinstance(found, dict) and (
        (text(found, "meta/rootUuid"), str(number(found, "_id"))) == (row.entry.id, row.entry.place)
    )


def _storable(row: Row) -> bytes:
    """The bytes of the row. Half a character, which only an escape can hold, would stop a file from being written."""
    if b"\\u" in row.raw:
        json.dumps(row.found, ensure_ascii=False).encode()
    return row.raw
