"""Names from outside, and files that are written whole or not at all."""

from __future__ import annotations

import os

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dialogkit.files import safe_name, sha256_of, sweep, whole_folder, write_whole


@pytest.mark.parametrize(
    ("claimed", "safe"),
    [
        ("photo.jpg", "photo.jpg"),
        ("../../x", "x"),
        ("..\\..\\x", "x"),
        ("/etc/passwd", "passwd"),
        ("C:\\Windows\\x.dll", "x.dll"),
        ("a/b/../c.png", "c.png"),
        ("nul\x00byte.jpg", "nul_byte.jpg"),
        ("line\nbreak.txt", "line_break.txt"),
        ('<>:"|?*.txt', "_______.txt"),
        (".hidden", "hidden"),
        ("...", ""),
        ("..", ""),
        (".", ""),
        ("", ""),
        ("a/", ""),
        ("  . x ", "x"),
        (".partial-x", "partial-x"),
        ("façade 雨.jpg", "façade 雨.jpg"),
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        ("com1.tar.gz", "_com1.tar.gz"),
        ("console.txt", "console.txt"),
        ("ends in a dot.", "ends in a dot"),
        ("\udc80.jpg", "_.jpg"),
    ],
)
def test_a_name_from_outside_becomes_a_safe_one(claimed, safe):
    assert safe_name(claimed) == safe


def test_a_long_name_keeps_its_ending_and_whole_characters():
    name = safe_name("雨" * 300 + ".jpeg")
    assert name.endswith(".jpeg")
    assert 190 < len(name.encode()) <= 200


def test_a_name_of_a_million_characters_is_cut_at_once():
    assert len(safe_name("é" * 1_000_000).encode()) <= 200
    assert len(safe_name("a." + "é" * 1_000_000).encode()) <= 200


@given(st.text())
@example("a." + "." * 300 + "b")
@example("." * 198 + "a.jpg")
@example("a." + "x" * 300)
def test_a_safe_name_never_leaves_its_folder(claimed):
    name = safe_name(claimed)
    assert "/" not in name
    assert "\\" not in name
    assert not name.startswith(".")
    assert not name.endswith((" ", "."))
    assert name.isprintable() or not any(ord(sign) < 32 for sign in name)
    assert len(os.fsencode(name)) <= 200
    assert safe_name(name) == name


def test_a_file_is_replaced_whole(tmp_path):
    path = tmp_path / "deep" / "x"
    write_whole(path, b"one")
    write_whole(path, b"two")
    assert path.read_bytes() == b"two"
    assert [file.name for file in path.parent.iterdir()] == ["x"]


def test_a_file_gets_the_mode_that_was_asked_for(tmp_path):
    write_whole(tmp_path / "key", b"", mode=0o600)
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600


def test_a_file_that_cannot_be_replaced_leaves_nothing_beside_it(tmp_path):
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "inside").touch()
    with pytest.raises(OSError):
        write_whole(tmp_path / "x", b"data")
    assert [file.name for file in tmp_path.iterdir()] == ["x"]


def test_a_file_with_the_longest_name_can_be_written(tmp_path):
    write_whole(tmp_path / ("a" * 255), b"1")
    assert (tmp_path / ("a" * 255)).read_bytes() == b"1"


def test_a_folder_appears_whole(tmp_path):
    with whole_folder(tmp_path / "all" / "batch") as partial:
        (partial / "a").mkdir()
        (partial / "a" / "x").write_bytes(b"1")
        assert not (tmp_path / "all" / "batch").exists()
    assert (tmp_path / "all" / "batch" / "a" / "x").read_bytes() == b"1"
    assert [path.name for path in (tmp_path / "all").iterdir()] == ["batch"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_folder_leaves_nothing_when_its_block_fails(tmp_path, error):
    with pytest.raises(error), whole_folder(tmp_path / "batch") as partial:
        (partial / "x").write_bytes(b"1")
        raise error
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_there_is_not_touched(tmp_path):
    (tmp_path / "batch").mkdir()
    (tmp_path / "batch" / "x").write_bytes(b"1")
    with pytest.raises(FileExistsError), whole_folder(tmp_path / "batch"):
        raise AssertionError("the block must not begin")
    assert (tmp_path / "batch" / "x").read_bytes() == b"1"


def test_sweep_takes_away_what_is_half_written_and_nothing_else(tmp_path):
    (tmp_path / ".partial-1-batch" / "deep").mkdir(parents=True)
    (tmp_path / ".partial-2-file").write_bytes(b"half")
    (tmp_path / "whole").write_bytes(b"1")
    (tmp_path / ".lock").touch()
    sweep(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", "whole"]


def test_the_hash_is_that_of_the_bytes(tmp_path):
    (tmp_path / "x").write_bytes(b"abc")
    assert sha256_of(tmp_path / "x") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
