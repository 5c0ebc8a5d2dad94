"""Status: what everything does now, part by part, each within its own time.

`dam status` and tests call this. It looks only: it makes, changes and wakes nothing it is not asked about.
"""

from dam.status.parts import open_parts
from dam.status.readings import Reading, State
from dam.status.settings import StatusSettings
from dam.status.watch import Watch

__all__ = ["Reading", "State", "StatusSettings", "Watch", "open_parts"]
