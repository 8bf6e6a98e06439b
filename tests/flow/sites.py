"""A workspace with a form on a look-alike, pulled once, and what must hold when a later pull meets something bad."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import pytest
from click.testing import CliRunner, Result

from dialogkit.cli.main import cli
from dialogkit.forms.build import build_form
from dialogkit.forms.remote_copy import remote_copy, xlsx_bytes
from dialogkit.pull.batches import batches, open_batch
from dialogkit.pull.certificates import Certificate, certificates
from dialogkit.servers import again
from dialogkit.servers.central.mirror import CentralServer
from dialogkit.servers.kobo.mirror import KoboServer
from dialogkit.steps.deployments import Deployment, note
from dialogkit.workspace import Workspace, open_workspace
from tests.lookalikes import central, kobo

FORM: Final = """
| survey |
|        | type         | name   | label  |
|        | text         | said   | What?  |
|        | image        | photo  | Photo  |
|        | begin repeat | person | People |
|        | text         | name   | Name   |
|        | end repeat   |        |        |
| settings |
|          | form_title | form_id | version |
|          | Visit      | visit   | 7       |
"""
#: Stands in every answer, and so must stand in no message.
ANSWER: Final = "Zebracorn"
#: How many submissions are on the server before a test, so that every kind of request has work to do.
_KEPT: Final = 3


@dataclass
class Site:
    """One workspace, and the look-alike that its form is on."""

    kind: str
    root: Path
    place: Any
    uid: str
    number: int = 0
    _read: dict[Path, dict[str, dict[str, Any]]] = field(default_factory=dict, repr=False)

    def pull(self, *more: str) -> Result:
        """`dialogkit pull`."""
        return CliRunner().invoke(cli, ["pull", "-q", *more, "-w", str(self.root)])

    def new(self, name: str = "", data: bytes = b"") -> str:
        """A submission comes in, with a photo when it has a name."""
        self.number += 1
        answers: dict[str, Any] = {"said": f"{ANSWER} {self.number}", "person": [{"person/name": f"{ANSWER} P"}]}
        if self.kind == "kobo":
            answers |= {"dialogkit_form_id": "visit", "dialogkit_form_version": "7"}
        files = {name: data or f"photo {self.number}".encode() * 50} if name else {}
        created: str = self.place.state.new(self.uid, answers | ({"photo": name} if name else {}), files)
        return created

    def prepare(self) -> None:
        """New, edited and deleted submissions wait: every kind of request has something to do."""
        alive = list(self.there)
        for key in alive[_KEPT:] or alive[:1]:
            self.place.state.delete(key)
        edited = {"said": f"{ANSWER} edited {self.number}"}
        if self.kind == "kobo":
            edited |= {"dialogkit_form_id": "visit", "dialogkit_form_version": "7"}
        for key in list(self.there)[:1]:
            self.place.state.edit(key, edited)
        for _ in range(3):
            self.new(f"p{self.number}.jpg")

    @property
    def there(self) -> dict[str, dict[str, Any]]:
        """What the server has."""
        found: dict[str, dict[str, Any]] = self.place.state.everything(self.uid)
        return found

    @property
    def proofs(self) -> list[Certificate]:
        """Every certificate of the form."""
        return certificates(self.batches, "visit")

    @property
    def cursor(self) -> str:
        """Where the next pull starts."""
        return self.proofs[-1].cursor

    @cached_property
    def batches(self) -> Path:
        """The folder of all batches."""
        return self.root / "warehouse" / "batches"

    @property
    def here(self) -> dict[str, dict[str, Any]]:
        """The newest line of each submission that is not deleted, from whole batches only."""
        for folder in batches(self.batches, "visit"):
            if folder not in self._read:
                batch = open_batch(folder)
                self._read[folder] = {line["id"]: line | {"batch": batch} for line in batch.lines()}
        found = {key: line for folder in sorted(self._read) for key, line in self._read[folder].items()}
        return {key: line for key, line in found.items() if not line["deleted_at"]}

    @property
    def secrets(self) -> list[str]:
        """What must stand in no message."""
        told = [getattr(self.place, name, "") for name in ("token", "password", "email")]
        return [*filter(None, told), ANSWER, "photo 1", "Bearer", "Authorization"]

    def refuses(self, code: str, *more: str, exit_code: int = 5) -> Result:
        """A pull that ends with this code: said as it must be, nothing lost, nothing moved."""
        before, proofs = batches(self.batches, "visit"), self.proofs
        result = self.pull(*more)
        self.check_said(result.output, result.exit_code, code, exit_code)
        after = batches(self.batches, "visit")
        assert set(before) <= set(after)
        # All that this test could have spoilt.
        for folder in after[-6:]:
            open_batch(folder)
        assert not list(self.batches.rglob(".partial-*"))
        moved = self.proofs[len(proofs) :]
        unmoved = proofs[-1].cursor if proofs else ""
        assert all(one.cursor == unmoved and one.unreadable for one in moved), "a certificate was given or it moved"
        return result

    def check_said(self, output: str, exit_code: int, code: str, wanted: int) -> None:
        """One error in three lines, without a secret, an answer or a traceback."""
        assert (exit_code, re.findall(r"error\[([A-Z]+-\d+)]", output)) == (wanted, [code]), output
        head, *rest = output.splitlines()
        assert re.fullmatch(rf"error\[{code}] \S.*", head), output
        assert len(rest) >= 2, output
        assert all(line.startswith("  ") and line.strip() for line in rest), output
        assert "Traceback" not in output
        for secret in self.secrets:
            assert secret not in output

    def heals(self) -> None:
        """The fault is over: a plain pull makes the mirror equal."""
        self.place.faults.clear()
        result = self.pull()
        assert result.exit_code == 0, result.output
        assert ": equal" in result.output, result.output
        self.check_equal()

    def check_equal(self) -> None:
        """Every submission and every file is here as it is there."""
        there, here = self.there, self.here
        assert here.keys() == there.keys()
        assert self.proofs[-1].equal
        assert not self.proofs[-1].files_missing
        for key, line in here.items():
            assert line["answers"].get("said") == _said(there[key]), key
            have = {
                hashlib.sha256(line["batch"].attachment(key, file["name"]).read_bytes()).hexdigest()
                for file in line["attachments"]
            }
            files = [data for data in there[key]["attachments"].values() if data is not None]
            assert have == {hashlib.sha256(data).hexdigest() for data in files}, key


def _said(facts: dict[str, Any]) -> str | None:
    if "answers" in facts:
        return facts["answers"].get("said")
    found = re.search(rb"<said>([^<]*)</said>", facts["xml"])
    return found[1].decode() if found else None


@contextmanager
def kobo_site(root: Path, setenv: Callable[[str, str], None]) -> Iterator[Site]:
    """A form on the look-alike of KoboToolbox."""
    (root / "visit.md").write_text(FORM)
    with kobo.lookalike() as place:
        built = build_form(root / "visit.md")
        uid = place.state.form(workbook=xlsx_bytes(remote_copy(root / "visit.md", {}, built.form)))
        setenv("BAD_TOKEN", place.token)
        workspace = _workspace(root, f'kind = "kobo"\nurl = "{place.url}"\ntoken_env = "BAD_TOKEN"\n')
        note(workspace, Deployment("far", "visit", uid))
        yield _pulled(Site("kobo", root, place, uid))


@contextmanager
def central_site(root: Path, setenv: Callable[[str, str], None]) -> Iterator[Site]:
    """A form on the look-alike of ODK Central."""
    (root / "visit.md").write_text(FORM)
    with central.lookalike() as place:
        place.state.publish(xlsx_bytes(remote_copy(root / "visit.md", {})))
        setenv("BAD_EMAIL", place.email)
        setenv("BAD_PASSWORD", place.password)
        _workspace(
            root,
            f'kind = "central"\nurl = "{place.url}"\nproject_id = {place.project_id}\n'
            'email_env = "BAD_EMAIL"\npassword_env = "BAD_PASSWORD"\n',
        )
        yield _pulled(Site("central", root, place, "visit"))


SITES: Final = {"kobo": kobo_site, "central": central_site}


def _workspace(root: Path, server: str) -> Workspace:
    form = '[forms.visit]\nfile = "visit.md"\nserver = "far"\n'
    (root / "dialogkit.toml").write_text(f'[workspace]\nname = "T"\n[servers.far]\n{server}{form}')
    return open_workspace(root)


def _pulled(site: Site) -> Site:
    for number in range(_KEPT):
        site.new(f"first{number}.jpg")
    site.heals()
    return site


# Fixtures; a test module says: pytest_plugins = ["tests.flow.sites"]


@pytest.fixture(params=SITES)
def kind(request: pytest.FixtureRequest) -> str:
    """The kind of server; a test may name its own."""
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Site]]:
    """One workspace of each kind for all tests of a module: each leaves it equal to its server."""
    made: dict[str, Site] = {}
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:

        def get(kind: str) -> Site:
            if kind not in made:
                made[kind] = stack.enter_context(SITES[kind](tmp_path_factory.mktemp(kind), patch.setenv))
            return made[kind]

        yield get


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Waits take no time; how long they would have been."""
    slept: list[float] = []
    monkeypatch.setattr(again, "time", SimpleNamespace(sleep=slept.append))
    return slept


@pytest.fixture
def site(
    kind: str, sites: Callable[[str], Site], waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Site]:
    """New, edited and deleted submissions wait; a page has three rows; at the end a plain pull makes all equal."""
    del waits
    for client in (KoboServer, CentralServer):
        monkeypatch.setitem(client.__init__.__kwdefaults__, "page_size", 3)
    found = sites(kind)
    found.place.faults.clear()
    found.place.faults.forget()
    found.prepare()
    yield found
    found.heals()


@pytest.fixture
def in_settings(site: Site) -> Callable[[str, str], Any]:
    """Something else in dialogkit.toml while a block runs."""

    @contextmanager
    def changed(old: str, new: str) -> Iterator[None]:
        path = site.root / "dialogkit.toml"
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))
        try:
            yield
        finally:
            path.write_text(text)

    return changed
