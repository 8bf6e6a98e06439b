"""A form host in memory: what a deploy asks of KoboToolbox and ODK Central, and a kill at any call."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace

from dialogkit.model.host import PhoneAccess, Placed, Upload


class Killed(BaseException):
    """As SIGKILL: nothing catches it."""


@dataclass
class MemoryHost:
    """Holds forms under a remote id. `stop_after` calls that change something, the process "dies".

    Args:
        name: of the server.
        discards: as KoboToolbox does: every publishing gets a version of the server's own.
    """

    name: str = "kobo"
    discards: bool = True
    forms: dict[str, Placed] = field(default_factory=dict)
    uploads: dict[str, Upload] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    access: list[tuple[str, str]] = field(default_factory=list)
    stop_after: int = -1
    stop_before: int = -1
    loses: frozenset[str] = frozenset()

    def find(self, form_id: str, title: str) -> str:
        return next((key for key, upload in self.uploads.items() if upload.form.form_id == form_id), "")

    def placed(self, remote_id: str) -> Placed | None:
        return self.forms.get(remote_id)

    def place(self, upload: Upload, remote_id: str) -> Placed:
        self._before("place")
        key = remote_id or f"a{len(self.forms) + 1}"
        versions = sum(one.startswith("place") for one in self.asked)
        media = {
            name: "" if name in self.loses else hashlib.md5(path.read_bytes()).hexdigest()
            for name, path in upload.media.items()
        }
        version = f"v{versions}" if self.discards else upload.form.version
        self.forms[key] = Placed(key, version, active=True, media=media)
        self.uploads[key] = upload
        self._after()
        return self.forms[key]

    def set_active(self, remote_id: str, *, active: bool) -> None:
        self._before(f"set_active {active}")
        self.forms[remote_id] = replace(self.forms[remote_id], active=active)
        self._after()

    def let_in(self, remote_id: str, label: str) -> PhoneAccess:
        self._before(f"let_in {label}")
        self.access.append((remote_id, label))
        self._after()
        if self.discards:
            anonymous = label == "anonymous"
            url = "https://kc.example.org" + ("/owner" if anonymous else "")
            return PhoneAccess(url, "" if anonymous else label, label)
        return PhoneAccess(f"https://central.example.org/v1/key/{'k' * 64}/projects/3", label=label)

    def _before(self, what: str) -> None:
        if len(self.asked) == self.stop_before:
            raise Killed
        self.asked.append(what)

    def _after(self) -> None:
        if len(self.asked) == self.stop_after:
            raise Killed


@dataclass
class GivingHost(MemoryHost):
    """Also gives back the workbook that it was given."""

    def workbook(self, remote_id: str) -> bytes | None:
        return self.uploads[remote_id].workbook
