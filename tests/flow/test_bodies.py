"""What a server sent stands in a batch byte for byte, in a hundredth of its size, also in batches of before."""

from __future__ import annotations

import base64
import json
import random
import tracemalloc
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
import zstandard

from dialogkit.model.server import Received
from dialogkit.pull.batches import Batch
from dialogkit.pull.bodies import BODIES, Bodies, read_bodies
from dialogkit.pull.manifest import read_manifest, write_manifest
from tests.benchmarks import generate
from tests.builders import make_form, received, write_batch

FORM = make_form("visit", "1", [("text", "name")])
ODD = [b"", b"\n", b"\n\n[4]\n", '{"é": "\u2028"}\r\n'.encode(), "<é/>".encode("latin-1"), bytes(range(256)), b"null"]


def sent(number: int, body: bytes, **facts: str) -> Received:
    return received(FORM, {"name": f"N{number}"}, f"uuid:{number}", body=body, **facts)


def of_before(batch: Batch) -> Batch:
    """The same batch as dialogkit wrote it until November 2026."""
    lines = [
        {"instance_id": name, "encoding": "utf-8", "body": body.decode()}
        if body.isascii()
        else {"instance_id": name, "encoding": "base64", "body": base64.b64encode(body).decode()}
        for name, body in batch.received()
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines).encode()
    (batch.folder / BODIES).unlink()
    (batch.folder / "received/submissions.ndjson.zst").write_bytes(zstandard.ZstdCompressor(3).compress(text))
    manifest = read_manifest(batch.folder)
    write_manifest(batch.folder, replace(manifest, files={k: v for k, v in manifest.files.items() if k != BODIES}))
    return Batch(batch.folder, read_manifest(batch.folder))


def test_every_body_comes_back_byte_for_byte(tmp_path: Path) -> None:
    batch = write_batch(tmp_path, FORM, [sent(number, body) for number, body in enumerate(ODD)])
    expected = [(f"uuid:{number}", body) for number, body in enumerate(ODD)]
    assert list(batch.received()) == expected
    assert list(of_before(batch).received()) == expected


def test_nothing_is_kept_of_what_was_refused_or_deleted(tmp_path: Path) -> None:
    some = [
        sent(0, b"first"),
        sent(1, b"refused", refused="no consent"),
        sent(2, b"deleted", deleted_at="2026-11-20T10:00:00Z"),
        sent(3, b"last"),
    ]
    batch = write_batch(tmp_path, FORM, some)
    assert list(batch.received()) == [("uuid:0", b"first"), ("uuid:3", b"last")]


@pytest.mark.parametrize("size", [0, 1, 300, 300_000, 3_000_000])
def test_portions_of_any_size_come_back(tmp_path: Path, size: int) -> None:
    chance = random.Random(size)
    lines = [b'{"n":%d,"text":"%s"}\n' % (n, chance.randbytes(size // 2).hex().encode()) for n in range(7)]
    bodies = [None if n == 3 else line[4:] + chance.randbytes(9) for n, line in enumerate(lines)]
    file = tmp_path / "bodies"
    with file.open("wb") as opened:
        writer = Bodies(opened)
        for line, body in zip(lines, bodies, strict=True):
            writer.add(line, body)
        writer.end()
    assert list(read_bodies(file, iter(lines))) == [
        (line, body) for line, body in zip(lines, bodies, strict=True) if body is not None
    ]
    # Line and body have the same text: it stands in the file once, with the lines.
    assert file.stat().st_size < 0.02 * sum(map(len, lines)) + 400


def test_a_batch_takes_a_seventh_of_the_bytes_that_the_server_sent(tmp_path: Path) -> None:
    form = make_form(generate.FORM_ID, generate.VERSION, [("text", "start")])
    some = [generate.received(one) for one in generate.submissions(2_000)]
    batch = write_batch(tmp_path, form, some)
    raw = sum(len(one.body) for one in some)
    assert sum((batch.folder / name).stat().st_size for name in batch.manifest.files) < 0.14 * raw
    assert (batch.folder / BODIES).stat().st_size < 0.015 * raw
    assert [body for _, body in batch.received()] == [one.body for one in some]


def test_duckdb_reads_the_lines_of_a_batch_without_their_bodies(tmp_path: Path) -> None:
    batch = write_batch(tmp_path, FORM, [sent(number, b"x") for number in range(3_000)])
    query = f"SELECT count(DISTINCT json ->> 'id') FROM read_ndjson_objects('{batch.submissions}')"
    with duckdb.connect() as db:
        found = db.execute(query).fetchone()
    assert found == (3_000,)


def test_what_waits_for_its_portion_is_little(tmp_path: Path) -> None:
    with (tmp_path / "bodies").open("wb") as opened:
        writer = Bodies(opened)
        tracemalloc.start()
        for number in range(5_000):
            writer.add(b"%06d" % number + 1_000 * b"l", b"%06d" % number + 1_000 * b"b")
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert most < 4_000_000
