"""What stands beside an original: XMP for other programs, JSON with everything that the catalogue knows.

XMP as digiKam, darktable, Lightroom and Immich read it from `NAME.EXT.xmp`. When and how a picture was taken
is left to its own EXIF: the catalogue keeps that time in UTC and would shift it. Pure.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from xml.etree import ElementTree as ET

from dam.catalogue.row import SNAPSHOT_SCHEMA

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dam.catalogue import Row

KIND: Final = "dam-export"
SCHEMA: Final = 1
"""Of the JSON and the XMP together: files of another one are written anew."""

NAMESPACES: Final = {
    "x": "adobe:ns:meta/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "dc": "http://purl.org/dc/elements/1.1/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "xmpMM": "http://ns.adobe.com/xap/1.0/mm/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "lr": "http://ns.adobe.com/lightroom/1.0/",
    "Iptc4xmpCore": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
}
_LANGUAGE: Final = "{http://www.w3.org/XML/1998/namespace}lang"
_NO_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_HEAD: Final = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
_TAIL: Final = '\n<?xpacket end="w"?>\n'

for _prefix, _uri in NAMESPACES.items():
    ET.register_namespace(_prefix, _uri)


def make_xmp(row: Row) -> bytes:
    """The sidecar for other programs.

    The caption is what most of them show, so it is the description where nobody wrote one; it is always the
    text for those who cannot see the picture. Tags stand twice: Immich reads the second place alone.
    """
    root = ET.Element(_name("x:xmpmeta"))
    about = ET.SubElement(
        ET.SubElement(root, _name("rdf:RDF")), _name("rdf:Description"), {_name("rdf:about"): ""}
    )
    _add_text(about, "dc:title", row.title)
    _add_text(about, "dc:description", row.description or row.caption)
    _add_text(about, "Iptc4xmpCore:AltTextAccessibility", row.caption)
    _add_bag(about, "dc:subject", row.tags or ())
    _add_bag(about, "lr:hierarchicalSubject", row.tags or ())
    for name, value in _plain_properties(row).items():
        if value is not None:
            ET.SubElement(about, _name(name)).text = _clean(str(value))
    ET.indent(root, " ")
    return f"{_HEAD}{ET.tostring(root, encoding='unicode')}{_TAIL}".encode()


def _plain_properties(row: Row) -> dict[str, Any]:
    """Those of one value without a language; None for what is not known."""
    return {
        "xmp:Rating": row.rating,
        "xmp:MetadataDate": row.recorded_at.isoformat(),
        "photoshop:CaptionWriter": row.caption_by if row.caption and not row.description else None,
        "xmpMM:PreservedFileName": row.filename,
        "dc:identifier": f"urn:uuid:{row.id}",
        "dc:format": row.mime_type,
    }


def make_json(history: Sequence[Row], file: str, xmp_sha256: str | None) -> bytes:
    """The sidecar that loses nothing: the current row and every revision, oldest first.

    `file` is the original's name; `xmp_sha256` that of the XMP as it was written here, None where another
    program's was left.
    """
    row = history[-1]
    whole = {
        "kind": KIND,
        "schema": SCHEMA,
        "id": row.id,
        "revision": row.revision,
        "file": file,
        "xmp_sha256": xmp_sha256,
        "asset": _plain(row),
        "history": [_plain(revision) for revision in history],
    }
    return (json.dumps(whole, ensure_ascii=False, indent=2) + "\n").encode()


def _plain(row: Row) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in SNAPSHOT_SCHEMA.names}
    return {
        name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()
    }


def _add_text(parent: ET.Element, name: str, text: str | None) -> None:
    """A text in the one language that is known of it: none."""
    if text:
        choices = ET.SubElement(ET.SubElement(parent, _name(name)), _name("rdf:Alt"))
        ET.SubElement(choices, _name("rdf:li"), {_LANGUAGE: "x-default"}).text = _clean(text)


def _add_bag(parent: ET.Element, name: str, items: Sequence[str]) -> None:
    if items:
        bag = ET.SubElement(ET.SubElement(parent, _name(name)), _name("rdf:Bag"))
        for item in items:
            ET.SubElement(bag, _name("rdf:li")).text = _clean(item)


def _clean(text: str) -> str:
    """Without what XML cannot hold."""
    return _NO_XML.sub("", text)


def _name(prefixed: str) -> str:
    prefix, _, name = prefixed.partition(":")
    return f"{{{NAMESPACES[prefix]}}}{name}"
