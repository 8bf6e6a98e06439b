"""Ask JavaRosa: `python -m tests.oracle.ask FORM [ANSWERS]`, or `-e EXPRESSION` any number of times.

FORM is a workbook or a markdown file (`-` reads markdown from the standard input). ANSWERS is a JSON file or JSON: one
set of canonical answers or a list of them, `{"g/q": "1", "rep": [{"rep/x": "2"}]}`. What is told is JSON; nothing that
is false or empty stands in it. An expression may read the empty questions `none` (text), `no` (integer) and `day`.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dialogkit.errors import FormError
from dialogkit.forms.build import build_form
from tests.oracle.harness import NOW, Oracle, Told
from tests.oracle.instances import instance_of

_AROUND = """| survey |
| | type | name | label | calculation |
| | text | none | Q | |
| | integer | no | Q | |
| | date | day | Q | |
| | calculate | e | | {} |
"""


def main() -> None:
    """Read the command line, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("form", nargs="?", default="")
    parser.add_argument("answers", nargs="?", default="{}")
    parser.add_argument("-e", "--expression", action="append", default=[])
    parser.add_argument("--now", default=NOW, help="the moment of the phone")
    parser.add_argument("--zone", default="UTC", help="its time zone")
    parser.add_argument("--only", default="", help="nodes whose place contains this")
    parser.add_argument("--short", action="store_true", help="the values alone")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Oracle(Path(folder) / "work", args.zone) as oracle:
        for expression in args.expression:
            print(expression, "→", _value(oracle, Path(folder) / "asked.md", expression, args.now))
        if args.form:
            path = Path(args.form)
            if args.form == "-":
                path = Path(folder) / "asked.md"
                path.write_text(sys.stdin.read(), encoding="utf-8")
            for told in _judge(oracle, path, _read(args.answers), args.now):
                print(json.dumps(_shown(told, args.only, args.short), ensure_ascii=False, indent=1))


def _read(text: str) -> list[Any]:
    found = json.loads(text if text.lstrip()[:1] in "[{" else Path(text).read_text(encoding="utf-8"))
    return found if isinstance(found, list) else [found]


def _judge(oracle: Oracle, path: Path, answers: list[Any], now: str) -> tuple[Told, ...]:
    built = build_form(path)
    told = oracle.judge(built, [instance_of(built, one) for one in answers], now)
    return told.submissions or (Told(error=told.error),)


def _value(oracle: Oracle, path: Path, expression: str, now: str) -> str:
    path.write_text(_AROUND.format(expression), encoding="utf-8")
    try:
        (told,) = _judge(oracle, path, [{}], now)
    except FormError as error:
        return f"{error.problem.code}: {error.problem.message}"
    return told.error or json.dumps(told.nodes["e"].value, ensure_ascii=False)


def _shown(told: Told, only: str, short: bool) -> dict[str, Any]:
    nodes = {place: node for place, node in told.nodes.items() if only in place and not place.startswith("meta")}
    if short:
        return {"error": told.error, "values": {place: node.value for place, node in nodes.items() if not node.group}}
    data = asdict(told) | {"unsettled": sorted(told.unsettled)}
    data["nodes"] = {
        place: {key: value for key, value in asdict(node).items() if value not in (None, False)}
        for place, node in nodes.items()
    }
    return data


if __name__ == "__main__":
    main()
