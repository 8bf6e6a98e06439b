"""What people do with forms: check them, build them into a folder, prepare one for phones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dialogkit.errors import FormError
from dialogkit.files import sha256_of, write_whole
from dialogkit.forms.build import build_form
from dialogkit.forms.constants import fill, workbook_bytes
from dialogkit.forms.lint import lint, unfit_to_serve
from dialogkit.forms.odk import odk_validate
from dialogkit.forms.render import render
from dialogkit.forms.versions import file_name, keep_version, refuse_changed
from dialogkit.forms.workbook import read_workbook
from dialogkit.model.form import BuiltForm, Form
from dialogkit.problem import Problem, has_errors
from dialogkit.workspace import Workspace


@dataclass(frozen=True)
class Checked:
    """What a check found in one file; `form` is None where it could not be built."""

    file: Path
    form: Form | None
    problems: tuple[Problem, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing in it stops the form."""
        return not has_errors(self.problems)


def check(paths: Sequence[Path], workspace: Workspace | None = None, *, odk: bool = True) -> list[Checked]:
    """Every problem of every workbook; nothing is written.

    Args:
        paths: the workbooks.
        workspace: its team constants are filled in before the form is judged, as when it is served.
        odk: whether ODK Validate is asked too (it takes Java and a second a form).
    """
    constants = team_constants(workspace)
    return [_check(path, constants, odk=odk) for path in paths]


def build(paths: Sequence[Path], to: Path, workspace: Workspace | None = None) -> list[BuiltForm]:
    """Write `<form_id>.xml`, the workbook, `<form_id>.md` and `media/` of each workbook into the folder `to`.

    With a workspace its team constants are filled in (not into the workbook itself when it is no `.xlsx`). Nothing is
    written unless every workbook builds.

    Raises:
        FormError: one of them does not build, two have the same form_id (FORM-054), or two have different media of
            the same name (FORM-055).
    """
    constants = team_constants(workspace)
    built = [build_form(path, **constants) for path in paths]
    _refuse_same_id(paths, built)
    _refuse_same_media(built)
    for path, one in zip(paths, built, strict=True):
        stem = file_name(one.form.form_id)
        write_whole(to / f"{stem}.xml", one.xml)
        write_whole(to / f"{stem}.md", render(fill(read_workbook(path), constants)).encode())
        if path.suffix.lower() != ".md":
            write_whole(to / f"{stem}{path.suffix.lower()}", _workbook(path, constants))
        for name, file in one.media.items():
            write_whole(to / "media" / name, file.read_bytes())
    return built


def prepare(workspace: Workspace, form_id: str) -> BuiltForm:
    """The form that `dialogkit.toml` names, built with the team constants, fit for phones, its version kept.

    Raises:
        ConfigError: `dialogkit.toml` names no such form.
        FormError: as `fit_form`.
    """
    built = fit_form(workspace, form_id)
    keep_version(workspace.versions, built)
    return built


def fit_form(workspace: Workspace, form_id: str) -> BuiltForm:
    """The same without keeping its version: as long as no phone has it, it may change.

    Raises:
        ConfigError: `dialogkit.toml` names no such form.
        FormError: as `own_form`, or it must not be served (FORM-053).
    """
    built = own_form(workspace, form_id)
    if unfit := unfit_to_serve(built.form):
        fix = "Correct what is named above; until then no phone can load it."
        raise FormError("FORM-053", form_id, "The form must not be served.", fix, unfit)
    return built


def own_form(workspace: Workspace, form_id: str) -> BuiltForm:
    """The form that `dialogkit.toml` names, built with the team constants, fit for phones or not.

    Raises:
        ConfigError: `dialogkit.toml` names no such form.
        FormError: it does not build, has another form_id (FORM-052), or was changed without a new version (FORM-050).
    """
    path = workspace.form_file(form_id)
    built = build_form(path, **team_constants(workspace))
    if built.form.form_id != form_id:
        message = f"dialogkit.toml names it {form_id}, but its form_id is {built.form.form_id}."
        fix = f"Write [forms.{built.form.form_id}] in dialogkit.toml, or correct form_id in the settings sheet."
        raise FormError("FORM-052", path.name, message, fix)
    refuse_changed(workspace.versions, built.form)
    return built


def _check(path: Path, constants: dict[str, str], *, odk: bool) -> Checked:
    try:
        built = build_form(path, **constants)
    except FormError as error:
        return Checked(path, None, error.problems or (error.problem,))
    problems = (*built.problems, *lint(built.form, path.as_posix()))
    if odk:
        problems += odk_validate(built.xml, path.as_posix()).problems
    return Checked(path, built.form, problems)


def team_constants(workspace: Workspace | None) -> dict[str, str]:
    """The two texts of the team that a workspace has for its consent notes."""
    if workspace is None:
        return {}
    section = workspace.config.workspace
    return {"team_contact": section.team_contact, "team_server": section.team_server}


def _workbook(path: Path, constants: dict[str, str]) -> bytes:
    fill_in = path.suffix.lower() == ".xlsx" and any(constants.values())
    return workbook_bytes(path, **constants) if fill_in else path.read_bytes()


def _refuse_same_id(paths: Sequence[Path], built: Sequence[BuiltForm]) -> None:
    first: dict[str, Path] = {}
    for path, one in zip(paths, built, strict=True):
        other = first.setdefault(one.form.form_id, path)
        if other is not path:
            message = f"It has the form_id {one.form.form_id}, and so has {other.as_posix()}."
            raise FormError("FORM-054", path.as_posix(), message, "Give each form a form_id of its own.")


def _refuse_same_media(built: Sequence[BuiltForm]) -> None:
    first: dict[str, Path] = {}
    for one in built:
        for name, file in one.media.items():
            other = first.setdefault(name, file)
            if other != file and sha256_of(other) != sha256_of(file):
                message = f"Another form has a different file named {name}."
                fix = "Rename one of the two, or build the forms into different folders."
                raise FormError("FORM-055", one.form.form_id, message, fix)
