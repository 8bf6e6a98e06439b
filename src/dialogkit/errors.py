"""The tree of exceptions: a run that cannot go on. Each class carries the exit code of the command.

DialogkitError (1)
├── ConfigError 3          dialogkit.toml or the workspace
├── FormError 4            a workbook or a form
├── ServerError 5          a form server
│   ├── ServerUnreachable
│   ├── ServerRefused
│   ├── NotOnServer
│   └── UnexpectedReply
├── BatchError 6           a batch folder or an import file
├── NormalizeError 7       answers into tables
├── RulesNotMet 8          `on_failure = "stop"` and a rule failed
├── WarehouseError 9       the DuckDB file
└── ReleaseRefused 10      a release would show what it must not
"""

from __future__ import annotations

from typing import ClassVar

from dialogkit.problem import Problem


class DialogkitError(Exception):
    """A run that cannot go on.

    Args:
        code: stable text such as `CONFIG-001`.
        where: file, form, server, batch.
        message: what is wrong; never an answer, never a secret.
        fix: what to do now.
        problems: the problems behind it, when there are several.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, code: str, where: str, message: str, fix: str, problems: tuple[Problem, ...] = ()) -> None:
        self.code, self.where, self.message, self.fix, self.problems = code, where, message, fix, problems
        super().__init__(str(self.problem))

    @property
    def problem(self) -> Problem:
        """The same facts as a value."""
        return Problem(self.code, "error", self.where, self.message, self.fix)


class ConfigError(DialogkitError):
    """`dialogkit.toml`, an option, or the folder is not as it should be."""

    exit_code = 3


class FormError(DialogkitError):
    """A workbook cannot be read, or a form cannot be built or used."""

    exit_code = 4


class ServerError(DialogkitError):
    """A form server did not do what was asked of it."""

    exit_code = 5


class ServerUnreachable(ServerError):  # noqa: N818 - named by what happened, as architecture.md section 6 does
    """No connection, or none in time.

    `retry_after` is how many seconds the server asks to wait; -1 when it does not say.
    """

    retry_after: float = -1.0


class ServerRefused(ServerError):  # noqa: N818 - as above
    """The server answered no: wrong token, no rights, submission not taken."""


class NotOnServer(ServerError):  # noqa: N818 - as above
    """The form, submission or file is not there."""


class UnexpectedReply(ServerError):  # noqa: N818 - as above
    """The server answered something that is not its protocol."""


class BatchError(DialogkitError):
    """A batch folder or an import file is incomplete or changed."""

    exit_code = 6


class NormalizeError(DialogkitError):
    """Answers cannot be put into tables."""

    exit_code = 7


class RulesNotMet(DialogkitError):  # noqa: N818 - as above
    """A rule failed and the workspace says `on_failure = "stop"`."""

    exit_code = 8


class WarehouseError(DialogkitError):
    """The warehouse cannot be opened, read or written."""

    exit_code = 9


class ReleaseRefused(DialogkitError):  # noqa: N818 - as above
    """A release would show something that it must not."""

    exit_code = 10
