"""What an expression in SQL needs to know of the place where it is judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

from dialogkit.logic.terms import Reference
from dialogkit.model.form import Form


class Scope(Protocol):
    """The rows that an expression is judged on, of one version of a form."""

    @property
    def form(self) -> Form:
        """The version."""

    @property
    def at(self) -> str:
        """A path that stands in these rows, of no question."""

    @property
    def today(self) -> str:
        """SQL of the day on the phone (DATE); empty where it is not known."""

    @property
    def offset(self) -> str:
        """SQL of the minutes that the clock of the phone was ahead of UTC."""

    @property
    def language(self) -> str | None:
        """The language of labels; None where it is not known."""

    def alias(self, repeat: str) -> str:
        """The alias of the present row of a repeat (`""`: of the submission).

        Raises:
            NotDecidable: the rows do not stand in this repeat.
        """

    def relation(self, repeat: str) -> str:
        """The relation of the rows of a repeat, quoted."""

    def reference(self, path: str, alias: str) -> Reference:
        """The answer of a question in the row with this alias.

        Raises:
            NotDecidable: the question stores no answer.
        """

    def items(self, kind: Literal["list", "file"], source: str) -> Sequence[Mapping[str, str]]:
        """The rows of a choice list or of a file, by column.

        Raises:
            NotDecidable: there is none of this name.
        """
