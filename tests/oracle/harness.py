"""Runs JavaRosa, the engine of ODK Collect, over forms and submissions and reads what it found."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from pyxform.validators.odk_validate import ODK_VALIDATE_PATH

from dialogkit.model.form import BuiltForm

_SOURCE: Final = Path(__file__).with_name("Oracle.java")
#: What the tests of this folder need; without it they are skipped.
HAS_JAVAC: Final = shutil.which("javac") is not None
NO_JAVAC: Final = "there is no javac (a JDK): JavaRosa cannot be asked"
#: The clock of every submission unless the test says other.
NOW: Final = "2026-11-20T10:11:12.345Z"


@dataclass(frozen=True, slots=True)
class Judged:
    """What JavaRosa says of one node of one submission.

    Args:
        relevant: also by the groups above.
        required: false for a group.
        value: as JavaRosa writes it; kept where the node is not relevant. Of a calculation: recomputed.
        constraint: None where the node has none, no value or is not relevant; a text where the evaluation failed.
        chosen: of a select with a value: each chosen code and whether the (filtered) list offers it.
        group: whether the node holds others.
        readonly: by its bind.
    """

    relevant: bool
    required: bool = False
    value: str = ""
    constraint: bool | str | None = None
    chosen: Mapping[str, bool] | str | None = None
    group: bool = False
    readonly: bool = False


@dataclass(frozen=True, slots=True)
class Count:
    """A repeat with `jr:count` below one parent: its rows, and what the count says (None when empty)."""

    path: str
    rows: int
    count: int | str | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What finishing the form gives.

    Args:
        status: accepted, required, constraint or error; the first that Collect would stop at.
        path: of the node that it stops at.
        error: what JavaRosa said.
    """

    status: str
    path: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """One submission.

    Args:
        nodes: by place, `g/rep[2]/q` (rows count from one), in the order of the form.
        counts: of repeats with a count.
        outcome: None with an `error`.
        after: values after finishing: choices outside their list are taken away, rows up to the count are there.
        unsettled: places of calculations that give another value each time, such as random().
        error: why JavaRosa could not take the submission in; empty otherwise.
    """

    nodes: Mapping[str, Judged] = field(default_factory=dict)
    counts: tuple[Count, ...] = ()
    outcome: Outcome | None = None
    after: Mapping[str, str] = field(default_factory=dict)
    unsettled: frozenset[str] = frozenset()
    error: str = ""


@dataclass(frozen=True, slots=True)
class ToldForm:
    """One form: its submissions in the order in which they were given, or why JavaRosa cannot load it."""

    submissions: tuple[Told, ...] = ()
    error: str = ""


class Oracle:
    """One Java process that judges any number of forms; use it as a context manager.

    Args:
        work: a folder of its own: classes, forms and answers go there.
        zone: the time zone of the phone.
    """

    def __init__(self, work: Path, zone: str = "UTC") -> None:
        self._work = work
        self._zone = zone
        self._asked = 0
        self._java: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        classes = self._work / "classes"
        classes.mkdir(parents=True, exist_ok=True)
        compile_ = ["javac", "-nowarn", "-Xlint:-deprecation", "-cp", ODK_VALIDATE_PATH, "-d", str(classes)]
        subprocess.run([*compile_, str(_SOURCE)], check=True, capture_output=True)
        facts = ["-Xmx512m", "-XX:+UseSerialGC", "-Dfile.encoding=UTF-8", f"-Duser.timezone={self._zone}"]
        facts += ["-Duser.language=en", "-cp", f"{ODK_VALIDATE_PATH}:{classes}", "Oracle"]
        log = (self._work / "java.log").open("w")
        self._java = subprocess.Popen(
            ["java", *facts], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._java is not None
        self._java.communicate()

    def judge(self, built: BuiltForm, instances: Sequence[bytes], now: str = NOW) -> ToldForm:
        """JavaRosa's word on instances of a form, at the moment `now`."""
        self._asked += 1
        folder = self._work / f"form_{self._asked}"
        (folder / "media").mkdir(parents=True)
        (folder / "form.xml").write_bytes(built.xml)
        for name, file in built.media.items():
            shutil.copyfile(file, folder / "media" / name)
        lines = [base64.b64encode(instance).decode() for instance in instances]
        (folder / "submissions.txt").write_text("".join(f"{line}\n" for line in lines))
        self._ask(folder, now)
        first, *others = [json.loads(line) for line in (folder / "out.jsonl").read_text().splitlines()]
        shutil.rmtree(folder)
        return ToldForm(tuple(_told(one) for one in others), first.get("error", ""))

    def _ask(self, folder: Path, now: str) -> None:
        java = self._java
        assert java is not None and java.stdin is not None and java.stdout is not None
        java.stdin.write(f"{folder}\t{now}\n")
        java.stdin.flush()
        if java.stdout.readline() != "done\n":
            raise RuntimeError(f"the oracle died: {(self._work / 'java.log').read_text()[-2000:]}")


def _told(line: Mapping[str, Any]) -> Told:
    if "error" in line:
        return Told(error=line["error"])
    nodes = {place: Judged(**node, group="value" not in node) for place, node in line["nodes"].items()}
    counts = tuple(Count(**one) for one in line["counts"])
    outcome = Outcome(**line["outcome"])
    return Told(nodes, counts, outcome, line.get("after", {}), frozenset(line["unsettled"]))
