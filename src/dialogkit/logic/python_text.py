"""The functions over texts as JavaRosa has them; places and lengths count UTF-16 units, as Java does."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from dialogkit.logic.parse import NotDecidable
from dialogkit.logic.patterns import matches
from dialogkit.logic.python_known import ANY, Known, only_text, plain
from dialogkit.logic.values import (
    BLANKS,
    Found,
    NodeSet,
    Value,
    as_int,
    listed,
    single,
    to_boolean,
    to_int,
    to_number,
    to_text,
)

_DIGESTS: Final = {"MD5": "md5", "SHA1": "sha1", "SHA256": "sha256", "SHA384": "sha384", "SHA512": "sha512"}
_NOT_BASE64: Final = re.compile(r"[^A-Za-z0-9+/=]")
_SIGNATURE: Final = 64


def _units(text: str) -> str:
    """The text with each sign beyond the basic plane as the two units that Java has for it."""
    if text.isascii() or max(text) <= "\uffff":
        return text
    data = text.encode("utf-16-le", "surrogatepass")
    return "".join(chr(data[at] | data[at + 1] << 8) for at in range(0, len(data), 2))


def _whole(units: str) -> str:
    if units.isascii():
        return units
    return units.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def _substr(value: Value, first: Value, last: Value | None = None) -> Value:
    text = _units(to_text(value))
    size = len(text)
    start = as_int(to_int(first))
    end = size if last is None else as_int(to_int(last))
    start, end = (place + size if place < 0 else place for place in (start, end))
    return _whole(text[min(max(0, start), size) : min(max(0, end), size)])


def _before(value: Value, sought: Value) -> Value:
    text, part = to_text(value), to_text(sought)
    return text[: max(text.find(part), 0)]


def _after(value: Value, sought: Value) -> Value:
    text, part = to_text(value), to_text(sought)
    place = text.find(part)
    return text[place + len(part) :] if place >= 0 else ""


def _translate(value: Value, written: Value, instead: Value) -> Value:
    signs, others = _units(to_text(written)), _units(to_text(instead))
    table: dict[int, str] = {}
    for place, sign in enumerate(signs):
        table.setdefault(ord(sign), others[place : place + 1])
    return _whole(_units(to_text(value)).translate(table))


def _normal(value: Value) -> Value:
    return re.sub(r"[ \t\n\x0b\f\r]+", " ", to_text(value).strip(BLANKS))


def _join(between: str, parts: tuple[Found, ...]) -> Value:
    alone = len(parts) == 1 and isinstance(parts[0], NodeSet)
    values = listed(parts[0]) if alone else [single(part) for part in parts]
    return between.join(to_text(value) for value in values)


def _truth(value: Value) -> bool:
    text = to_text(value)
    return text == "1" or text.lower() == "true"


def _selected(ticked: Value, choice: Value) -> bool:
    code = only_text(choice, "selected").strip(BLANKS)
    return f" {code} " in f" {only_text(ticked, 'selected')} "


def _codes(ticked: Value, function: str) -> list[str]:
    return [code for code in only_text(ticked, function).split(" ") if code]


def _selected_at(ticked: Value, place: Value) -> Value:
    codes, at = _codes(ticked, "selected-at"), as_int(to_int(place))
    return codes[at] if 0 <= at < len(codes) else ""


def _digest(value: Value, algorithm: Value, encoding: Value = "base64") -> Value:
    name, form = to_text(algorithm).upper().replace("-", ""), to_text(encoding).upper()
    if name not in _DIGESTS or form not in ("HEX", "BASE64"):
        raise NotDecidable("digest() names a way that phones do not know")
    found = hashlib.new(_DIGESTS[name], to_text(value).encode(), usedforsecurity=False)
    return found.hexdigest() if form == "HEX" else base64.b64encode(found.digest()).decode()


def _decoded(value: Value) -> bytes:
    """What base64 stands for; nothing where its length is wrong."""
    signs = _NOT_BASE64.sub("", to_text(value))
    return base64.b64decode(signs) if len(signs) % 4 == 0 else b""


def _signed(contents: Value, key: Value) -> Value:
    """The message behind its Ed25519 signature; empty where that is not of the key."""
    signed, public = _decoded(contents), _decoded(key)[:32]
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signed[:_SIGNATURE], signed[_SIGNATURE:])
    except (InvalidSignature, ValueError):
        return ""
    return signed[_SIGNATURE:].decode(errors="replace")


def _over_texts(run: Callable[[str, str], Value]) -> Known:
    return plain(2, lambda one, other: run(to_text(one), to_text(other)))


TEXTS: Final[Mapping[str, Known]] = {
    "string": plain(1, to_text),
    "boolean": plain(1, to_boolean),
    "boolean-from-string": plain(1, _truth),
    "number": plain(1, to_number),
    "not": plain(1, lambda value: not to_boolean(value)),
    "true": plain(0, lambda: True),
    "false": plain(0, lambda: False),
    "depend": Known(1, ANY, lambda _, first, *others: first),
    "concat": Known(0, ANY, lambda _, *parts: _join("", parts), nodes=True),
    "join": Known(1, ANY, lambda _, between, *parts: _join(to_text(single(between)), parts), nodes=True),
    "string-length": plain(1, lambda value: float(len(_units(to_text(value))))),
    "normalize-space": plain(1, _normal),
    "contains": _over_texts(lambda text, part: part in text),
    "starts-with": _over_texts(lambda text, part: text.startswith(part)),
    "ends-with": _over_texts(lambda text, part: text.endswith(part)),
    "substr": Known(2, 3, lambda _, *values: _substr(*values)),
    "substring-before": plain(2, _before),
    "substring-after": plain(2, _after),
    "translate": plain(3, _translate),
    "regex": plain(2, lambda value, pattern: matches(to_text(pattern), to_text(value))),
    "selected": plain(2, _selected),
    "is-selected": plain(2, _selected),
    "count-selected": plain(1, lambda ticked: float(len(_codes(ticked, "count-selected")))),
    "selected-at": plain(2, _selected_at),
    "digest": Known(2, 3, lambda _, *values: _digest(*values)),
    "base64-decode": plain(1, lambda value: _decoded(value).decode(errors="replace")),
    "extract-signed": plain(2, _signed),
}
