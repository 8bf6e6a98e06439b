"""Media files that expressions read."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialogkit.errors import FormError
from dialogkit.logic import media
from dialogkit.logic.media import media_rows, read_media


@pytest.mark.parametrize(
    "text",
    ['name,label\na,"A, with"\nb\n', "name;label\na;A, with\nb;\n", "\ufeffname\tlabel\na\tA, with\n\nb\n"],
)
def test_a_csv_is_read_whatever_its_separator_and_a_short_line_has_blanks(text: str) -> None:
    assert read_media("x.csv", text.encode()) == [{"name": "a", "label": "A, with"}, {"name": "b", "label": ""}]


def test_geojson_gives_places_as_phones_write_them() -> None:
    data = """{"type": "FeatureCollection", "features": [
      {"type": "Feature", "id": 3, "geometry": {"type": "Point", "coordinates": [36.8, 1.5]},
       "properties": {"name": "a", "n": 2, "yes": true, "none": null}},
      {"type": "Feature", "geometry": {"type": "LineString", "coordinates": [[1, 2], [3, 4]]}, "properties": null},
      {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [[[1, 2], [3, 4], [1, 2]]]}}]}"""
    first, second, third = read_media("x.geojson", data.encode())
    assert first == {"geometry": "1.5 36.8 0 0", "name": "a", "n": "2", "yes": "true", "none": "", "id": "3"}
    assert second == {"geometry": "2 1 0 0; 4 3 0 0"}
    assert third == {"geometry": "2 1 0 0; 4 3 0 0; 2 1 0 0"}


def test_xml_gives_the_items_below_the_root() -> None:
    data = b"<root><item><name>a</name><label> A </label></item><other/><item><name>b</name></item></root>"
    assert read_media("x.xml", data) == [{"name": "a", "label": "A"}, {"name": "b"}]


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("x.csv", b"", "no line of columns"),
        ("x.csv", b"name\n\xff\xfe", "UTF-8"),
        ("x.geojson", b"{}", "FeatureCollection"),
        ("x.geojson", b"[" * 100_000, "damaged"),
        ("x.geojson", b'{"type": "FeatureCollection", "features": [1]}', "no Feature"),
        ("x.geojson", b'{"type": "FeatureCollection", "features": [{"type": "Feature"}]}', "no Point"),
        ("x.xml", b"<root>", "well-formed"),
        ("x.xml", b'<!DOCTYPE r [<!ENTITY e "secret">]><r>&e;</r>', "document type"),
    ],
)
def test_a_hostile_file_is_refused_in_plain_words(name: str, data: bytes, why: str) -> None:
    with pytest.raises(FormError, match=why) as refusal:
        read_media(name, data)
    assert refusal.value.code == "FORM-062"
    assert "secret" not in str(refusal.value)


def test_a_file_that_is_too_large_or_not_there_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "MAX_BYTES", 10)
    monkeypatch.setattr(media, "MAX_ROWS", 1)
    large = tmp_path / "large.csv"
    large.write_bytes(b"name\n" + b"a\n" * 10)
    for files in ({"large.csv": large}, {"gone.csv": tmp_path / "gone.csv"}):
        with pytest.raises(FormError):
            media_rows(files)
    with pytest.raises(FormError, match="rows"):
        read_media("x.csv", b"n\na\nb\n")


def test_pictures_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "places.csv").write_text("name\na\n")
    files = {"places.csv": tmp_path / "places.csv", "logo.png": tmp_path / "logo.png"}
    assert media_rows(files) == {"places.csv": [{"name": "a"}]}
