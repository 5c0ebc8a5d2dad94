"""What commands share: settings from the environment, errors as sentences, exit status."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any, TypeVar

import typer
from pydantic import ValidationError

from dam.errors import DamError
from dam.maintenance.settings import MaintenanceSettings
from dam.settings import explain

if TYPE_CHECKING:
    from collections.abc import Coroutine

T = TypeVar("T")


def read_settings() -> MaintenanceSettings:
    """The settings; wrong ones are told on stderr and end with status 2."""
    try:
        return MaintenanceSettings()
    except ValidationError as error:
        sys.stderr.write(f"The settings are wrong. {explain(error)}\n")
        raise typer.Exit(2) from error


def call(coroutine: Coroutine[Any, Any, T]) -> T:
    """Its result; an error of ours is a sentence on stderr and status 1."""
    try:
        return asyncio.run(coroutine)
    except DamError as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(1) from error
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def count_assets(number: int) -> str:
    """As in `1 asset`, `2,000 assets`."""
    return f"{number:,} asset" if number == 1 else f"{number:,} assets"
