"""Exports of a bucket, and what other programs would see in the folder."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from dam.export.exporter import Exporter, Report
from dam.export.selection import Selection
from dam.export.sidecars import NAMESPACES
from dam.export.target import Target

if TYPE_CHECKING:
    from pathlib import Path

    from dam.maintenance.settings import MaintenanceSettings
    from dam.store.port import ObjectStore
    from tests.purge.bucket import Bucket

MONTH = "2026/05"
"""Where everything goes that the bucket's `add` makes."""


@dataclass
class Exports:
    """A bucket, and the folder that it is exported to."""

    settings: MaintenanceSettings
    bucket: Bucket
    folder: Path

    async def run(self, *, verify: bool = False, store: ObjectStore | None = None, **filters: Any) -> Report:
        """One export."""
        target, selection = Target(self.folder), Selection(**filters)
        exporter = Exporter(store or self.bucket.store, self.settings, target, selection, parallel=4)
        told: list[int] = []
        report = await exporter.run(told.append, lambda: told.append(-1), verify=verify)
        assert told[0] == told.count(-1) == sum(report.counts.values())
        return report

    def files(self) -> list[str]:
        """Every file, relative to the folder."""
        found = (path for path in self.folder.rglob("*") if path.is_file())
        return sorted(str(path.relative_to(self.folder)) for path in found)

    def originals(self) -> list[str]:
        """The same without sidecars and months."""
        return [path.rpartition("/")[2] for path in self.files() if not path.endswith((".xmp", ".json"))]

    def path(self, name: str) -> Path:
        """Of a file of the month."""
        return self.folder / MONTH / name

    def read_json(self, name: str) -> dict[str, Any]:
        """The JSON beside an original."""
        loaded: dict[str, Any] = json.loads(self.path(f"{name}.json").read_bytes())
        return loaded

    def read_xmp(self, name: str) -> Xmp:
        """The XMP beside an original."""
        return Xmp(self.path(f"{name}.xmp").read_bytes())


def counts(report: Report) -> dict[str, int]:
    """Outcomes that there were."""
    return {outcome.value: count for outcome, count in report.counts.items() if count}


class Xmp:
    """A sidecar as another program reads it."""

    def __init__(self, data: bytes) -> None:
        root = ET.fromstring(data.decode())  # noqa: S314 - our own
        found = root.find("rdf:RDF/rdf:Description", NAMESPACES)
        assert found is not None
        self._about = found

    def text(self, name: str) -> str | None:
        """Of a plain property, or of one in the default language."""
        element = self._about.find(name, NAMESPACES)
        if element is None:
            return None
        item = element.find("rdf:Alt/rdf:li", NAMESPACES)
        if item is not None:
            assert item.attrib == {"{http://www.w3.org/XML/1998/namespace}lang": "x-default"}
            return item.text
        return element.text

    def bag(self, name: str) -> list[str | None]:
        """Of a property with several values."""
        return [item.text for item in self._about.findall(f"{name}/rdf:Bag/rdf:li", NAMESPACES)]
