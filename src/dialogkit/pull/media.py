"""Which submissions wait for a file that one of their answers names."""

from __future__ import annotations

from collections.abc import Iterator, Set

from dialogkit.files import safe_name
from dialogkit.model.form import Form
from dialogkit.model.submission import Answers, Submission


def waits_for_media(form: Form, submission: Submission) -> bool:
    """Whether an answer names a file that has not come: phones send large ones later, or it was lost on the way."""
    if submission.sealed or submission.deleted_at or not form.file_paths:
        return False
    here = {file.name for file in submission.attachments}
    return any(safe_name(name) not in here for name in _named(submission.answers, form.file_paths))


def _named(answers: Answers, paths: Set[str]) -> Iterator[str]:
    for path, value in answers.items():
        if isinstance(value, str):
            if path in paths and value.strip():
                yield value
        else:
            for row in value:
                yield from _named(row, paths)
