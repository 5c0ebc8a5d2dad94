"""One running service with the demo models for all tests that ask over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.bentos import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bentos.serving import Served

LIMITS = {
    "DAM_BENTO_MAX_BODY_BYTES": "2000000",
    "DAM_MAX_PIXELS": "4000000",
    "DAM_MAX_TEXT_CHARS": "1000",
    "DAM_BODY_TIMEOUT_S": "2",
}


@pytest.fixture(scope="package")
def bento(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving.running(tmp_path_factory.mktemp("bento"), LIMITS) as served:
        yield served


@pytest.fixture(scope="package")
def description(bento: Served) -> dict[str, Any]:
    answer: dict[str, Any] = httpx.get(f"{bento.url}/openapi.json").json()
    return answer
