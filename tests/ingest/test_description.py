"""The API page, which a machine without a network must show as well."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.ingest.serving import Service


async def test_the_api_page_needs_nothing_from_elsewhere(service: Service) -> None:
    """Every script, style and icon of `/docs` comes from the service itself."""
    page = await service.client.get("/docs")
    assert page.status_code == 200
    addresses = re.findall(r'(?:href|src)="([^"]+)"', page.text)
    assert len(addresses) >= 3
    for address in addresses:
        assert (await service.client.get(address)).status_code == 200, address
