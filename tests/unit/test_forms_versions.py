"""The store of every version that was ever served or landed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialogkit.errors import FormError
from dialogkit.forms.build import build_form
from dialogkit.forms.versions import file_name, find_version, keep_version, known_versions
from dialogkit.model.form import BuiltForm

TEXT = """
| survey | type | name | label | calculation | disclosure |
| | calculate | team_contact | | '[contact]' | none |
| | text | a | {label} | | {disclosure} |
| settings | form_id | version |
| | f | {version} |
"""


@pytest.fixture
def build(tmp_path: Path):
    def _build(version: str = "1", label: str = "A", disclosure: str = "", contact: str = "") -> BuiltForm:
        path = tmp_path / "f.md"
        path.write_text(TEXT.format(version=version, label=label, disclosure=disclosure), encoding="utf-8")
        return build_form(path, team_contact=contact)

    return _build


def test_a_kept_version_is_found_again_with_its_xform(tmp_path: Path, build) -> None:
    built = build()
    keep_version(tmp_path / "v", built)
    assert find_version(tmp_path / "v", "f", "1") == built.form
    assert (tmp_path / "v" / "f" / "1.xml").read_bytes() == built.xml


def test_a_version_that_was_never_kept_is_not_found(tmp_path: Path, build) -> None:
    assert find_version(tmp_path / "v", "f", "1") is None
    assert known_versions(tmp_path / "v", "f") == {}
    keep_version(tmp_path / "v", build())
    assert find_version(tmp_path / "v", "f", "2") is None


def test_versions_come_in_the_order_in_which_they_were_first_kept(tmp_path: Path, build) -> None:
    for version in ("9", "10", "2", "9"):
        keep_version(tmp_path / "v", build(version))
    assert list(known_versions(tmp_path / "v", "f")) == ["9", "10", "2"]


def test_another_form_under_the_same_version_is_refused(tmp_path: Path, build) -> None:
    keep_version(tmp_path / "v", build())
    with pytest.raises(FormError) as caught:
        keep_version(tmp_path / "v", build(label="B"))
    assert caught.value.code == "FORM-050"
    assert "Raise version in the settings sheet" in caught.value.problem.fix
    assert find_version(tmp_path / "v", "f", "1") == build().form


def test_another_text_of_the_team_is_not_another_form(tmp_path: Path, build) -> None:
    keep_version(tmp_path / "v", build())
    changed = build(contact="team@example.org")
    keep_version(tmp_path / "v", changed)
    assert find_version(tmp_path / "v", "f", "1") == changed.form
    assert (tmp_path / "v" / "f" / "1.xml").read_bytes() == changed.xml


def test_a_class_given_later_is_not_another_form(tmp_path: Path, build) -> None:
    keep_version(tmp_path / "v", build())
    classed = build(disclosure="free_text")
    keep_version(tmp_path / "v", classed)
    assert known_versions(tmp_path / "v", "f") == {"1": classed.form}


def test_a_form_without_a_version_is_kept(tmp_path: Path, build) -> None:
    built = build()
    unversioned = replace(built, form=replace(built.form, version=""))
    keep_version(tmp_path / "v", unversioned)
    assert find_version(tmp_path / "v", "f", "") == unversioned.form


def test_names_from_outside_stay_inside_the_folder(tmp_path: Path, build) -> None:
    built = build()
    hostile = replace(built, form=replace(built.form, form_id="../../etc/x", version="..\\y/../z"))
    keep_version(tmp_path / "v", hostile)
    assert find_version(tmp_path / "v", "../../etc/x", "..\\y/../z") == hostile.form
    assert {path.relative_to(tmp_path).parts[0] for path in tmp_path.rglob("*.json")} == {"v"}


@given(st.lists(st.text(max_size=200), min_size=2, max_size=6, unique=True))
def test_different_texts_give_different_safe_file_names(texts: list[str]) -> None:
    names = [file_name(text) for text in texts]
    assert len(set(names)) == len(texts)
    assert all(0 < len(name) <= 120 and "/" not in name and not name.startswith(".") for name in names)


@pytest.mark.parametrize("damage", [b"", b"{", b"{}", b'{"ordinal": 1, "form": {}}', b"\xff"])
def test_a_damaged_version_says_so(tmp_path: Path, build, damage: bytes) -> None:
    keep_version(tmp_path / "v", build())
    (tmp_path / "v" / "f" / "1.json").write_bytes(damage)
    with pytest.raises(FormError) as caught:
        known_versions(tmp_path / "v", "f")
    assert caught.value.code == "FORM-051"


def test_what_a_killed_run_left_is_no_version(tmp_path: Path, build) -> None:
    keep_version(tmp_path / "v", build())
    (tmp_path / "v" / "f" / ".partial-0-2.json").write_bytes(b"{")
    (tmp_path / "v" / "f" / "2.xml").write_bytes(b"<x/>")
    assert list(known_versions(tmp_path / "v", "f")) == ["1"]
