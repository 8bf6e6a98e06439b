"""`dialogkit pull` where this side is not as it should be: disk, rights, secrets, settings, a second pull, Ctrl-C."""

from __future__ import annotations

import ctypes
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from dialogkit.steps import secret
from dialogkit.steps.deployments import NAME
from tests.contract.test_http import Answers, ok, served
from tests.contract.test_http import _self_signed as self_signed

if TYPE_CHECKING:
    from tests.flow.sites import Site

pytest_plugins = ["tests.flow.sites"]

LIST = {"kobo": r"/data/\?.*fields=", "central": "select=__id%2C__system%2FsubmissionDate"}


def apart(site: Site, **more: object) -> subprocess.Popen[str]:
    """`dialogkit pull` in a process of its own."""
    command = [sys.executable, "-m", "dialogkit", "pull", "-q", "-w", str(site.root)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)  # type: ignore[call-overload,no-any-return] # the options are of no interest here


def ended(process: subprocess.Popen[str]) -> tuple[str, int]:
    out, err = process.communicate(timeout=30)
    return out + err, process.returncode


def asked(site: Site, path: str) -> bool:
    """Wait until the pull has asked for this."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        if any(re.search(path, one.target) for one in site.place.faults.seen):
            return True
        time.sleep(0.01)
    return False


# --- the disk


def limited(size: int) -> Callable[[], None]:
    """A limit on the size of files, as a full disk."""

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return limit


@pytest.mark.parametrize("size", [2_000, 500_000, 1_500_000])
def test_a_full_disk_is_told_and_nothing_is_lost(site, size):
    for number in range(3):
        site.new(f"large{number}.jpg", os.urandom(700_000 * (number + 1)))
    before = site.here
    site.check_said(*ended(apart(site, preexec_fn=limited(size))), "BATCH-007", 6)
    assert before.keys() >= site.here.keys()
    assert not list(site.batches.rglob(".partial-*"))


def without_the_rights_of_root() -> None:
    """Root may write everywhere, by a capability of its own (PR_CAPBSET_DROP, CAP_DAC_OVERRIDE)."""
    ctypes.CDLL(None).prctl(24, 1, 0, 0, 0)


@pytest.mark.parametrize("inside", [".", "warehouse/batches/visit"])
def test_a_folder_that_cannot_be_written_to_is_told(site, inside):
    folder = site.root / inside
    # A folder that is made when it is first needed.
    for path in (site.batches / "visit").glob(".files"):
        path.rmdir()
    before = site.here
    folder.chmod(0o555)
    try:
        said = ended(apart(site, preexec_fn=without_the_rights_of_root))
    finally:
        folder.chmod(0o755)
    if inside == ".":
        # Nothing is ever written there by a pull.
        assert said[1] == 0, said
    else:
        site.check_said(*said, "FILE-001", 3)
        assert site.here.keys() == before.keys()


# --- a second pull, and Ctrl-C


def test_the_second_pull_is_told_who_is_pulling(site):
    site.place.faults.add("slow", path=LIST[site.kind], times=1, seconds=2)
    first = apart(site)
    assert asked(site, LIST[site.kind])
    result = site.refuses("BATCH-006", exit_code=6)
    assert f"process {first.pid} on {socket.gethostname()[:60]}, since 20" in result.output
    assert ended(first)[1] == 0


@pytest.mark.parametrize("where", ["list", "rows"])
def test_ctrl_c_ends_a_pull_that_waits_for_a_busy_server(site, where):
    path = LIST[site.kind] if where == "list" else {"kobo": r"/data/\?(?!.*fields=)", "central": "csv.zip"}[site.kind]
    site.place.faults.add("busy503", path=path, times=0, retry_after=50)
    process = apart(site)
    assert asked(site, path)
    time.sleep(0.3)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    output, code = ended(process)
    assert code == 130
    assert output == "Stopped. What was written is whole; run the same command again to go on.\n"
    assert time.monotonic() - began < 5


# --- secrets and settings


def test_a_secret_that_is_not_set_is_told(site, monkeypatch):
    name = {"kobo": "BAD_TOKEN", "central": "BAD_PASSWORD"}[site.kind]
    for value in ("", None):
        with monkeypatch.context() as patch:
            patch.setattr(secret, "keyring", None)
            patch.setenv(name, value) if value is not None else patch.delenv(name)
            assert name in site.refuses("CONFIG-009", exit_code=3).output


def test_a_secret_may_be_in_the_keyring(site, monkeypatch):
    class Ring:
        @staticmethod
        def get_password(service: str, name: str) -> str | None:
            return kept.get((service, name))

    name = {"kobo": "BAD_TOKEN", "central": "BAD_PASSWORD"}[site.kind]
    kept = {("dialogkit", name): os.environ[name]}
    with monkeypatch.context() as patch:
        patch.setattr(secret, "keyring", Ring)
        patch.delenv(name)
        assert site.pull().exit_code == 0
        kept.clear()
        site.refuses("CONFIG-009", exit_code=3)


@pytest.mark.parametrize("kind", ["kobo"])
@pytest.mark.parametrize("token", ["Zebra corn", "zébracorn", "a\nb: c", "  "])
def test_a_token_that_can_be_none_is_never_sent(site, monkeypatch, token):
    with monkeypatch.context() as patch:
        patch.setenv("BAD_TOKEN", token)
        site.place.faults.forget()
        assert token not in site.refuses("SERVER-040").output.replace("\n  ", "")
    assert not site.place.faults.seen


def test_an_unknown_server_is_told(site, in_settings):
    with in_settings('server = "far"', 'server = "fra"'):
        result = site.pull()
    assert result.exit_code == 3
    assert "fra" in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize("kind", ["kobo"])
def test_a_form_that_was_never_deployed_is_told(site):
    path = site.root / NAME
    text = path.read_bytes()
    path.unlink()
    try:
        site.refuses("CONFIG-033", exit_code=3)
    finally:
        path.write_bytes(text)


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"format":1,"deployments":[{}]}', b'{"format":[]}', b"\xff"])
@pytest.mark.parametrize("kind", ["kobo"])
def test_a_damaged_deployments_file_is_told(site, text):
    path = site.root / NAME
    good = path.read_bytes()
    path.write_bytes(text)
    try:
        site.refuses("CONFIG-040", exit_code=3)
    finally:
        path.write_bytes(good)


# --- the wire


def test_a_certificate_that_nobody_vouches_for_is_told_and_the_secret_not_sent(site, in_settings, tmp_path):
    answers = Answers(ok({}))
    with served(answers, self_signed(tmp_path)) as url, in_settings(site.place.url, url):
        site.refuses("SERVER-011")
    assert not answers.seen
