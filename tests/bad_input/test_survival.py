"""After all that: every process is the one that was started, answers, and has kept within its memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from tests.bad_input.running import LIMITS_MB

if TYPE_CHECKING:
    from tests.bad_input.corpus import Corpus
    from tests.bad_input.running import Stack


def test_nothing_has_died(corpus: Corpus, stack: Stack) -> None:
    """No worker was killed and replaced, and each service answers its probe."""
    assert stack.pids() == corpus.pids_before
    for child in stack.children:
        if child.command.ready_url:
            assert httpx.get(child.command.ready_url, timeout=30).status_code == httpx.codes.OK


@pytest.mark.parametrize("service", LIMITS_MB)
def test_memory_stays_under_its_limit(corpus: Corpus, stack: Stack, service: str) -> None:
    """The peak of each service's largest process, over the whole corpus."""
    assert corpus.cases
    peaks = stack.peaks_mb()
    assert peaks[service] < LIMITS_MB[service], peaks
