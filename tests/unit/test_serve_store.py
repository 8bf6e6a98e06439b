"""The store of submissions, without a network."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dialogkit.errors import UnexpectedReply
from dialogkit.serve.declined import Declined
from dialogkit.serve.facts import FILES, StoredFile, folder_of_form
from dialogkit.serve.incoming import Upload
from dialogkit.serve.index import Index
from dialogkit.serve.refused import Refused
from dialogkit.serve.store import Arrival, Store


@pytest.fixture
def store(tmp_path) -> Iterator[Store]:
    made = Store(tmp_path / "server")
    yield made
    made.close()


def send(store: Store, instance_id: str, deprecated: str = "", files: dict[str, bytes] | None = None, **more):
    with store.room() as folder:
        stored: dict[str, StoredFile] = {}
        for name, content in (files or {}).items():
            (folder / FILES).mkdir(parents=True, exist_ok=True)
            (folder / FILES / name).write_bytes(content)
            stored[name] = StoredFile(
                name, len(content), hashlib.sha256(content).hexdigest(), hashlib.md5(content).hexdigest()
            )
        body = more.get("body", f"<data>{instance_id}</data>".encode())
        upload = Upload(folder, body, stored, more.get("incomplete", False))
        arrival = Arrival(more.get("form_id", "talk"), "1", instance_id, deprecated, "phone", "phones")
        return store.keep(upload, arrival)


def listed(store: Store, after: int = 0) -> list[str]:
    return [instance_id for _, instance_id in store.index.listed("talk", after, 1000)]


def again(store: Store, tmp_path: Path) -> Store:
    store.close()
    return Store(tmp_path / "server")


@pytest.mark.parametrize("form_id", ["talk", "../../x", "a/b", "x" * 300, "é", ".", "", "CON", "a b"])
def test_a_form_id_never_leads_out_of_its_folder(store, tmp_path, form_id):
    facts = send(store, "uuid:../../x", form_id=form_id)
    (kept,) = (tmp_path / "server" / "submissions").rglob("submission.xml")
    assert kept.parent.parent.parent == tmp_path / "server" / "submissions"
    assert kept.parent.parent.name == folder_of_form(form_id)
    assert store.xml(facts) == kept.read_bytes()
    assert ".." not in str(kept.relative_to(tmp_path))


def test_form_ids_that_look_alike_have_folders_of_their_own():
    names = ["a b", "a/b", "a_b", "a  b", "A b"]
    assert len({folder_of_form(name) for name in names}) == len(names)


def test_a_number_that_is_not_finished_hides_later_ones():
    index = Index()
    from dialogkit.serve.facts import Facts

    def facts(name: str, number: int) -> Facts:
        return Facts(name, name, "", "talk", "1", "phone", "phones", "", "", number, True, "")

    with index.sequence() as first:
        with index.sequence() as second:
            index.put(facts("uuid:2", second))
        assert index.listed("talk", 0, 10) == []
        index.put(facts("uuid:1", first))
    assert index.listed("talk", 0, 10) == [(first, "uuid:1"), (second, "uuid:2")]
    assert index.listed("talk", first, 10) == [(second, "uuid:2")]
    assert index.listed("talk", 0, 1) == [(first, "uuid:1")]


def test_a_number_is_never_given_twice_even_when_the_last_submission_is_gone(store, tmp_path):
    last = send(store, "uuid:1").sequence
    import shutil

    shutil.rmtree(tmp_path / "server" / "submissions" / "talk")
    store = again(store, tmp_path)
    assert send(store, "uuid:2").sequence > last
    store.close()


def test_a_killed_server_leaves_nothing_half_written(store, tmp_path):
    facts = send(store, "uuid:1", files={"a.jpg": b"a"})
    folder = store.file(facts, "a.jpg").parent
    (folder / "stray.jpg").write_bytes(b"came, but was never acknowledged")
    (folder.parent / ".partial-1234-facts.json").write_bytes(b"{")
    (tmp_path / "server" / "incoming" / "half").mkdir()
    store = again(store, tmp_path)
    assert sorted(path.name for path in folder.parent.rglob("*")) == ["a.jpg", "facts.json", "files", "submission.xml"]
    assert list((tmp_path / "server" / "incoming").iterdir()) == []
    assert listed(store) == ["uuid:1"]
    assert send(store, "uuid:1", files={"a.jpg": b"a", "stray.jpg": b"now"}).files[-1].name == "stray.jpg"
    store.close()


def test_a_deletion_that_was_interrupted_is_finished_at_the_next_start(store, tmp_path):
    facts = send(store, "uuid:1", body=b"<secret/>", files={"a.jpg": b"secret"})
    folder = store.file(facts, "a.jpg").parent.parent
    saved = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != "facts.json"}
    assert store.bury(Arrival("talk", "1", "uuid:2", "uuid:1", "phone", "phones"), "the person chose delete")
    (folder / "files").mkdir()
    for path, content in saved.items():
        path.write_bytes(content)
    store = again(store, tmp_path)
    assert sorted(path.name for path in folder.rglob("*")) == ["facts.json"]
    assert listed(store) == ["uuid:1"]
    for instance_id in ("uuid:1", "uuid:2"):
        with pytest.raises(Declined) as raised:
            send(store, instance_id, body=b"<secret/>")
        assert raised.value.status == 201
    store.close()


def test_a_submission_with_a_missing_file_is_not_taken_for_whole(store, tmp_path):
    facts = send(store, "uuid:1", files={"a.jpg": b"a"})
    store.file(facts, "a.jpg").unlink()
    store = again(store, tmp_path)
    assert (store.damaged, listed(store)) == (1, [])
    assert send(store, "uuid:1", files={"a.jpg": b"a"}).complete
    store.close()


def test_there_is_nothing_to_bury_of_a_submission_that_never_came(store):
    assert not store.bury(Arrival("talk", "1", "uuid:1", "", "phone", "phones"), "no consent")


def test_the_same_instance_id_is_another_submission_in_another_form(store):
    send(store, "uuid:1", form_id="one", body=b"<a/>")
    send(store, "uuid:1", form_id="two", body=b"<b/>")
    assert store.xml(store.facts("one", "uuid:1")) == b"<a/>"
    assert store.xml(store.facts("two", "uuid:1")) == b"<b/>"


def test_counts_of_refusals_survive_and_hold_no_id(tmp_path):
    path = tmp_path / "refused.json"
    refused = Refused(path)
    for instance_id, reason in (("uuid:1", "a"), ("uuid:1", "a"), ("uuid:2", "a"), ("uuid:3", "b"), ("uuid:3", "a")):
        refused.count("talk", instance_id, reason)
    assert Refused(path).counts("talk") == {"a": 3}
    refused.forget("talk", "uuid:2")
    assert Refused(path).counts("talk") == {"a": 2}
    assert "uuid" not in path.read_text()


@pytest.mark.parametrize("text", ["{", "[]", '{"talk": 1}'])
def test_counts_that_cannot_be_read_are_said(tmp_path, text):
    (tmp_path / "refused.json").write_text(text)
    with pytest.raises(UnexpectedReply) as raised:
        Refused(tmp_path / "refused.json")
    assert raised.value.code == "SERVER-023"


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("new"), st.integers(0, 5), st.booleans()),
        st.tuples(st.just("edit"), st.integers(0, 9), st.integers(0, 9)),
        st.tuples(st.just("delete"), st.integers(0, 9), st.integers(0, 9)),
        st.tuples(st.just("restart"), st.just(0), st.just(0)),
    ),
    max_size=14,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_a_restart_never_changes_what_a_pull_sees(tmp_path_factory, steps):
    base = tmp_path_factory.mktemp("store")
    store = Store(base / "server")
    try:
        for kind, one, two in steps:
            if kind == "restart":
                before = store.index.listed("talk", 0, 1000)
                store.close()
                store = Store(base / "server")
                assert store.index.listed("talk", 0, 1000) == before
                assert store.damaged == 0
                continue
            try:
                if kind == "new":
                    send(store, f"uuid:{one}", incomplete=two)
                elif kind == "edit":
                    send(store, f"uuid:{one}", f"uuid:{two}" if one != two else "", files={"f": b"f"})
                else:
                    store.bury(Arrival("talk", "1", f"uuid:{one}", f"uuid:{two}", "phone", "phones"), "no consent")
            except Declined:
                continue
        names = listed(store)
        assert len(names) == len(set(names))
        roots = [store.facts("talk", name).submission_id for name in names]
        assert len(roots) == len(set(roots))
    finally:
        store.close()
