"""The XForm KoboToolbox gives to phones: pyxform's, with the asset's uid as root and form id, and marks of its own."""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any
from xml.sax.saxutils import escape, quoteattr

_BARE = """<?xml version="1.0"?>
<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml" \
xmlns:jr="http://openrosa.org/javarosa">
  <h:head><h:title>{title}</h:title><model><instance><{uid} id="{uid}">{nodes}<meta><instanceID/></meta></{uid}>\
</instance></model></h:head><h:body>{inputs}</h:body>
</h:html>"""


class NotBuilt(Exception):  # noqa: N818 - named by what it is
    """The form does not become an XForm; the server says so when it is deployed."""


def preview(uid: str, title: str, workbook: bytes | None, content: dict[str, Any]) -> str:
    """The XForm without version and marks, as at `<asset>.xml`.

    Raises:
        NotBuilt: pyxform refuses the form.
    """
    if workbook is None:
        return _by_hand(uid, title, content)
    # Slow to load, and most tests deploy nothing.
    from pyxform.errors import PyXFormError
    from pyxform.xls2xform import convert

    try:
        made = convert(BytesIO(workbook), form_name=uid, file_type=".xlsx", validate=False)
    except PyXFormError as error:
        raise NotBuilt(str(error)) from None
    head = re.search(rf'(<{uid} id="[^"]*")( version="[^"]*")?', made.xform)
    assert head is not None
    made_xml: str = made.xform
    return made_xml.replace(head[0], head[1], 1)


def deployed(preview_xml: str, uid: str, version: str, marks: dict[str, str]) -> str:
    """The XForm for phones: id and version are the server's, `formhub/uuid` and `__version__` are in it."""
    xml = re.sub(rf'<{uid} id="[^"]*"', f'<{uid} id="{uid}" version={quoteattr(version)}', preview_xml, count=1)
    opened = xml.index(">", xml.index(f"<{uid} id=")) + 1
    xml = f"{xml[:opened]}<formhub><uuid/></formhub>{xml[opened:]}"
    closed = xml.index(f"</{uid}>")
    meta = xml.rfind("<meta>", 0, closed)
    if meta < 0:
        meta = closed
    xml = f"{xml[:meta]}<__version__/>{xml[meta:]}"
    binds = [
        f'<bind nodeset="/{uid}/{path}" type="string" calculate="{escape(repr(value))}"/>'
        for path, value in marks.items()
    ]
    end = xml.index("</model>")
    above_meta = xml.find(f'<bind nodeset="/{uid}/meta/', 0, end)
    own = above_meta if above_meta > 0 else end
    return f"{xml[:own]}{binds[0]}{xml[own:end]}{binds[1]}{xml[end:]}"


def _by_hand(uid: str, title: str, content: dict[str, Any]) -> str:
    nodes: list[str] = []
    inputs: list[str] = []
    for row in content.get("survey", []):
        name = row.get("name", "")
        if row["type"].startswith("begin_"):
            template = ' jr:template=""' if row["type"] == "begin_repeat" else ""
            nodes.append(f"<{name}{template}>")
        elif row["type"].startswith("end_"):
            nodes.append(f"</{_opened(nodes)}>")
        else:
            nodes.append(f"<{name}/>")
            inputs.append(f'<input ref="/{uid}/{row["$xpath"]}"><label>{escape(name)}</label></input>')
    return _BARE.format(title=escape(title), uid=uid, nodes="".join(nodes), inputs="".join(inputs))


def _opened(nodes: list[str]) -> str:
    names: list[str] = []
    for node in nodes:
        if node.startswith("</"):
            names.pop()
        elif not node.endswith("/>"):
            names.append(re.match(r"<([\w.-]+)", node)[1])  # type: ignore[index] # each was written just above
    return names[-1]
