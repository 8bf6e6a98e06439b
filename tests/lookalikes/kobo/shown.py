"""How the server shows a form, its files, rights and versions as JSON."""

from __future__ import annotations

from typing import Any

from tests.lookalikes.kobo.asset import ANONYMOUS, OWNERS_RIGHTS, Asset, Media, Version
from tests.lookalikes.kobo.content import summary_of
from tests.lookalikes.kobo.marks import micro
from tests.lookalikes.kobo.state import State

_PARTIAL = {
    "default": "Act on submissions only from specific users",
    "view_submissions": "View submissions only from specific users",
    "change_submissions": "Edit submissions only from specific users",
    "delete_submissions": "Delete submissions only from specific users",
    "validate_submissions": "Validate submissions only from specific users",
}
RIGHT_LABELS: dict[str, Any] = {
    "view_asset": "View form",
    "change_asset": "Edit form",
    "manage_asset": "Manage project",
    "add_submissions": "Add submissions",
    "view_submissions": "View submissions",
    "partial_submissions": _PARTIAL,
    "change_submissions": "Edit submissions",
    "delete_submissions": "Delete submissions",
    "validate_submissions": "Validate submissions",
}
_EMPTY_SETTINGS = {"sector": {}, "country": [], "description": "", "organization": "", "country_codes": []}


class Shown:
    """Renders for one request: `?format=json` of the request leaks into every link, as on the server."""

    def __init__(self, state: State, format_: str = "") -> None:
        self.state = state
        self.tail = f"?format={format_}" if format_ else ""

    def url(self, path: str) -> str:
        return f"{self.state.base}/api/v2/{path}{self.tail}"

    def listed(self, asset: Asset, user: str) -> dict[str, Any]:
        """A form as it stands in a list."""
        return {
            "url": self.url(f"assets/{asset.uid}/"),
            "date_created": micro(asset.created),
            "date_modified": micro(asset.modified),
            "date_deployed": micro(asset.deployed),
            "owner": self.url(f"users/{asset.owner}/"),
            "summary": summary_of(asset.content),
            "owner__username": asset.owner,
            "parent": None,
            "uid": asset.uid,
            "tag_string": "",
            "settings": {**_EMPTY_SETTINGS, **asset.settings},
            "kind": "asset",
            "name": asset.name,
            "asset_type": asset.asset_type,
            "version_id": asset.version_id,
            **self._deployment(asset),
            "permissions": self.rights(asset, user),
            "export_settings": [],
            "downloads": self._downloads(asset),
            "data": self.url(f"assets/{asset.uid}/data/"),
            "subscribers_count": 0,
            "status": self._status(asset, user),
            "access_types": None,
            "children": {"count": 0},
            "data_sharing": {},
            "owner_label": asset.owner,
            "last_modified_by": asset.edited_by,
            "created_by": asset.created_by,
        }

    def whole(self, asset: Asset, user: str) -> dict[str, Any]:
        """A form with its content."""
        own = f"assets/{asset.uid}"
        names = [row.get("name", row["$kuid"]) for row in asset.content.get("survey", [])]
        kuids = {row.get("name", row["$kuid"]): row["$kuid"] for row in asset.content.get("survey", [])}
        return {
            **self.listed(asset, user),
            "files": [self.file(asset, one) for one in asset.files],
            "version__content_hash": asset.hash,
            "version_count": asset.version_count,
            "deployed_versions": paged([self.version(asset, one) for one in asset.versions]),
            "deployment__links": self._enketo(asset),
            "deployment__data_download_links": self._legacy(asset),
            "report_styles": {"default": {}, "specified": {name: {} for name in names}, "kuid_names": kuids},
            "report_custom": {},
            "advanced_features": {"_version": "20250820"},
            "map_styles": {},
            "map_custom": {},
            "content": asset.content,
            "embeds": [{"format": kind, "url": self.url(f"{own}/{kind}/")} for kind in ("xls", "xform")],
            "analysis_form_json": {"additional_fields": []},
            "xform_link": self.url(f"{own}/xform/"),
            "hooks_link": self.url(f"{own}/hooks/"),
            "xls_link": self.url(f"{own}/xls/"),
            "assignable_permissions": [
                {"url": self.url(f"permissions/{name}/"), "label": label} for name, label in RIGHT_LABELS.items()
            ],
            "effective_permissions": [{"codename": name} for name in (*OWNERS_RIGHTS, "delete_asset")],
            "exports": self.url(f"{own}/exports/"),
            "paired_data": self.url(f"{own}/paired-data/"),
            "project_ownership": None,
        }

    def version(self, asset: Asset, one: Version) -> dict[str, Any]:
        return {
            "uid": one.uid,
            "url": self.url(f"assets/{asset.uid}/versions/{one.uid}/"),
            "content_hash": one.hash,
            "date_deployed": micro(one.moment),
            "date_modified": micro(one.moment),
            "version_number": str(one.number),
        }

    def deployment(self, asset: Asset, user: str) -> dict[str, Any]:
        return {
            "backend": "openrosa",
            "active": asset.active,
            "version_id": asset.versions[0].uid,
            "asset": self.whole(asset, user),
        }

    def file(self, asset: Asset, one: Media) -> dict[str, Any]:
        url = self.url(f"assets/{asset.uid}/files/{one.uid}/")
        return {
            "uid": one.uid,
            "url": url,
            "asset": self.url(f"assets/{asset.uid}/"),
            "user": self.url(f"users/{asset.owner}/"),
            "user__username": asset.owner,
            "file_type": one.file_type,
            "description": one.description,
            "date_created": micro(one.created),
            "content": self.url(f"assets/{asset.uid}/files/{one.uid}/content/"),
            "metadata": {"filename": one.name, "hash": one.hash, "mimetype": one.mimetype},
        }

    def rights(self, asset: Asset, user: str) -> list[dict[str, Any]]:
        """All assignments for who manages the form; for others the owner's and their own."""
        manages = asset.can(user, "manage_asset")
        return [
            self.right(asset, holder, name)
            for holder, name in sorted(asset.rights)
            if manages or holder in {user, asset.owner}
        ]

    def right(self, asset: Asset, holder: str, name: str) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "url": self.url(f"assets/{asset.uid}/permission-assignments/{asset.rights[holder, name]}/"),
            "user": self.url(f"users/{holder}/"),
            "permission": self.url(f"permissions/{name}/"),
            "label": RIGHT_LABELS[name],
        }
        if name == "partial_submissions":
            shown["partial_permissions"] = asset.partial[holder]
        return shown

    def _status(self, asset: Asset, user: str) -> str:
        if any(holder == ANONYMOUS for holder, _ in asset.rights):
            return "public"
        return "private" if user == asset.owner else "shared"

    def _deployment(self, asset: Asset) -> dict[str, Any]:
        deployed = asset.deployed is not None
        last = asset.rows.by_number[asset.rows.numbers[-1]].submitted if len(asset.rows) else None
        return {
            "has_deployment": deployed,
            "deployed_version_id": asset.versions[0].uid if deployed else None,
            "deployment__active": asset.active,
            "deployment__submission_count": len(asset.rows),
            "deployment__last_submission_time": last and last + ".000000Z",
            "deployment__encrypted": deployed and asset.encrypted,
            "deployment__uuid": asset.formhub or None,
            "deployment_status": ("deployed" if asset.active else "archived") if deployed else "draft",
        }

    def _downloads(self, asset: Asset) -> list[dict[str, str]]:
        own = self.url(f"assets/{asset.uid}/") if self.tail else f"{self.state.base}/api/v2/assets/{asset.uid}"
        return [{"format": kind, "url": f"{own}.{kind}"} for kind in ("xls", "xml")]

    def _enketo(self, asset: Asset) -> dict[str, str]:
        if not asset.active:
            return {}
        form, base = asset.formhub[:8], self.state.base
        return {
            "url": f"{base}/{form}",
            "single_url": f"{base}/single/{form}",
            "single_once_url": f"{base}/single/{form}?once",
            "offline_url": f"{base}/x/{form}",
            "preview_url": f"{base}/preview/{form}",
            "iframe_url": f"{base}/i/{form}",
            "single_iframe_url": f"{base}/single/i/{form}",
            "single_once_iframe_url": f"{base}/single/i/{form}?once",
        }

    def _legacy(self, asset: Asset) -> dict[str, str]:
        if asset.deployed is None:
            return {}
        own = f"{self.state.kc_base}/{asset.owner}"
        old = {f"{kind}_legacy": f"{own}/exports/{asset.uid}/{kind}/" for kind in ("xls", "csv", "zip")}
        return {**old, **{k: f"{own}/reports/{asset.uid}/export.{e}" for k, e in (("xls", "xlsx"), ("csv", "csv"))}}


def paged(results: list[Any], count: int | None = None) -> dict[str, Any]:
    """A list that fits on one page."""
    return {"count": len(results) if count is None else count, "next": None, "previous": None, "results": results}
