"""What a person, or a test, may choose about one verification."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class VerifyOptions:
    """How deep to look, and how patient to be.

    `quick` reads no original, vector or claim: it compares what listings and rows say. What is younger than
    `min_age_s` may still be on its way, and is never called lost or left over. What looked wrong is looked at
    again, at the earliest `settle_s` after the first look. `parallel` objects are read at once.
    """

    quick: bool = False
    repair: bool = False
    min_age_s: float = 600.0
    settle_s: float = 10.0
    parallel: int = 8
