"""The allocators of the libraries, as the entry points choose them, and the pages of their code."""

from __future__ import annotations

import subprocess
import sys
from typing import Final

_ALLOCATORS: Final = """
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
    printed = subprocess.run([sys.executable, "-c", _ALLOCATORS], capture_output=True, text=True, check=True)
    assert printed.stdout == "system 0\n"


_CODE: Final = """
from dam import memory
import pyarrow as pa
import pyarrow.compute as pc
numbers = pa.array(range(1000))
def mapped_mb():
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) / 1000 for line in lines if line.startswith("RssFile"))
total, before = pc.sum(numbers).as_py(), mapped_mb()
memory.drop_code()
after = mapped_mb()
print(pc.sum(numbers).as_py() == total, after < before / 2, pc.sum(numbers).as_py() == total)
"""


def test_code_that_was_let_go_comes_back_when_it_runs() -> None:
    """What is resident of the libraries' files is less than half, and everything works as before."""
    printed = subprocess.run([sys.executable, "-c", _CODE], capture_output=True, text=True, check=True)
    assert printed.stdout == "True True True\n"
