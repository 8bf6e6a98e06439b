"""Asks ODK Validate, the judge that phones and servers use, where Java is found."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pyxform.validators.error_cleaner import ErrorCleaner
from pyxform.validators.odk_validate import ODK_VALIDATE_PATH

from dialogkit.problem import Problem

TIMEOUT: Final = 60
_NOISE: Final = re.compile(
    r"^\s*(?:>>.*|Result: .*|Caused by: .*|\.\.\. \d+ more|The following files .*|\S*form\S*\.xml|)\s*$"
)
_CLASS: Final = re.compile(r"^(?:(?:[a-z]+\.)+[A-Z]\w+(?:Exception|Error))?[:\s]*")


@dataclass(frozen=True)
class Verdict:
    """What ODK Validate says: whether it ran, whether it takes the form, and its words."""

    ran: bool
    ok: bool
    problems: tuple[Problem, ...]


def odk_validate(xml: bytes, where: str = "XForm") -> Verdict:
    """Check an XForm with the ODK Validate that comes inside pyxform; `where` names it in the problems."""
    java = shutil.which("java")
    if java is None:
        fix = "Install Java 11 or later to have it checked, or leave it out with --no-odk-validate."
        note = Problem("FORM-042", "note", where, "ODK Validate was not run: there is no Java here.", fix)
        return Verdict(ran=False, ok=True, problems=(note,))
    with tempfile.TemporaryDirectory(prefix="dialogkit-") as folder:
        file = Path(folder) / "form.xml"
        file.write_bytes(xml)
        command = [java, "-Xmx512m", "-Djava.awt.headless=true", "-jar", ODK_VALIDATE_PATH, str(file)]
        try:
            done = subprocess.run(command, capture_output=True, timeout=TIMEOUT, check=False, stdin=subprocess.DEVNULL)
        except (subprocess.TimeoutExpired, OSError) as error:
            message = f"ODK Validate did not come to an end ({type(error).__name__})."
            fix = "Try again, or leave it out with --no-odk-validate."
            return Verdict(ran=False, ok=True, problems=(Problem("FORM-043", "warning", where, message, fix),))
    if done.returncode == 0:
        return Verdict(ran=True, ok=True, problems=())
    said = _lines(done.stderr.decode("utf-8", "replace")) or ["ODK Validate refuses the form without saying why."]
    fix = "Correct the expression that is named; phones would refuse the form too."
    return Verdict(ran=True, ok=False, problems=(Problem("FORM-040", "error", where, " ".join(said), fix),))


def _lines(stderr: str) -> list[str]:
    """Its words without the names of Java classes and the traces, each once."""
    cleaned: str = ErrorCleaner.odk_validate(stderr) or ""
    lines = (_CLASS.sub("", line).strip() for line in cleaned.splitlines() if not _NOISE.match(line))
    return list(dict.fromkeys(line for line in lines if line))
