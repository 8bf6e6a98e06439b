"""The README of a release: what it holds, what was left out and why, in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

_FILES: Final = (
    "- `extracts/`: one table a form and one a repeat, as CSV and as Parquet.",
    "- `codebook.csv`, `codebook.md`: every variable, with its labels, and those that were left out with the reason.",
    "- `choices.csv`: the codes of choices, with their labels.",
    "- `datapackage.json`: the same for programs (Data Package 2.0).",
    "- `findings/`: cross-country figures, each with its base; `findings/about.csv` says what they count.",
    "- `manifest.json`: counts, versions and checksums; `SHA256SUMS`: checksums of every file.",
)
_RULES: Final = (
    "Names, contacts and exact places are never in a release. What can identify in combination, and everything that",
    "was typed in sentences, stays out until it is generalised or cleared by a person. Records read from published",
    "pages show what their page already publishes, by country at most and without names.",
    "These are not random samples: figures speak of the dialogues and groups that answered, never of a country.",
    "Withdrawals are not recorded by this version of dialogkit.",
    "A blank of a record from a published page means: not stated in the source.",
    "To check the files: dialogkit verify, or sha256sum -c SHA256SUMS",
)
_FORMS: Final = ("| form | title | accepted records | in this release |", "|---|---|---|---|")
_LEFT_OUT: Final = ("| form | records | because |", "|---|---|---|")
_REDUCED: Final = ("| form | records | what was taken away |", "|---|---|---|")
_HEADINGS: Final = (
    "## What is in it",
    "## What was left out, and why",
    "Of records that are in it:",
    "## How to read it",
)
_FACTS: Final[Mapping[str, str]] = {
    "name": "Release",
    "date": "Date",
    "licence": "Licence",
    "sign_off": "Signed off by",
}
_FINDINGS: Final = "Findings are left out"
_NOBODY: Final = "nobody"


def static_lines() -> tuple[str, ...]:
    """Every line, and part of a line, that is the same in all releases."""
    return (*_FORMS, *_LEFT_OUT, *_REDUCED, *_HEADINGS, *_FILES, *_RULES, *_FACTS.values(), _NOBODY, _FINDINGS)


def page(manifest: Mapping[str, Any]) -> str:
    """The text of `README.md`."""
    return "\n".join(_lines(manifest)) + "\n"


def _lines(manifest: Mapping[str, Any]) -> Iterator[str]:
    forms = manifest["forms"]
    yield from (f"# {manifest['title']}", "")
    for key, fact in _FACTS.items():
        yield f"- {fact}: {_NOBODY if manifest[key] is None else manifest[key]}"
    yield from ("", *_FORMS)
    yield from (f"| {form['form_id']} | {form['title']} | {form['accepted']} | {form['published']} |" for form in forms)
    yield from ("", _HEADINGS[0], "", *_FILES)
    if manifest["findings_left_out"]:
        yield f"- {_FINDINGS}: {manifest['findings_left_out']}"
    yield from ("", _HEADINGS[1], "", *_LEFT_OUT)
    yield from _table(forms, "left_out")
    yield from ("", _HEADINGS[2], "", *_REDUCED)
    yield from _table(forms, "reduced")
    yield from ("", _HEADINGS[3], "", *_RULES)


def _table(forms: Sequence[Mapping[str, Any]], what: str) -> Iterator[str]:
    for form in forms:
        yield from (f"| {form['form_id']} | {count} | {why} |" for why, count in form[what].items())
