"""Fixtures: settings that reach nothing but what a test names, and a real Bento with the demo models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.bentos import serving
from tests.doctor.examining import Patient

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.bentos.serving import Served
    from tests.services.radosgw import Radosgw


@pytest.fixture
def patient(tmp_path: Path) -> Patient:
    return Patient(tmp_path)


@pytest.fixture
def bucket(radosgw: Radosgw) -> dict[str, Any]:
    """The fields of settings that reach a fresh bucket."""
    environment = radosgw.environment(radosgw.create_bucket())
    return {name.removeprefix("DAM_").lower(): value for name, value in environment.items()}


@pytest.fixture(scope="package")
def bento(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving.running(tmp_path_factory.mktemp("bento"), {}) as served:
        yield served
