"""The OpenAPI file and what it is made of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dam.catalogue.row import SNAPSHOT_SCHEMA
from gallery_api.answers.asset import Asset
from gallery_api.openapi import PATH, render

if TYPE_CHECKING:
    from tests.gallery.rig import Rig


def test_the_committed_file_is_current() -> None:
    """`python -m gallery_api.openapi` writes what the code says now; the frontend's types come from it."""
    assert PATH.read_text(encoding="utf-8") == render(), "Run `python -m gallery_api.openapi`."


def test_an_asset_shows_every_column_of_the_catalogue() -> None:
    """All columns but the embedding, in the catalogue's order; then the links."""
    assert list(Asset.model_fields) == [*SNAPSHOT_SCHEMA.names, "links"]


def test_every_reference_is_defined() -> None:
    """No schema is named that is not there, and none of FastAPI's own errors is."""
    text = render()
    named = set(re.findall(r'"#/components/schemas/(\w+)"', text))
    defined = set(re.findall(r'^   "(\w+)": \{$', text.partition('"schemas": {')[2], re.MULTILINE))
    assert named <= defined
    assert "HTTPValidationError" not in defined


async def test_the_api_page_needs_nothing_from_elsewhere(rig: Rig) -> None:
    """Every script, style and icon of `/api/docs` comes from the service itself."""
    page = await rig.client.get("/docs")
    assert page.status_code == 200
    addresses = re.findall(r'(?:href|src)="([^"]+)"', page.text)
    assert len(addresses) >= 3
    for address in addresses:
        assert (await rig.client.get(rig.client.base_url.join(address))).status_code == 200, address
