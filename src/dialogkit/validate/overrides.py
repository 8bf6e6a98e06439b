"""`[form…]` in a file of rules: what people change about the rules that a form makes by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from dialogkit.errors import ConfigError
from dialogkit.model.staged import Staged
from dialogkit.validate.rule import Rule
from dialogkit.validate.texts import LANGUAGES
from dialogkit.validate.words import foreign, is_share, near, place

_ACTIONS: Final = ("hold", "note", "off")
_KEYS: Final = ("action", "mostly", "message")
#: Rules that stay as they are: without them answers would be accepted that nobody has judged, not even for consent.
FIXED: Final = frozenset({"FORM-VERSION", "FORM-SEALED"})
#: Rules of a form that may be changed; those that are about a question or repeat take its path after a colon.
KINDS: Final[Mapping[str, bool]] = {
    "FORM-DRIFT": False,
    "FORM-TYPE": True,
    "FORM-CHOICE": True,
    "FORM-FILTER": True,
    "FORM-REQUIRED": True,
    "FORM-RELEVANT": True,
    "FORM-CONSTRAINT": True,
    "FORM-CALCULATION": True,
    "FORM-ROWS": True,
    "FORM-COUNT": True,
}


@dataclass(frozen=True)
class Overrides:
    """Changes by code: of one rule (`FORM-CONSTRAINT:g/q`), or of all of a kind (`FORM-CONSTRAINT`).

    What is said of one rule comes before what is said of its kind, key by key.
    """

    path: Path
    written: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def apply(self, rules: Sequence[Rule]) -> tuple[Rule, ...]:
        """The rules as people want them, without those that they turned off."""
        return tuple(self._changed(rule) for rule in rules if self._of(rule.code).get("action") != "off")

    def off(self, rules: Sequence[Rule]) -> tuple[Rule, ...]:
        """The rules that people turned off."""
        return tuple(rule for rule in rules if self._of(rule.code).get("action") == "off")

    def problems(self, staged: Staged) -> list[ConfigError]:
        """Changes of rules that no version of the form can have, and changes that mean nothing."""
        paths = {path for form in staged.forms.values() for path in (*form.by_path, *form.repeats)}
        return [error for code, written in self.written.items() for error in self._wrong(code, written, paths)]

    def _wrong(self, code: str, written: Mapping[str, Any], paths: set[str]) -> Iterator[ConfigError]:
        kind, colon, path = code.partition(":")
        if kind in FIXED:
            fix = "Take it out: without this rule, answers would be accepted that nothing has judged."
            yield self._refuse("CONFIG-050", "This rule cannot be changed.", fix, code)
        elif kind not in KINDS:
            yield self._refuse("CONFIG-050", "A form makes no such rule.", near(kind, KINDS), code)
        elif colon and not KINDS[kind]:
            yield self._refuse("CONFIG-050", f"{kind} is not about one question.", f"Write [form.{kind}].", code)
        elif colon and path not in paths:
            fix = f"{near(path, paths)} Write the whole path, with its groups."
            yield self._refuse("CONFIG-050", f"No version of the form has {path or 'an empty path'}.", fix, code)
        for key in written:
            if key not in _KEYS:
                yield self._refuse("CONFIG-051", f"{key} cannot be changed.", near(key, _KEYS), code)
        if written.get("action", "hold") not in _ACTIONS:
            yield self._refuse("CONFIG-051", "The action is not known.", 'Write "hold", "note" or "off".', code)
        if not is_share(written.get("mostly", 1.0)):
            yield self._refuse(
                "CONFIG-052", "mostly is not a share from 0 to 1.", "Write for example mostly = 0.95.", code
            )
        yield from self._unsaid(code, written.get("message", {}))

    def _unsaid(self, code: str, said: object) -> Iterator[ConfigError]:
        for language in foreign(said):
            fix = f"Take message.{language} out, or write it in one of them."
            yield self._refuse(
                "CONFIG-051", f"The language {language} is not one of {', '.join(LANGUAGES)}.", fix, code
            )
        if not isinstance(said, dict) or not all(map(_text, said.values())):
            yield self._refuse("CONFIG-051", "The message is not a text by language.", 'Write message.en = "…".', code)

    def _refuse(self, code: str, message: str, fix: str, rule: str) -> ConfigError:
        return ConfigError(code, f'{place(self.path)}, [form."{rule}"]', message, fix)

    def _of(self, code: str) -> Mapping[str, Any]:
        return {**self.written.get(code.partition(":")[0], {}), **self.written.get(code, {})}

    def _changed(self, rule: Rule) -> Rule:
        said = self._of(rule.code)
        if not said:
            return rule
        messages = {**rule.messages, **said.get("message", {})}
        mostly = float(said.get("mostly", rule.mostly))
        return replace(rule, action=said.get("action", rule.action), messages=messages, mostly=mostly)


def _text(value: object) -> bool:
    return isinstance(value, str) and bool(value)
