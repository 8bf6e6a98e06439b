"""What a deploy is about to do with one form, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dialogkit.errors import FormError
from dialogkit.files import md5_of
from dialogkit.forms.compare import Comparison
from dialogkit.model.form import BuiltForm, Form
from dialogkit.model.host import FormHost, Placed
from dialogkit.steps.deployments import Deployment, PlacedVersion

#: `open`: the form is there as it is here, but archived. `nothing`: all is as it should be.
Action = Literal["create", "replace", "open", "archive", "nothing"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person asks of a deploy.

    Args:
        server: another one than the form's own, by name.
        dry_run: only say what would be done.
        accept_break: replace a form although that breaks what is stored.
        archive: close the forms to phones instead of placing them.
        let_in: also give phones the right to load and send; an app user's label, a collector, or `anonymous`.
    """

    server: str = ""
    dry_run: bool = False
    accept_break: bool = False
    archive: bool = False
    let_in: str = ""


@dataclass(frozen=True)
class Ready:
    """A form that is fit for phones, as it would be uploaded; `content` is the hash of that."""

    built: BuiltForm
    workbook: bytes
    content: str

    @property
    def form(self) -> Form:
        """The form itself."""
        return self.built.form


@dataclass(frozen=True)
class Plan:
    """One form, and what is to be done.

    Args:
        host: the server.
        deployment: as noted, with the remote id that was found.
        action: what is to be done.
        ready: the form; None when it is to be archived.
        comparison: with the version that is there; None where that is not known or nothing is replaced.
        compared: whether something is replaced, so that there should be a comparison.
        let_in: whom to let in, or empty.
    """

    host: FormHost
    deployment: Deployment
    action: Action
    ready: Ready | None = None
    comparison: Comparison | None = None
    compared: bool = False
    let_in: str = ""


def action_of(noted: Deployment, ready: Ready, placed: Placed | None) -> Action:
    """Whether a form has to be created, replaced or opened, or is as it should be."""
    if placed is None:
        return "create"
    last = noted.done[-1] if noted.done and noted.done == noted.versions else None
    as_noted = last is not None and (last.content, last.remote_version) == (ready.content, placed.remote_version)
    whole = all(placed.media.get(name) == md5_of(path) for name, path in ready.built.media.items())
    if not (as_noted and whole):
        return "replace"
    return "nothing" if placed.active else "open"


def refuse_used_version(noted: Deployment, ready: Ready, placed: Placed | None) -> None:
    """Two contents under one version could not be told apart.

    Raises:
        FormError: FORM-071, the version was placed with another content.
    """
    for one in _taken(noted, placed):
        if one.version == ready.form.version and one.content != ready.content:
            raise _used(ready.form)


def refuse_same_version(comparison: Comparison) -> None:
    """The same of a version that somebody else placed.

    Raises:
        FormError: FORM-071, the server has the version with another content.
    """
    if any(change.kind == "version_unchanged" for change in comparison.changes):
        raise _used(comparison.new)


def begun_before(noted: Deployment, content: str) -> bool:
    """Whether a run was stopped while it placed this very content."""
    return any(one.content == content and not one.deployed_at for one in noted.versions)


def _taken(noted: Deployment, placed: Placed | None) -> tuple[PlacedVersion, ...]:
    """Versions that are or were on the server: also one that a killed run placed without noting that it did."""
    known = {one.remote_version for one in noted.done}
    return noted.versions if placed is not None and placed.remote_version not in known else noted.done


def _used(form: Form) -> FormError:
    return FormError(
        "FORM-071",
        f"{form.form_id}, version {form.version or '(none)'}",
        "This version was deployed already, and the workbook, the media or the texts of the team differ.",
        "Raise version in the settings sheet: answers to two wordings must be told apart.",
    )
