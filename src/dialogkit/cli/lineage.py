"""`dialogkit form lineage`: which question of one version of a form is which of the next."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dialogkit.cli import options, output
from dialogkit.cli.printable import printable

if TYPE_CHECKING:
    from dialogkit.forms.lineage_ways import Way
    from dialogkit.model.lineage import Lineage, Step


@click.command("lineage")
@click.argument("form_id", metavar="FORM")
@click.option("--same", nargs=2, multiple=True, metavar="OLD NEW", help="OLD is NEW in a later version (paths).")
@click.option("--different", nargs=2, multiple=True, metavar="OLD NEW", help="OLD and NEW only look alike.")
@click.option("--all", "everything", is_flag=True, help="Also the questions that no version changed.")
@options.as_json
@options.workspace
def lineage(
    form_id: str,
    same: tuple[tuple[str, str], ...],
    different: tuple[tuple[str, str], ...],
    everything: bool,
    as_json: bool,
    folder: Path | None,
) -> None:
    """Say what the versions of a form did to its questions, and which renames somebody has to confirm.

    --same and --different write the answer into forms/FORM.lineage.toml.
    """
    from dialogkit.steps import lineage as step
    from dialogkit.workspace import open_workspace

    workspace = open_workspace(folder)
    if same or different:
        written = step.decide(workspace, form_id, same, different)
        output.say(f"written: {printable(written.relative_to(workspace.root).as_posix())}")
        output.say("Answers that were landed in two columns come into one with: dialogkit land --rebuild")
    seen = step.lineage(workspace, form_id)
    found, versions = seen.lineage, list(seen.versions)
    for old, new in seen.without_effect:
        output.say(f"without effect, because they cannot be one question: {printable(old)} = {printable(new)}")
    if as_json:
        output.data(_as_data(form_id, versions, found, everything))
    else:
        for line in _lines(form_id, versions, found, seen.labels, everything=everything):
            click.echo(printable(line))


def _lines(
    form_id: str, versions: list[str], found: Lineage, labels: Mapping[str, str], *, everything: bool
) -> Iterator[str]:
    from dialogkit.forms.lineage_ways import open_questions, ways_of

    ways = ways_of(found)
    changed = [way for way in ways if way.changed]
    for way in ways if everything else changed:
        yield _way(way)
    asked = open_questions(found)
    yield (
        f"{_count(len(versions), 'version')} of {form_id}, {_count(len(ways), 'question')}, {len(changed)} changed, "
        f"{len(asked)} to answer."
    )
    for step in asked:
        yield ""
        yield f"Is {_one_line(step.path)} ({_version(step)}) the same question as {_one_line(step.was)} before?"
        if step.detail:
            yield f"  {_one_line(step.detail)}"
        yield f"  before: “{_one_line(labels.get(step.was, ''))}”, now: “{_one_line(labels.get(step.path, ''))}”"
        yield f"  yes: {_command(form_id, '--same', step)}"
        yield f"  no:  {_command(form_id, '--different', step)}"


def _way(way: Way) -> str:
    """`town (1) → place (2, was) → place (3, recoded: −north +n)`; versions that changed nothing are left out."""
    parts = []
    for _, steps in groupby(way.steps, key=lambda step: step.position):
        said = [step for step in steps if step.fate != "same" or step.detail]
        if said:
            words = ", ".join(filter(None, [_version(said[0]), *map(_what, said)]))
            parts.append(f"{_one_line(said[0].path)} ({words})" if said[0].fate != "removed" else f"({words})")
    return " → ".join(parts)


def _what(step: Step) -> str:
    # What the two paths say by themselves needs no word; how it is known does.
    if step.fate in ("renamed", "moved") and step.was:
        return _one_line(", ".join(filter(None, [step.because, step.detail])))
    if step.fate in ("first", "same"):
        return _one_line(step.detail)
    return _one_line(f"{step.fate}: {step.detail}" if step.detail else step.fate)


def _version(step: Step) -> str:
    return _one_line(step.version) or "(none)"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _command(form_id: str, option: str, step: Step) -> str:
    return shlex.join(["dialogkit", "form", "lineage", form_id, option, step.was, step.path])


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _as_data(form_id: str, versions: list[str], found: Lineage, everything: bool) -> dict[str, object]:
    from dialogkit.forms.lineage_ways import open_questions

    steps = [step for step in found.steps if everything or step.fate != "same" or step.detail]
    return {
        "form_id": form_id,
        "versions": versions,
        "steps": [asdict(step) for step in steps],
        "same": dict(found.same),
        "questions": [
            {
                "version": step.version,
                "was": step.was,
                "path": step.path,
                "because": step.because,
                "detail": step.detail,
                "yes": _command(form_id, "--same", step),
                "no": _command(form_id, "--different", step),
            }
            for step in open_questions(found)
        ],
    }
