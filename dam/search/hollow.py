"""Leaves out what the search library loads in vain: the calls of a client of remote tables, 14 MB.

Installed when `dam.search` is imported, which is before any module of it imports lancedb. The client's data
classes stay: lancedb answers with some of them. Without it nothing breaks; it only takes more.
"""

from __future__ import annotations

import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_CALLS: Final = "lance_namespace_urllib3_client.api."


class _Finder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """A hollow module in place of each with calls; all others are found as always."""
        del path, target
        return ModuleSpec(fullname, _Loader()) if fullname.startswith(_CALLS) else None


class _Loader(Loader):
    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """See `Loader`."""
        return _HollowModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing is run."""


class _HollowModule(ModuleType):
    """Has an empty class of every name that is asked for."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


def install() -> None:
    """From now on; what is loaded already stays."""
    sys.meta_path.insert(0, _Finder())
