"""Fix-it: held submissions as lists for the people who sent them, in their language, with the way to correct each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlsplit

from dialogkit.forms.versions import known_versions
from dialogkit.model.fix_list import By, FixList, HeldSubmission
from dialogkit.steps.deployments import remote_ids
from dialogkit.steps.report import staff_folder, write_pages
from dialogkit.validate.pages.fix_list import fix_files
from dialogkit.validate.texts import LANGUAGES
from dialogkit.warehouse.connect import reading
from dialogkit.warehouse.fix_list import held_submissions
from dialogkit.warehouse.report_facts import check_books, landed_forms
from dialogkit.workspace import Workspace

#: Below the folder of the warehouse.
FOLDER: Final = "fix-it"
_OURS: Final = re.compile(r"fix-it-[0-9]{3,}\.(html|txt)")
_LANGUAGE: Final = re.compile(r"([a-z]{2})|.*\(([a-z]{2})\)", re.DOTALL)


def fix_it(
    workspace: Workspace, forms: Sequence[str], language: str, by: By, to: Path | None, now: datetime
) -> tuple[list[Path], int]:
    """Write one list a sender (or country), and a page that says whose each is. Earlier lists there are taken away.

    Args:
        workspace: where.
        forms: form ids; all when none is named.
        language: `en`, `fr` or `es`; empty for that of the form with most submissions on the list.
        by: `organiser` (the label of the key or account that sent it) or `country`.
        to: the folder; by default `warehouse/fix-it`, which version control leaves out.
        now: with its zone.

    Returns:
        The files, `index.html` last, and how many submissions are on the lists.

    Raises:
        ConfigError: CONFIG-005, there is no such form here and none in the warehouse.
        WarehouseError: there is no warehouse, it is open elsewhere, or (WAREHOUSE-060) an older dialogkit wrote it.
    """
    with reading(workspace.warehouse) as db:
        check_books(db, workspace.warehouse.name)
        for form_id in set(forms) - set(landed_forms(db)):
            workspace.form_file(form_id)
        found = held_submissions(db, forms, by)
    places = _Places(workspace)
    groups: dict[str, list[HeldSubmission]] = {}
    for held in found:
        groups.setdefault(held.group, []).append(places.linked(held))
    lists = [
        FixList(
            workspace.config.workspace.name,
            now,
            by,
            language or places.language(some),
            group,
            some[0].group_labels,
            tuple(some),
        )
        for group, some in sorted(groups.items())
    ]
    folder = to or staff_folder(workspace, FOLDER)
    _take_away(folder)
    return write_pages(folder, fix_files(lists, language or "en")), len(found)


class _Places:
    """Where submissions of a workspace can be edited, and the language of its forms."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._languages: dict[str, str] = {}
        self._remote: dict[str, dict[str, str]] = {}

    def linked(self, held: HeldSubmission) -> HeldSubmission:
        """With the page of its server on which a person who is signed in there can edit it.

        ODK Central has a page for each submission. KoboToolbox edits by its own number of a submission, which changes
        with each edit and stands in no warehouse: the link leads to its table. Our own server has no such page.
        What was read from a folder lies on no phone and no server, as an import: there is nothing to open.
        """
        section = self._workspace.config.servers.get(held.server)
        if section is not None and section.kind == "folder":
            return replace(held, server="")
        if section is None or urlsplit(section.url).scheme not in ("http", "https"):
            return held
        remote = self._remote_ids(section.name).get(held.form_id, "")
        base = section.url.rstrip("/")
        if section.kind == "central":
            form = _part(remote or held.form_id)
            submission = _part(held.submission_id)
            page = f"{base}/#/projects/{section.project_id}/forms/{form}/submissions/{submission}"
            return held.linked(page, direct=True)
        if section.kind == "kobo" and remote:
            return held.linked(f"{base}/#/forms/{_part(remote)}/data/table", direct=False)
        return held

    def language(self, some: Sequence[HeldSubmission]) -> str:
        """The language of the form that most of these were made with, when it is one of ours."""
        forms = [held.form_id for held in some]
        form_id = max(dict.fromkeys(forms), key=forms.count)
        if form_id not in self._languages:
            latest = next(reversed(known_versions(self._workspace.versions, form_id).values()), None)
            told = _LANGUAGE.fullmatch(latest.default_language) if latest else None
            found = (told[1] or told[2]) if told else ""
            self._languages[form_id] = found if found in LANGUAGES else "en"
        return self._languages[form_id]

    def _remote_ids(self, server: str) -> dict[str, str]:
        if server not in self._remote:
            self._remote[server] = remote_ids(self._workspace, server)
        return self._remote[server]


def _part(text: str) -> str:
    return quote(text, safe="")


def _take_away(folder: Path) -> None:
    """Lists of earlier times: somebody might send them again."""
    for path in folder.iterdir() if folder.is_dir() else ():
        if _OURS.fullmatch(path.name):
            path.unlink()
