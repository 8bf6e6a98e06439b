"""One problem in somebody's data or form: a value that is collected, never raised."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

Severity = Literal["error", "held", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, where, and what to do about it.

    Args:
        code: a stable text such as `FORM-012`; never reused for something else.
        severity: `error` stops the step, `held` keeps a submission back, `warning` and `note` inform.
        where: file, sheet, row and column, or form, submission and question. Never an answer.
        message: what is wrong, in plain words. Never an answer, a name, a token or a place.
        fix: what the reader can do now.
    """

    code: str
    severity: Severity
    where: str
    message: str
    fix: str

    def __str__(self) -> str:
        return f"{self.severity}[{self.code}] {self.where}\n  {self.message}\n  {self.fix}"

    def as_dict(self) -> dict[str, str]:
        """The five parts by name, as `--json` prints them."""
        return asdict(self)


def has_errors(problems: list[Problem] | tuple[Problem, ...]) -> bool:
    """Whether one of the problems stops the step."""
    return any(problem.severity == "error" for problem in problems)
