"""Everything the look-alike knows, and the ways in which tests change it directly."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.lookalikes.kobo import instances
from tests.lookalikes.kobo.asset import Asset, Media
from tests.lookalikes.kobo.content import content_of
from tests.lookalikes.kobo.marks import bare, new_uuid, now, uid
from tests.lookalikes.kobo.rows import Attached, Row

#: Our words for the state of a review, and the server's.
STATES = {
    "approved": "validation_status_approved",
    "rejected": "validation_status_not_approved",
    "has_issues": "validation_status_on_hold",
}
LABELS = {
    "validation_status_approved": "Approved",
    "validation_status_not_approved": "Not Approved",
    "validation_status_on_hold": "On Hold",
}
_OWN = {"formhub/uuid", "__version__", "meta/instanceID", "meta/deprecatedID", "meta/rootUuid"}

#: Files that stay although no question of the form names them.
_KEPT = re.compile(r"\.enc$|^audit\.csv$|^\d{10,}\.(m4a|amr)$|^background-audio-\d{8}_\d{6}\.webm$")

Answers = Mapping[str, Any] | bytes


@dataclass
class User:
    name: str
    password: str
    token: str
    uid: str = field(default_factory=lambda: uid("u"))


@dataclass
class Event:
    """One line of a form's history."""

    moment: datetime
    user: str
    action: str
    root: str = ""
    by: str | None = None
    more: dict[str, str] = field(default_factory=dict)


class State:
    """The server's memory. Public methods may be called from any thread."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.base = "http://127.0.0.1"
        self.kc_base = "http://localhost"
        self.basic_over_http = True
        self.polls = 0
        self.users = {
            name: User(name, f"{name}-password", uid("")) for name in ("organiser", "collector", "analyst", "other")
        }
        self.assets: dict[str, Asset] = {}
        self.imports: dict[str, Any] = {}
        self.history: dict[str, list[Event]] = {}
        self.next_number = 1
        self.next_form = 1
        self._places: dict[str, tuple[Asset, Row]] = {}

    # Forms

    def form(
        self, name: str = "A form", workbook: bytes | None = None, *, survey: list[dict[str, Any]] | None = None
    ) -> str:
        """A deployed form of the organiser's: from an XLSForm, or from rows with `type`, `name` and `$xpath`."""
        content: dict[str, Any] = {"schema": "1", "survey": survey or [], "settings": {}, "translations": [None]}
        if workbook is not None:
            title, content = content_of(workbook)
            name = title or name
        asset = self.add_asset(Asset(name, "organiser", content, workbook))
        self.deploy(asset)
        return asset.uid

    def add_asset(self, asset: Asset) -> Asset:
        with self.lock:
            self.assets[asset.uid] = asset
            self.history[asset.uid] = []
        return asset

    def deploy(self, asset: Asset) -> None:
        with self.lock:
            asset.deploy(self.next_form)
            self.next_form = max(self.next_form, asset.number + 1)

    def media(self, form: str, name: str, content: bytes, mimetype: str = "text/csv") -> str:
        """A file that goes with the form, not yet on the phones."""
        media = Media(uid("af"), name, content, mimetype, "default", "form_media", now())
        with self.lock:
            self.assets[form].files.append(media)
        return media.uid

    # Submissions

    def new(
        self,
        form: str,
        answers: Answers,
        files: Mapping[str, bytes] | None = None,
        *,
        by: str | None = "collector",
        number: int | None = None,
    ) -> str:
        """A submission; its id is its root uuid, `uuid:…`, as our mirror has it.

        Args:
            form: the asset's uid.
            answers: canonical answers, or the XML.
            files: its attachments that have arrived.
            by: who sent it.
            number: its `_id`, when it must not be the next: numbers are given before attachments are saved, so a
                submission can appear below numbers that were already seen.
        """
        asset = self.assets[form]
        xml, flat, form_id = self._read(asset, answers)
        uuid = str(flat.get("meta/instanceID", "") or "uuid:" + new_uuid()).strip().removeprefix("uuid:")
        flat.setdefault("meta/instanceID", f"uuid:{uuid}")
        root = str(flat.get("meta/rootUuid", uuid)).removeprefix("uuid:")
        with self.lock:
            if number is None:
                number = self.next_number
                self.next_number += 1
            row = Row(number, flat, uuid, root, form_id, by, bare(now()), _point(asset, flat), asset.home, xml)
            row.files = [Attached(name, content) for name, content in (files or {}).items()]
            asset.rows.add(row)
            self._places[f"uuid:{root}"] = (asset, row)
            self.note(asset, by or "AnonymousUser", "add-submission", row)
        return f"uuid:{root}"

    def _read(self, asset: Asset, answers: Answers) -> tuple[bytes | None, dict[str, Any], str]:
        if isinstance(answers, bytes):
            root, flat = instances.read(answers, asset.is_repeat)
            return answers, flat, root.get("id") or asset.uid
        own = {"formhub/uuid": asset.formhub, **answers}
        own.setdefault("__version__", asset.versions[0].uid)
        return None, own, asset.uid

    def edit(self, id_: str, answers: Answers, files: Mapping[str, bytes] | None = None, *, by: str = "") -> str:
        """A new edition: number and time stay, uuid and answers change. Returns the new uuid, without `uuid:`."""
        asset, row = self._places[id_]
        xml, flat, form_id = self._read(asset, answers)
        fresh = str(flat.get("meta/instanceID", "uuid:" + new_uuid())).removeprefix("uuid:")
        if xml is None:
            flat["meta/instanceID"] = f"uuid:{fresh}"
            flat["meta/deprecatedID"] = f"uuid:{row.uuid}"
        with self.lock:
            asset.rows.replace_uuid(row, fresh)
            row.answers, row.xml, row.form = flat, xml, form_id
            row.place = _point(asset, flat)
            there = {one.name: one for one in row.files}
            for name, content in (files or {}).items():
                if name in there and there[name].content != content:
                    row.files.remove(there[name])
                if name not in there or there[name].content != content:
                    row.files.append(Attached(name, content))
            self.drop_unnamed(asset, row)
            row.changed()
            self.note(asset, by or row.by or "AnonymousUser", "modify-submission", row)
        return fresh

    @staticmethod
    def drop_unnamed(asset: Asset, row: Row) -> None:
        """Forget files that no answer names, as the server does when a form asks for files at all."""
        if asset.asks_for_files:
            named = set(_texts(row.answers))
            row.files = [one for one in row.files if one.deleted or one.name in named or _KEPT.search(one.name)]

    def review(self, id_: str, state: str, *, by: str = "organiser") -> None:
        """Set the state of the review, in our words; empty: none."""
        asset, row = self._places[id_]
        self.mark(asset, row, STATES.get(state, ""), by)

    def mark(self, asset: Asset, row: Row, status: str, by: str) -> None:
        """Set the state of the review, in the server's words."""
        with self.lock:
            row.status = {}
            if status:
                moment = int(now().timestamp())
                row.status = {"timestamp": moment, "uid": status, "by_whom": by, "label": LABELS[status]}
            row.changed()
            self.note(asset, by, "modify-submission", row)

    def delete(self, id_: str) -> None:
        """The submission is gone, without a trace but in the history."""
        self.remove(*self._places[id_], "organiser")

    def remove(self, asset: Asset, row: Row, by: str) -> None:
        with self.lock:
            asset.rows.remove(row)
            self._places.pop(f"uuid:{row.root}", None)
            self.note(asset, by, "delete-submission", row)

    def attach(self, id_: str, name: str, content: bytes, mimetype: str = "") -> str:
        """A file that arrives late; returns its uid. Nothing of the submission's times changes."""
        _, row = self._places[id_]
        attached = Attached(name, content, mimetype)
        with self.lock:
            row.files.append(attached)
            row.changed()
        return attached.uid

    def clear(self, id_: str, name: str) -> None:
        """Delete an attachment; its entry stays, with `is_deleted`."""
        _, row = self._places[id_]
        with self.lock:
            for one in row.files:
                one.deleted = one.deleted or one.name == name
            row.changed()

    set_status = review
    delete_attachment = clear

    def place_of(self, id_: str) -> tuple[Asset, Row]:
        """The form and the record of a submission."""
        return self._places[id_]

    def note(self, asset: Asset, user: str, action: str, row: Row | None = None) -> None:
        """A line in the history."""
        event = Event(now(), user, action, row.root if row else "", row.by if row else None)
        self.history[asset.uid].append(event)

    def everything(self, form: str = "") -> dict[str, dict[str, Any]]:
        """What a complete mirror holds, by id: of one form, or of all."""
        with self.lock:
            return {id_: _facts(asset, row) for id_, (asset, row) in self._places.items() if form in {"", asset.uid}}


def _facts(asset: Asset, row: Row) -> dict[str, Any]:
    words = {theirs: ours for ours, theirs in STATES.items()}
    moment = datetime.fromisoformat(row.submitted).replace(tzinfo=UTC)
    return {
        "form": asset.uid,
        "number": row.number,
        "uuid": row.uuid,
        "answers": {key: value for key, value in row.answers.items() if key not in _OWN},
        "state": words.get(row.status.get("uid", ""), ""),
        "edited": "meta/deprecatedID" in row.answers,
        "submitter": row.by or "",
        "submitted_at": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "attachments": {one.name: one.content for one in row.files if not one.deleted},
    }


def _point(asset: Asset, flat: Mapping[str, Any]) -> list[float | None]:
    for path in asset.points:
        if isinstance(flat.get(path), str):
            latitude, longitude = flat[path].split()[:2]
            return [float(latitude), float(longitude)]
    return [None, None]


def _texts(flat: Any) -> Any:
    for value in flat.values() if isinstance(flat, Mapping) else flat:
        if isinstance(value, (Mapping, list)):
            yield from _texts(value)
        else:
            yield value
