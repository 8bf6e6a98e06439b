"""Runs the cells of docs/reading.ipynb on a demo and writes what they show: `python scripts/notebook.py`.

No Jupyter is needed: with nbclient and ipykernel come 27 packages, for a page of a dozen cells.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd

from dialogkit.steps.demo import demo

PAGE = Path(__file__).parents[1] / "docs" / "reading.ipynb"
#: As a notebook shows frames, whatever the width of the terminal that this runs in.
_DISPLAY = ("display.width", 100, "display.max_columns", 20, "display.max_rows", 60, "display.max_colwidth", 50)


def shown(notebook: dict[str, Any]) -> dict[str, Any]:
    """The notebook with what its cells give in this folder. An error in a cell is raised."""
    names: dict[str, Any] = {"__name__": "__main__"}
    number, cells = 0, []
    with pd.option_context(*_DISPLAY):
        for cell in notebook["cells"]:
            if cell["cell_type"] != "code":
                cells.append(cell)
                continue
            number += 1
            outputs = _run("".join(cell["source"]), names, number)
            cells.append(cell | {"execution_count": number, "outputs": outputs})
    return notebook | {"cells": cells}


def text_of(notebook: dict[str, Any]) -> str:
    """As the file has it."""
    return json.dumps(notebook, ensure_ascii=False, indent=1) + "\n"


def _run(source: str, names: dict[str, Any], number: int) -> list[dict[str, Any]]:
    """What a cell prints, and the value of the expression at its end."""
    tree = ast.parse(source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    value = None
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(tree, "cell", "exec"), names)  # noqa: S102 - the cells of our own page
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), "cell", "eval"), names)  # noqa: S307 - as above
    outputs: list[dict[str, Any]] = []
    if printed.getvalue():
        outputs.append({"name": "stdout", "output_type": "stream", "text": _lines(printed.getvalue())})
    if value is not None:
        data = {"text/plain": _lines(repr(value))}
        if html := getattr(value, "_repr_html_", None):
            data = {"text/html": _lines(html())} | data
        outputs.append({"data": data, "execution_count": number, "metadata": {}, "output_type": "execute_result"})
    return outputs


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def main() -> None:
    """Write the page again."""
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        with demo(Path("demo"), "127.0.0.1:0"):
            pass
        PAGE.write_text(text_of(shown(json.loads(PAGE.read_text(encoding="utf-8")))), encoding="utf-8")
        os.chdir(PAGE.parent)


if __name__ == "__main__":
    main()
