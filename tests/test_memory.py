"""The allocators of the libraries, as the entry points choose them."""

from __future__ import annotations

import subprocess
import sys

_PROGRAM = """
from dam import memory
memory.hold_back()
memory.hold_back_tables()
import pyarrow as pa
import pyarrow.parquet as pq
pq.write_table(pa.table({"number": range(100_000)}), pa.BufferOutputStream())
print(pa.default_memory_pool().backend_name, pa.mimalloc_memory_pool().max_memory() or 0)
"""


def test_all_of_arrow_takes_memory_from_the_system() -> None:
    """The writer of Parquet too, which no pool that is set later reaches; in a process of its own."""
    printed = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=True)
    assert printed.stdout == "system 0\n"
