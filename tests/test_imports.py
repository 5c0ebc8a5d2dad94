"""The import rule: `dam` imports no service, and the services never import each other.

They meet over HTTP, AMQP and the bucket. The rule is read from the source, so that an import inside a
function breaks it too.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SERVICES = {"bentos", "ingest_api", "orchestrator", "gallery_api"}

HEAVY = {"torch", "torchvision", "transformers", "open_clip", "bentoml"}
FORBIDDEN_LIBRARIES = {
    "ingest_api": HEAVY | {"pyarrow", "deltalake", "lancedb", "numpy", "PIL"},
    "orchestrator": HEAVY | {"lancedb"},
    "dam": HEAVY,
}


def imported_packages(source: str) -> set[str]:
    """Top-level names of every absolute import in `source`, wherever it stands."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.partition(".")[0])
    return names


def breaches(package: str) -> list[str]:
    """`file: name` for each import in `package` that the rule forbids."""
    forbidden = (SERVICES - {package}) | FORBIDDEN_LIBRARIES.get(package, set())
    return [
        f"{path.relative_to(ROOT)}: {name}"
        for path in sorted((ROOT / package).rglob("*.py"))
        for name in sorted(imported_packages(path.read_text()) & forbidden)
    ]


@pytest.mark.parametrize("package", sorted(p for p in SERVICES | {"dam"} if (ROOT / p).is_dir()))
def test_package_keeps_the_import_rule(package: str) -> None:
    """No package imports a service, or a heavy library, that it must not."""
    assert breaches(package) == []


def test_rule_sees_an_import_inside_a_function() -> None:
    """A breach hidden in a function is found as well."""
    assert imported_packages("def f():\n    from orchestrator.x import y\n") == {"orchestrator"}
