"""Every real submission of the corpus, read from its folder: known, told as unreadable, or a clear error."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

import pytest

from dialogkit.errors import DialogkitError
from dialogkit.model.form import Form
from dialogkit.servers.folder import FolderServer
from tests.builders_folder import entries

CORPUS = Path(__file__).parents[2].parent / "shared" / "corpus" / "submissions"
ANY = Form("any", "", "", (), "", (), (), {})

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus of real submissions is not beside this checkout"),
]


@cache
def forms() -> frozenset[str]:
    """The form ids that the XML files name."""
    found = (re.search(rb"<[^?!][^>]*\bid=\"([^\"]+)\"", path.read_bytes()[:4000]) for path in CORPUS.rglob("*.xml"))
    return frozenset(one[1].decode() for one in found if one)


def test_every_folder_of_instances_is_read() -> None:
    count = 0
    for form_id in sorted(forms()):
        server = FolderServer("old", CORPUS)
        try:
            listed = entries(server, form_id)
        except DialogkitError as error:
            assert error.code == "SERVER-105", form_id
            continue
        fetched = server.fetch(form_id, listed, lambda _: ANY, len(listed))
        assert fetched.unreadable == ()
        assert all(one.submission.instance_id and one.submission.submitted_at for one in fetched.received)
        for one in fetched.received:
            for file in one.submission.attachments:
                assert b"".join(server.attachment(form_id, one.submission, file.name))
        count += len(fetched.received)
    assert count >= 70


def test_rows_that_a_client_of_kobotoolbox_recorded_are_read(tmp_path: Path) -> None:
    count = 0
    for path in sorted((CORPUS / "robotoolbox").glob("kobo_data*.json")):
        pages = [reply["body"] for reply in json.loads(path.read_text(encoding="utf-8"))]
        rows = [page for page in pages if isinstance(page, dict) and isinstance(page.get("results"), list)]
        for number, page in enumerate(rows):
            folder = tmp_path / path.stem / str(number) / "some"
            folder.mkdir(parents=True)
            (folder / "page.json").write_text(json.dumps(page), encoding="utf-8")
            server = FolderServer("old", folder.parent)
            try:
                listed = entries(server, "some")
            except DialogkitError as error:
                assert error.code == "SERVER-105", path.name
                continue
            fetched = server.fetch("some", listed, lambda _: ANY, len(listed))
            assert fetched.unreadable == (), path.name
            count += len(fetched.received)
    assert count >= 50
