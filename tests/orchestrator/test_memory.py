"""Memory of large decodes goes back to the system."""

from __future__ import annotations

import subprocess
import sys

from tests.orchestrator.process import ROOT

LARGE_DECODES = """
import io, sys, threading
from dam import memory
if sys.argv[1] == "held back":
    memory.hold_back()
    memory.hold_back_tables()
from PIL import Image
from orchestrator.deriving import derive

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096 / 1e6

buffer = io.BytesIO()
Image.effect_noise((1000, 750), 40).resize((4000, 3000)).convert("RGB").save(buffer, "PNG", compress_level=1)
data = buffer.getvalue()
buffer.close()
memory.trim()
before = resident()
for _ in range(3):
    thread = threading.Thread(
        target=derive, args=(data,), kwargs=dict(max_pixels=10**8, with_thumbnails=True, with_rendition=True)
    )
    thread.start()
    thread.join()
print(resident() - before, *sorted({"pandas", "torch", "lancedb"} & set(sys.modules)))
import pyarrow
pyarrow.array([1])
print(*sorted({"pandas"} & set(sys.modules)))
"""


def test_memory_of_large_decodes_goes_back_to_the_system() -> None:
    """After three pictures of 48 MB in threads of their own, less than 10 MB is kept; pandas stays out."""
    done = subprocess.run(
        [sys.executable, "-c", LARGE_DECODES, "held back"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    kept, arrow = done.stdout.splitlines()
    assert float(kept.split()[0]) < 10
    assert kept.split()[1:] == []
    assert arrow == ""
