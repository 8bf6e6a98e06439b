"""Compare a form that is to be placed with the version of it that is on the server."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from dialogkit.errors import FormError
from dialogkit.files import md5_of
from dialogkit.forms.build import build_form
from dialogkit.forms.compare import Beside, Comparison, compare
from dialogkit.forms.compare_pairs import was_of
from dialogkit.forms.versions import file_name, find_version
from dialogkit.model.form import CARRIED_ID, CARRIED_VERSION, Form
from dialogkit.model.host import Placed
from dialogkit.steps.compare import uses_of
from dialogkit.steps.deploy_plan import Plan, Ready, begun_before
from dialogkit.workspace import Workspace


@runtime_checkable
class GivesWorkbook(Protocol):
    """A host that gives back the XLSForm that it was given."""

    def workbook(self, remote_id: str) -> bytes | None:
        """The bytes of the published workbook; None when there is none."""
        ...


@dataclass(frozen=True)
class Compared:
    """What replacing a form changes.

    Args:
        comparison: None where nobody here knows what is there.
        seen: it is what the server gave back, not what was kept here of it.
    """

    comparison: Comparison | None
    seen: bool = False


def compare_with_placed(workspace: Workspace, plan: Plan, ready: Ready, placed: Placed) -> Compared:
    """What replacing the form changes."""
    old, new, seen = next(_known(workspace, plan, ready, placed), None), ready.form, False
    if old is None and isinstance(plan.host, GivesWorkbook):
        old, seen = _given_back(plan.host, plan.deployment.remote_id, ready.form.form_id), True
        if old is not None:
            old, new = _as_given(old), replace(_as_given(new), title=_as_given(new).title if old.title else "")
    if old is None:
        return Compared(None)
    held = {name: md5 for name, md5 in placed.media.items() if md5 and not _of_the_server(name, ready)}
    beside = Beside(
        was=was_of(ready.form),
        old_media=held,
        new_media={name: md5_of(path) for name, path in ready.built.media.items()},
        uses=uses_of(workspace, ready.form.form_id),
    )
    return Compared(compare(old, new, beside), seen)


def _of_the_server(name: str, ready: Ready) -> bool:
    """Whether the form asks for a file that the server makes by itself, such as a list of entities."""
    return name not in ready.built.media and name.encode() in ready.built.xml


def _known(workspace: Workspace, plan: Plan, ready: Ready, placed: Placed) -> Iterator[Form]:
    """The form that is there, as it was kept here; from the surest source to the least."""
    noted, form_id = plan.deployment, ready.form.form_id
    if begun_before(noted, ready.content):
        # A killed run may have replaced it already: the comparison is with what that run found.
        names = [noted.done[-1].version] if noted.done else [ready.form.version]
        if not noted.done:
            yield ready.form
    else:
        names = [one.version for one in reversed(noted.done) if one.remote_version == placed.remote_version]
        names.append(placed.remote_version)
    for version in names:
        if found := find_version(workspace.versions, form_id, version):
            yield found


def _as_given(form: Form) -> Form:
    """With every white space as one blank: KoboToolbox gives no other back, neither do phones get one."""
    return Form.from_json(_folded(form.to_json()))


def _folded(data: Any) -> Any:
    if isinstance(data, str):
        return " ".join(data.split())
    if isinstance(data, dict):
        return {key: _folded(value) for key, value in data.items()}
    return [_folded(one) for one in data] if isinstance(data, list | tuple) else data


def _given_back(host: GivesWorkbook, remote_id: str, form_id: str) -> Form | None:
    """What the server gives, without what dialogkit added, and under our id: KoboToolbox has another one.

    It gives no title either, which is then empty.
    """
    data = host.workbook(remote_id)
    if not data:
        return None
    with tempfile.TemporaryDirectory() as folder:
        # A workbook that names no form_id is called after its file.
        path = Path(folder) / f"{file_name(form_id)}.xlsx"
        path.write_bytes(data)
        try:
            form = build_form(path).form
        except FormError:
            return None
    carried = [question for question in form.questions if question.name in (CARRIED_ID, CARRIED_VERSION)]
    version = next((one.calculation.strip("'") for one in carried if one.name == CARRIED_VERSION), form.version)
    kept = tuple(question for question in form.questions if question not in carried)
    title = "" if form.title == form.form_id else form.title
    return replace(form, form_id=form_id, version=version, title=title, questions=kept)
