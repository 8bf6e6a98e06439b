"""Media of a form on KoboToolbox: compared by hash, replaced by deleting first."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dialogkit.errors import ServerRefused
from dialogkit.files import md5_of
from dialogkit.servers.exchange import Asked
from dialogkit.servers.kobo.session import KoboSession, asset_path, objects, text


def media_of(asset: Mapping[str, Any]) -> dict[str, str]:
    """File name → MD5 of what phones are given; `""` for a file that came after the form was published."""
    published = text(asset, "date_deployed")
    return {
        name: digest if text(file, "date_created") <= published else ""
        for name, (file, digest) in _files(asset).items()
    }


def sync_media(
    session: KoboSession, remote_id: str, asset: Mapping[str, Any], media: Mapping[str, Path], where: str
) -> None:
    """Make the files of a form these. They reach phones when it is published again.

    Raises:
        ServerRefused: SERVER-050, a file is not taken.
    """
    there = _files(asset)
    for name, (file, digest) in there.items():
        if name not in media or digest != md5_of(media[name]):
            path = asset_path(remote_id, f"files/{text(file, 'uid')}/")
            session.http.send(Asked("DELETE", path, allow=(404,)))
    for name, source in media.items():
        if name not in there or there[name][1] != md5_of(source):
            _send(session, remote_id, name, source, where)


def _send(session: KoboSession, remote_id: str, name: str, source: Path, where: str) -> None:
    said = {"description": "default", "file_type": "form_media", "metadata": json.dumps({"filename": name})}
    content = ("content", name, source.read_bytes())
    reply = session.send_form(asset_path(remote_id, "files/"), said, content, allow=400)
    if reply.status == 400:
        raise ServerRefused(
            "SERVER-050",
            f"{where}, {name}",
            "KoboToolbox does not take this file of the form.",
            "It takes images, sound, video, CSV, XML, GeoJSON and ZIP, each with its right ending. Phones still "
            "have the form as it was; deploy again.",
        )


def _files(asset: Mapping[str, Any]) -> dict[str, tuple[dict[str, Any], str]]:
    found = {}
    for file in objects(asset, "files"):
        said = file.get("metadata")
        metadata = said if isinstance(said, dict) else {}
        if text(file, "file_type") == "form_media" and text(metadata, "filename"):
            found[text(metadata, "filename")] = (file, text(metadata, "hash").removeprefix("md5:"))
    return found
