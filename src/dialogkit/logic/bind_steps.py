"""Where paths of a form lie, and what conditions in brackets mean on phones: the small steps of binding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from dialogkit.logic.parse import NotDecidable, Number, Step
from dialogkit.logic.tree import Function, Operation, Position, Tree
from dialogkit.model.form import Form


class NotThere(NotDecidable):
    """A path at which the form has nothing: a phone reads nothing there (`= PP`, where a text was meant)."""


def source_of(form: Form, name: str) -> tuple[Literal["list", "file"], str]:
    """What `instance('name')` is: a choice list, or a file under its whole name where a question names it."""
    if name in form.choice_lists:
        return "list", name
    files = {question.list_name for question in form.questions if "." in question.list_name}
    return "file", next((file for file in sorted(files) if file == name or file.rpartition(".")[0] == name), name)


def around(form: Form, path: str) -> list[str]:
    """The repeats around a path (itself not), outermost first."""
    return [section.path for section in form.sections_above(path) if section.kind == "repeat"]


def walked(path: str, steps: Sequence[Step]) -> str:
    """Where steps lead from a path."""
    for step in steps:
        if step.name == "..":
            path = path.rpartition("/")[0]
        elif step.name == "*":
            raise NotDecidable("the path takes * for a name")
        elif step.name != ".":
            path = f"{path}/{step.name}" if path else step.name
    return path


def judging(condition: Tree) -> Tree:
    """A condition on rows. A bare number lets no row through: phones take a yes only, so `[1]` is not the first row."""
    return Function("false", ()) if isinstance(condition, Number) else condition


def at_place(place: Tree) -> Tree:
    """Whether a row stands at a place as `indexed-repeat()` reads it: what is no whole number from 1 on means 1."""
    first = Number("1")
    return Operation("=", Position(), Function("max", (first, Function("int", (place,)))))
