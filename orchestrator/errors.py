"""Errors of the orchestrator's own: finer kinds of "not now", and originals that do not fit their job.

Raised by `inference` and `enriching`; only `decisions` tells them apart.
"""

from __future__ import annotations

from dam.errors import DamError, InferenceUnavailableError


class BentoDownError(InferenceUnavailableError):
    """Nobody answers, it is not ready, or it refuses us as a client: no job's fault."""


class BentoBusyError(InferenceUnavailableError):
    """It answers 429 or 503 for longer than our patience: no job's fault."""


class BentoLostError(InferenceUnavailableError):
    """The connection broke while it worked: this job may have crashed it, or a neighbour did."""


class OriginalChangedError(DamError):
    """What lies at the job's key is not what was uploaded."""


class OriginalTooLargeError(DamError):
    """The original is larger than this orchestrator reads."""
