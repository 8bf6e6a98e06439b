"""Writes docs/codes.md, the table of all codes, from the places in the source: `python scripts/codes.py`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dialogkit import errors

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "dialogkit"
Texts = dict[str, list[tuple[int, str]]]
CODE = re.compile(r"[A-Z]+-[0-9]{3}")

_HEAD = """\
# Codes

<!-- Written by scripts/codes.py from the source; a test fails when it is not current. -->

Every problem and every error has a code that is never used for anything else. A message says where, what is wrong and
what to do; `…` stands for a name, a number or a place. A command that cannot go on ends with the exit code of its
family; `held`, `warning` and `note` stop nothing. 1 is a defect of ours, 2 is wrong usage of the command.
"""
#: Family → its title and the exit code of a command that ends so.
_FAMILIES = {
    "CONFIG": ("Settings, rules and the workspace", 3),
    "FORM": ("Forms", 4),
    "SERVER": ("Form servers", 5),
    "BATCH": ("Batches and imports", 6),
    "NORMALIZE": ("Answers into tables", 7),
    "RULES": ("Rules that stop a landing", 8),
    "CORRECT": ("Corrections", 3),
    "WAREHOUSE": ("The warehouse", 9),
    "RELEASE": ("Releases", 10),
    "FILE": ("Files and folders", 3),
    "DEFECT": ("Our own faults", 1),
}
#: What stands after the code in a call of each; all others are helpers and say `message, fix`.
_PARTS: Mapping[str, tuple[str, ...]] = {
    **{
        name: ("where", "message", "fix")
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, errors.DialogkitError)
    },
    "Problem": ("severity", "where", "message", "fix"),
    "_kind": ("fix",),
    "_refusal": ("where", "rule", "message", "fix"),
}


@dataclass(frozen=True)
class Given:
    """One place that gives a code. `message` or `fix` is empty where another program or a variable says it."""

    code: str
    severity: str
    message: str
    fix: str


def all_given() -> list[Given]:
    """Every place in the source that gives a code, by code."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in sorted(SOURCE.rglob("*.py"))]
    shared: Texts = {}
    for tree in trees:
        # A text that several modules use stands in one of them, in capitals.
        shared |= {name: texts for name, texts in _assigned(tree.body, {}).items() if name.strip("_").isupper()}
    found = {given for tree in trees for given in _in(tree, shared, "")}
    found |= {given for tree in trees for given in _handed_on(tree, shared)}
    silent = {Given(one.code, one.severity, "", "") for one in found if one.message or one.fix}
    found -= silent
    return sorted(found, key=lambda given: (given.code, given.message, given.fix))


def page() -> str:
    """The whole page."""
    by_code: dict[str, list[Given]] = {}
    for given in all_given():
        by_code.setdefault(given.code, []).append(given)
    parts = [_HEAD]
    for family, (title, number) in _FAMILIES.items():
        codes = [code for code in by_code if code.rpartition("-")[0] == family]
        parts.append(
            f"\n## {title} (exit code {number})\n\n| code | | what is wrong | what to do |\n|---|---|---|---|\n"
        )
        parts += [_row(code, by_code[code]) for code in codes]
    return "".join(parts)


def _row(code: str, given: list[Given]) -> str:
    severity = ", ".join(dict.fromkeys(one.severity for one in given))
    messages = "<br>".join(dict.fromkeys(_cell(one.message) for one in given if one.message))
    fixes = "<br>".join(dict.fromkeys(_cell(one.fix) for one in given if one.fix))
    return f"| {code} | {severity} | {messages} | {fixes} |\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


def _in(node: ast.AST, texts: Texts, callee: str) -> Iterator[Given]:
    """Codes given below `node`; `texts` are the names that hold a text here."""
    if isinstance(node, ast.Module | ast.FunctionDef):
        texts = {**texts, **_assigned(ast.walk(node) if isinstance(node, ast.FunctionDef) else node.body, texts)}
    if isinstance(node, ast.Call):
        callee = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    arguments = node.args if isinstance(node, ast.Call) else node.elts if isinstance(node, ast.Tuple) else []
    for place, argument in enumerate(arguments):
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str) and CODE.fullmatch(argument.value):
            parts = _PARTS.get(callee if isinstance(node, ast.Call) else "", ("message", "fix"))
            said = dict(zip(parts, (_text(other, texts) for other in arguments[place + 1 :]), strict=False))
            said |= {word.arg: _text(word.value, texts) for word in getattr(node, "keywords", []) if word.arg}
            severity = said.get("severity") or "error"
            yield Given(argument.value, severity, said.get("message", ""), said.get("fix", ""))
    for child in ast.iter_child_nodes(node):
        yield from _in(child, texts, callee)


def _handed_on(tree: ast.Module, texts: Texts) -> Iterator[Given]:
    """Codes of a function that is itself called with the words: `_not_added("…", "…")`."""
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        names = [argument.arg for argument in function.args.args]
        given = [one for one in _in(function, texts, "") if not one.message] if "message" in names else []
        for call in ast.walk(tree):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == function.name:
                said = dict(zip(names, (_text(argument, texts) for argument in call.args), strict=False))
                yield from (Given(one.code, one.severity, said["message"], said.get("fix", "")) for one in given)


def _assigned(nodes: Iterable[ast.AST], above: Texts) -> Texts:
    """Name → the texts that it is given, each with its line."""
    found: Texts = {}
    for node in nodes:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                if isinstance(target, ast.Name) and (text := _text(node.value, above)):
                    found.setdefault(target.id, []).append((node.lineno, text))
    return found


def _text(node: ast.AST, texts: Texts) -> str:  # noqa: PLR0911 - one return for each kind of node
    """What a person reads, with `…` for what is filled in."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
    if isinstance(node, ast.Name):
        before = [text for line, text in sorted(texts.get(node.id, [])) if line < node.lineno]
        return (before or [text for _, text in texts.get(node.id, [])] or [""])[-1]
    if isinstance(node, ast.IfExp):
        return " / ".join(filter(None, (_text(node.body, texts), _text(node.orelse, texts))))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return (_text(node.left, texts) or "…") + (_text(node.right, texts) or "…")
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "strip":
        return _text(node.func.value, texts).strip()
    return ""


if __name__ == "__main__":
    ROOT.joinpath("docs", "codes.md").write_text(page(), encoding="utf-8")
