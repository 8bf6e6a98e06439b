"""How the story of a submission is told on a terminal, by `explain`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from dialogkit.cli import output
from dialogkit.steps.explain import Explained, Waiting
from dialogkit.warehouse.explain import Correction, Decision, Story, Version

_DECIDED: Final = {"release": "released", "drop": "dropped"}
#: Kinds of issues that are no type.
_ISSUES: Final = {
    "twice": "answered under an earlier name too; the answer under the newer one stands in the table",
    "audit": "the audit file cannot be read to its end",
}
_RELEASES: Final = {
    "yes": "its record is in it",
    "no": "its record is not in it",
    "perhaps": "it was accepted then; the snapshot is gone that could tell whether its record is in it",
}


def show_story(one: Explained) -> None:
    """The story on stdout: a table of what happened, then what is known of the version that holds now."""
    story = one.story
    lines = _happened(story) if story else []
    lines += [(_time(wait.at), _waits(wait)) for wait in one.waiting]
    title = f"{one.form_id}, submission {one.submission_id}: {story.state if story else 'not landed yet'}"
    output.table(["when (UTC)", "what happened"], lines, title)
    if story is not None:
        _show_now(story)
    if one.releases:
        rows = [[it.name, it.date, _RELEASES[it.held]] for it in one.releases]
        output.table(["release", "date", "this submission"], rows, "Releases of its form (they carry no ids)")


def _happened(story: Story) -> list[tuple[str, str]]:
    """What happened at each time, oldest first; a decision comes after the version that it was about."""
    told: list[tuple[datetime, int, str]] = []
    for before, version in zip((None, *story.versions), story.versions, strict=False):
        if before is None or before.batch_id != version.batch_id:
            told.append((version.since, 0, _received(version)))
        # A decision ends the held version and begins another of the same batch: the decision itself tells that.
        elif before.state != "held" or version.reason not in {one.reason for one in story.decisions}:
            told.append((version.since, 2, f"landed again, by the ledger of corrections\n{_became(version)}"))
    told += [(one.at, 1, _decided(one)) for one in story.decisions]
    told += [(one.at, 1, _corrected(one)) for one in story.corrections]
    return [(_utc(at), text) for at, _, text in sorted(told, key=lambda line: line[:2])]


def _received(version: Version) -> str:
    return "\n".join(filter(None, [*_arrival(version), _became(version)]))


def _became(version: Version) -> str:
    if version.state == "held":
        return f"held, because it breaks {version.reason}"
    if version.state == "refused":
        return f"refused: {version.reason}"
    return "deleted: it is no longer on the server" if version.state == "deleted" else version.state


def _arrival(version: Version) -> Iterator[str]:
    came = "imported" if version.origin == "import" else f"received from {version.server or 'a server'}"
    yield f"{came}, batch {version.batch_id}"
    if version.state == "deleted":
        return
    known = "" if version.version_known else ", which nobody here knows"
    yield f"form version {version.form_version or '(none)'}{known}; instance {version.instance_id}"
    facts = [f"submitted {_utc(version.submitted_at)}"] if version.submitted_at else []
    facts += ["edited"] if version.edited else []
    facts += [f"review: {version.review_state}"] if version.review_state else []
    facts += [f"landed {_utc(version.landed_at)}"] if version.landed_at else []
    yield "; ".join(facts)


def _decided(one: Decision) -> str:
    return f"{_DECIDED.get(one.decision, one.decision)} by {one.by}: {one.reason}"


def _corrected(one: Correction) -> str:
    if one.undoes:
        return f"correction {one.undoes} taken back by {one.by}: {one.why}"
    place = _where(one.path, one.row)
    return f"correction {one.id} by {one.by}, {place}, {one.change}: {one.why}\n{one.state}"


def _waits(wait: Waiting) -> str:
    return f"received from {wait.server or 'an import'}; batch {wait.batch_id}\nwaits: load it with dialogkit land"


def _show_now(story: Story) -> None:
    broken = [[one.rule, _where(one.path, one.row), one.action, one.message] for one in story.violations]
    _show(["rule", "where", "action", "what it says"], broken, "Rules that it breaks")
    issues = [[_where(one.path, one.row), _ISSUES.get(one.kind, f"does not fit {one.kind}")] for one in story.issues]
    _show(["where", "problem"], issues, "Answers that do not stand in a column")
    drift = [[_where(one.path, one.row)] for one in story.drift]
    _show(["where"], drift, "Unknown questions")
    rows = [[table, schema, count] for table, places in (story.rows or {}).items() for schema, count in places.items()]
    _show(["table", "schema", "rows"], rows, "Rows in the warehouse")
    if story.file_sizes:
        output.table(["attachments", "bytes, largest first"], [[len(story.file_sizes), _sizes(story.file_sizes)]])
    if story.sources:
        output.table(["values with a source sentence"], [[story.sources]])


def _show(columns: Sequence[str], rows: Sequence[Sequence[object]], title: str) -> None:
    if rows:
        output.table(columns, rows, title)


def _sizes(sizes: Sequence[int]) -> str:
    shown = ", ".join(map(str, sizes[:5]))
    return f"{shown}, …" if len(sizes) > 5 else shown


def _where(path: str, row: str) -> str:
    # A rule about the rows of a repeat may name no question of it.
    return ", ".join(filter(None, [path, f"row {row}" if row else ""])) or "whole submission"


def _time(text: str) -> str:
    try:
        return _utc(datetime.fromisoformat(text))
    except ValueError:
        return text


def _utc(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
