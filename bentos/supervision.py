"""How the whole service ends when its one worker cannot work, and why: with status 1, after one sentence.

Used by `service`. BentoML starts a worker anew for ever, which helps against a crash and not against weights
that cannot be loaded. So the worker tells the supervisor, which stops as for SIGTERM and fails.
"""

from __future__ import annotations

import atexit
import os
import signal
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from types import FrameType

_GIVE_UP: Final = signal.SIGUSR2
_SUPERVISOR: Final = "DAM_BENTO_SUPERVISOR"  # our own word to the worker, which inherits it; no setting


def accept_failure() -> None:
    """In the supervisor, before the worker is started: stop and fail once the worker says so."""
    signal.signal(_GIVE_UP, _fail)
    os.environ[_SUPERVISOR] = str(os.getpid())


def give_up() -> None:
    """In the worker: end the service. Without a supervisor of ours, only this process ends."""
    parent = os.getppid()
    if os.environ.get(_SUPERVISOR) == str(parent):
        os.kill(parent, _GIVE_UP)
    else:
        signal.raise_signal(signal.SIGTERM)


def _fail(_signal: int, _frame: FrameType | None) -> None:
    atexit.register(os._exit, 1)  # registered last, so run first; BentoML itself would end with status 0
    signal.raise_signal(signal.SIGTERM)
