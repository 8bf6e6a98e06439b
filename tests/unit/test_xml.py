"""The one safe parser: what it refuses, and that it never repeats what it was given."""

from __future__ import annotations

from contextlib import suppress
from xml.etree.ElementTree import Element, tostring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialogkit.xml import MAX_DEPTH, UnsafeXml, local, parse, writable

BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x0 "lol">'
    + b"".join(f'<!ENTITY x{n} "&x{n - 1};&x{n - 1};">'.encode() for n in range(1, 30))
    + b"]><a>&x29;</a>"
)
DOCTYPE = "declares a document type or entities, which are not accepted"
BROKEN = "is not whole, well-formed XML"


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (BOMB, DOCTYPE),
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', DOCTYPE),
        (b'<!DOCTYPE a SYSTEM "http://127.0.0.1:1/x.dtd"><a/>', DOCTYPE),
        (b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', DOCTYPE),
        (b'<!DOCTYPE a [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]><a/>', DOCTYPE),
        (b"<!DOCTYPE a><a/>", DOCTYPE),
        (b"<data><secret>Amina", BROKEN),
        (b"<data><secret>Amina</data>", BROKEN),
        (b"", BROKEN),
        (b"   ", BROKEN),
        (b"Amina", BROKEN),
        (b"<a>&unknown;</a>", BROKEN),
        (b"<a/><b/>", BROKEN),
        (b"<a>\x00</a>", BROKEN),
        (b"<a>\xff</a>", BROKEN),
        (b'<?xml version="1.0" encoding="Amina"?><a/>', BROKEN),
        (b'<?xml version="1.0" encoding="utf-7"?><a>+ADw-b/+AD4-</a>', BROKEN),
        (b'<?xml version="1.0" encoding="big5"?><a/>', BROKEN),
        (b"<a>" * 65 + b"</a>" * 65, "is nested deeper than 64 levels"),
        (b"<a>" * 100_000 + b"</a>" * 100_000, "is nested deeper than 64 levels"),
        (b"<a>" * 100_000, BROKEN),
        (b"<a>" + b"<b/>" * 500_000 + b"</a>", "has more than 500000 tags"),
    ],
)
def test_xml_that_is_not_safe_is_refused_without_a_word_of_it(data, why):
    with pytest.raises(UnsafeXml) as caught:
        parse(data)
    assert str(caught.value) == why
    # A traceback would repeat the text of the error that it came from.
    assert caught.value.__context__ is None or caught.value.__suppress_context__


def test_xml_above_the_limit_is_refused_before_it_is_read():
    with pytest.raises(UnsafeXml, match=r"^is larger than 1 MB$"):
        parse(b"<a>" + b" " * (1024 * 1024), max_bytes=1024 * 1024)


def test_the_deepest_that_is_accepted_is_accepted():
    assert local(parse(b"<a>" * MAX_DEPTH + b"</a>" * MAX_DEPTH)) == "a"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1", "windows-1252"])
def test_text_is_read_in_the_encoding_that_the_xml_names(encoding):
    name = {"utf-8-sig": "utf-8"}.get(encoding, encoding)
    text = f'<?xml version="1.0" encoding="{name}"?><a>façade</a>'
    assert parse(text.encode(encoding)).text == "façade"


def test_a_tag_is_told_without_its_namespace():
    assert local(parse(b'<x:a xmlns:x="http://openrosa.org/xforms"/>')) == "a"


@given(st.text())
def test_what_is_writable_can_be_written_and_read(value):
    element = Element("a")
    element.text = value
    try:
        data = tostring(element, encoding="utf-8")
    except UnicodeEncodeError:
        assert not writable(value)
        return
    if writable(value):
        assert parse(data).text == (value.replace("\r\n", "\n").replace("\r", "\n") or None)
    else:
        with pytest.raises(UnsafeXml):
            parse(data)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data):
    root = None
    with suppress(UnsafeXml):
        root = parse(data)
    assert root is None or root.tag
