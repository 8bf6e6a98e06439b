"""The codebook of a release: every variable, published or left out, as a table and as a page to read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from dialogkit.publish.extract import write_csv
from dialogkit.publish.variables import Extract, Variable

_FACTS = ("table", "name", "alias", "type", "concept", "hxl", "disclosure", "published", "left_out_because")
_HOW_TO_READ = (
    "Cells are blank where nothing was answered or the value is not published. Several choices in one cell are",
    "separated by a space (a list in the Parquet files). A text that a spreadsheet would run as a formula has an",
    "apostrophe before it in the CSV files. The labels of choices are in `choices.csv` and `datapackage.json`.",
)
_PUBLISHED = "| variable | alias | type | label | concept |"
_LEFT_OUT = "| variable | class | because |"
_OWN = {
    "record": "Number of the record in this release; it changes with every release.",
    "row": "Number of the row in its record.",
    "parent_row": "Number of the row that this one belongs to.",
}


def write_codebook(folder: Path, extracts: Sequence[Extract]) -> None:
    """Write `codebook.csv`, `choices.csv` and `codebook.md` into `folder`."""
    languages = _languages(extracts)
    labels = tuple(f"label::{language}" if language else "label" for language in languages)
    write_csv(folder / "codebook.csv", (*_FACTS, *labels), _rows(extracts, languages))
    write_csv(folder / "choices.csv", ("table", "name", "choice", *labels), _choices(extracts, languages))
    (folder / "codebook.md").write_text("\n".join(_page(extracts)) + "\n", encoding="utf-8")


def static_lines() -> tuple[str, ...]:
    """Texts that are the same in every codebook."""
    words = ("choice", "Codebook", "Left out:", "yes", "no")
    return (*_FACTS, *words, *_OWN.values(), _PUBLISHED, _LEFT_OUT, *_HOW_TO_READ)


def _languages(extracts: Sequence[Extract]) -> list[str]:
    found: dict[str, None] = {}
    for extract in extracts:
        for variable in extract.variables:
            found |= dict.fromkeys(variable.labels)
    return list(found)


def _rows(extracts: Sequence[Extract], languages: Sequence[str]) -> Iterator[list[object]]:
    for extract in extracts:
        for name in extract.own:
            yield [extract.stem, name, name, "integer", "", "", "none", "yes", "", *_own_labels(name, languages)]
        for variable in extract.variables:
            labels = [variable.labels.get(language, "") for language in languages]
            yield [*_facts(extract, variable), *labels]


def _own_labels(name: str, languages: Sequence[str]) -> list[str]:
    """Ours are in English: under that language, or under the first where the form has none of that name."""
    english = next((n for n, one in enumerate(languages) if one == "en" or one.endswith("(en)")), 0)
    return [_OWN[name] if place == english else "" for place in range(len(languages))]


def _facts(extract: Extract, variable: Variable) -> list[object]:
    return [
        extract.stem,
        variable.name,
        variable.alias,
        variable.kind,
        variable.concept,
        variable.hxl,
        variable.disclosure,
        "no" if variable.left_out else "yes",
        variable.left_out,
    ]


def _choices(extracts: Sequence[Extract], languages: Sequence[str]) -> Iterator[list[object]]:
    for extract in extracts:
        for variable in extract.published:
            for code, labels in variable.choices.items():
                yield [extract.stem, variable.name, code, *(labels.get(language, "") for language in languages)]


def _page(extracts: Sequence[Extract]) -> Iterator[str]:
    yield "# Codebook"
    yield ""
    yield from _HOW_TO_READ
    for extract in extracts:
        yield from [
            "",
            f"## {extract.stem}",
            "",
            _PUBLISHED,
            "|---|---|---|---|---|",
        ]
        for name in extract.own:
            yield f"| {name} | {name} | integer | {_OWN[name]} |  |"
        for one in extract.published:
            yield f"| {one.name} | {one.alias} | {one.kind} | {_label(one)} | {one.concept} |"
        if left_out := [one for one in extract.variables if one.left_out]:
            yield from ["", "Left out:", "", _LEFT_OUT, "|---|---|---|"]
            for one in left_out:
                yield f"| {one.name} | {one.disclosure} | {one.left_out} |"


def _label(variable: Variable) -> str:
    text = next((text for text in variable.labels.values() if text), "")
    return " ".join(text.replace("|", "\\|").split())
