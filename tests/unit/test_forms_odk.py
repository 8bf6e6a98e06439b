"""ODK Validate, where Java is found."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dialogkit.forms import odk
from dialogkit.forms.build import build_form
from dialogkit.forms.odk import odk_validate

needs_java = pytest.mark.skipif(shutil.which("java") is None, reason="there is no Java here")


def xform(folder: Path, calculation: str) -> bytes:
    path = folder / "f.md"
    path.write_text(
        "| survey | type | name | label | calculation |\n| | integer | a | A | |\n"
        f"| | calculate | c | | {calculation} |\n"
    )
    return build_form(path).xml


@needs_java
def test_a_form_that_phones_take_is_taken(tmp_path: Path) -> None:
    verdict = odk_validate(xform(tmp_path, "${a} + 1"))
    assert (verdict.ran, verdict.ok, verdict.problems) == (True, True, ())


@needs_java
def test_a_form_that_phones_refuse_is_refused_with_the_reason_and_no_java_names(tmp_path: Path) -> None:
    verdict = odk_validate(xform(tmp_path, "duration(${a})"), "f.md")
    assert (verdict.ran, verdict.ok) == (True, False)
    (problem,) = verdict.problems
    assert (problem.code, problem.severity, problem.where) == ("FORM-040", "error", "f.md")
    assert "cannot handle function 'duration'" in problem.message
    assert not any(word in problem.message for word in ("Exception", "javarosa", ".java", "/tmp"))


def test_without_java_a_note_says_that_it_was_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    verdict = odk_validate(b"<x/>")
    assert (verdict.ran, verdict.ok) == (False, True)
    assert [(problem.code, problem.severity) for problem in verdict.problems] == [("FORM-042", "note")]


def test_a_java_that_never_ends_is_stopped_and_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = tmp_path / "java"
    slow.write_text("#!/bin/sh\nexec /bin/sleep 30\n")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(odk, "TIMEOUT", 0.2)
    verdict = odk_validate(b"<x/>")
    assert (verdict.ran, [problem.code for problem in verdict.problems]) == (False, ["FORM-043"])
