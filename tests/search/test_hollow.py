"""What the search library loads in vain is left out."""

from __future__ import annotations

import subprocess
import sys

_PROGRAM = """
import sys
from dam.search import reader
import lancedb
import lance_namespace
from lance_namespace_urllib3_client.api.table_api import TableApi
print([name for name in vars(TableApi) if not name.startswith("_")])
print(lance_namespace.ListTablesResponse(tables=["a"]).tables)
"""


def test_the_calls_of_a_remote_client_are_hollow_and_its_answers_are_not() -> None:
    """In a process of its own: here, somebody may have loaded it before."""
    printed = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=True)
    assert printed.stdout == "[]\n['a']\n"
