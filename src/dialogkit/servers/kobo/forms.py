"""Forms on KoboToolbox: placed, replaced, published with their media, archived, and opened to phones."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

from dialogkit.errors import ServerRefused, ServerUnreachable
from dialogkit.model.form import CARRIED_ID
from dialogkit.model.host import PhoneAccess, Placed, Upload
from dialogkit.servers.exchange import Asked, Reply
from dialogkit.servers.kobo.imports import import_workbook
from dialogkit.servers.kobo.media import media_of, sync_media
from dialogkit.servers.kobo.session import KoboSession, asset_path, objects, text

#: The label with which people who have no account are let in.
ANONYMOUS: Final = "anonymous"


class KoboForms:
    """Satisfies `model.host.FormHost`.

    Args:
        session: the account that owns the forms, or may edit them.
    """

    def __init__(self, session: KoboSession) -> None:
        self.name, self._session = session.name, session

    def find(self, form_id: str, title: str) -> str:
        """The account's own form of this title that carries our form_id; `""` when there is none.

        Raises:
            ServerRefused: SERVER-055, there are several.
        """
        user = self._session.check()
        named = [
            text(one, "uid")
            for one in self._session.results("api/v2/assets/", {"q": "asset_type:survey"})
            if text(one, "name").strip() == title.strip() and text(one, "owner__username") == user
        ]
        found = [uid for uid in named if uid and self._carries(uid, form_id)]
        if len(found) > 1:
            raise ServerRefused(
                "SERVER-055",
                f"{self.name}, {form_id}",
                f"Several forms of this account are this form: {', '.join(found)}.",
                f'Say which one it is: remote_id = "…" under [forms.{form_id}] in dialogkit.toml.',
            )
        return found[0] if found else ""

    def placed(self, remote_id: str) -> Placed | None:
        """The form as it is there; None when it is not, or never was published."""
        self._session.check()
        asset = self._session.asset(remote_id)
        return _placed(asset, remote_id) if asset and asset.get("has_deployment") else None

    def place(self, upload: Upload, remote_id: str) -> Placed:
        """Create (`remote_id` empty) or replace a form with its media, and publish it. Safe to run again after a stop.

        Raises:
            ServerRefused: SERVER-047, SERVER-048 KoboToolbox does not take the workbook, with its reason; SERVER-050
                nor a file of it.
            ServerUnreachable: SERVER-049, the server has not read the workbook in time.
        """
        self._session.check()
        where = f"{self.name}, {upload.form.form_id}"
        remote_id = import_workbook(self._session, upload, remote_id, where)
        asset = self._asset(remote_id)
        # Phones get what was there when the form was published: media go first.
        sync_media(self._session, remote_id, asset, upload.media, where)
        return _placed(self._publish(remote_id, asset, where), remote_id)

    def set_active(self, remote_id: str, *, active: bool) -> None:
        """Open a form to phones, or archive it. Its submissions stay."""
        path = asset_path(remote_id, "deployment/")
        self._session.send_json("PATCH", path, {"active": active}, again=True)

    def let_in(self, remote_id: str, label: str) -> PhoneAccess:
        """Give phones the right to load and send this form.

        Args:
            remote_id: the form.
            label: the user name of an account on that server, or `anonymous`.

        Raises:
            ServerRefused: SERVER-051, there is no such account.
        """
        anonymous = label == ANONYMOUS
        user = "AnonymousUser" if anonymous else label
        granted = {
            "user": f"/api/v2/users/{quote(user, safe='')}/",
            "permission": "/api/v2/permissions/add_submissions/",
        }
        path = asset_path(remote_id, "permission-assignments/")
        if self._session.send_json("POST", path, granted, again=True, allow=(400,)).status == 400:
            raise ServerRefused(
                "SERVER-051",
                self.name,
                "The server does not know the account that is to collect with this form.",
                "Check its user name (not the e-mail address); create the account on KoboToolbox first.",
            )
        url = self._session.phone_url()
        if not anonymous:
            return PhoneAccess(url, username=label, label=label)
        owner = text(self._asset(remote_id), "owner__username")
        return PhoneAccess(f"{url}/{quote(owner, safe='')}", label=label)

    def workbook(self, remote_id: str) -> bytes | None:
        """The workbook as the server gives it back; None when the form is not there."""
        path = asset_path(remote_id).rstrip("/") + ".xls"
        reply = self._session.http.send(Asked("GET", path, headers={"Accept": "*/*"}, allow=(404,)))
        return reply.body if reply.status < 400 else None

    def _asset(self, remote_id: str) -> dict[str, Any]:
        return self._session.ask(asset_path(remote_id))

    def _carries(self, remote_id: str, form_id: str) -> bool:
        asset = self._session.asset(remote_id) or {}
        content = asset.get("content")
        rows = objects(content, "survey") if isinstance(content, dict) else []
        said = {text(row, "calculation").strip() for row in rows if text(row, "name") == CARRIED_ID}
        return bool(said & {f"'{form_id}'", f'"{form_id}"'})

    def _publish(self, remote_id: str, asset: dict[str, Any], where: str) -> dict[str, Any]:
        """Publish the newest version, whatever it is: somebody may edit the form in the browser at this moment."""
        try:
            reply = self._deploy(remote_id, asset)
        except ServerUnreachable as error:
            # The server has a fault when the version is not its newest.
            newer = self._asset(remote_id)
            if error.code != "SERVER-005" or newer.get("version_id") == asset.get("version_id"):
                raise
            reply = self._deploy(remote_id, newer)
        if reply.status == 400:
            reason = self._session.reason(reply) or "it gives no reason"
            raise ServerRefused(
                "SERVER-048",
                where,
                f"KoboToolbox took the workbook but cannot make a form of it: {reason}",
                "Its pyxform is older than ours: write that part of the form in a simpler way, then deploy again. "
                "What phones have is as it was.",
            )
        published = self._session.mapping(reply).get("asset")
        if not isinstance(published, dict):
            raise self._session.unexpected("It does not say what it has published.")
        return published

    def _deploy(self, remote_id: str, asset: dict[str, Any]) -> Reply:
        path = asset_path(remote_id, "deployment/")
        if not asset.get("has_deployment"):
            return self._session.send_json("POST", path, {"active": True}, allow=(400,))
        version = {"active": True, "version_id": asset.get("version_id")}
        return self._session.send_json("PATCH", path, version, allow=(400,))


def _placed(asset: dict[str, Any], remote_id: str) -> Placed:
    version = text(asset, "deployed_version_id")
    published = asset.get("deployed_versions")
    known = objects(published, "results") if isinstance(published, dict) else []
    hashes = [text(one, "content_hash") for one in known if text(one, "uid") == version]
    if not hashes and version == text(asset, "version_id"):
        hashes = [text(asset, "version__content_hash")]
    return Placed(
        remote_id=remote_id,
        remote_version=version,
        active=asset.get("deployment__active") is True,
        content=hashes[0] if hashes else "",
        media=media_of(asset),
    )
