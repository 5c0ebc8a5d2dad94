"""Fixtures that every test may ask for: the real services, started once a session and only when asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

pytest_plugins = ["tests.services.radosgw", "tests.services.rabbitmq"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--faults=full`: 300 pictures and every repetition for each fault, about an hour."""
    parser.addoption("--faults", choices=["short", "full"], default="short", help="form of the fault tests")
