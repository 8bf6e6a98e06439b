"""A workbook as Markdown, so that a change of a form can be read in review."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from dialogkit.forms.columns import settings_of
from dialogkit.forms.markdown import write_table
from dialogkit.forms.workbook import Workbook, read_workbook

_ORDER: Final = ("survey", "choices", "settings")


def render_markdown(path: Path) -> str:
    """The sheets of the workbook at `path`, one table each. `build_form` reads it back into the same form.

    Raises:
        FormError: the file is not a workbook.
    """
    return render(read_workbook(path))


def render(workbook: Workbook) -> str:
    """The same for a workbook that is open."""
    title = " ".join(settings_of(workbook).get("form_title", workbook.path.stem).split())
    names = [name for name in _ORDER if name in workbook.sheets]
    names += sorted(set(workbook.sheets) - set(_ORDER))
    tables = [write_table(name, workbook.sheets[name].headers, workbook.sheets[name].rows) for name in names]
    return "\n".join([f"# {title}\n", *tables])
