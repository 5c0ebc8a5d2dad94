"""Runs all checks side by side, each within its time, and turns whatever they raise into findings.

`dam doctor` calls `examine`. It must never hang, and never let a secret through.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

from dam.doctor.bento import check_bento
from dam.doctor.bucket import check_bucket
from dam.doctor.catalogue import check_catalogue
from dam.doctor.clock import check_clock
from dam.doctor.disk import check_disk
from dam.doctor.findings import Finding, Tell, Verdict
from dam.doctor.queue import check_queue
from dam.doctor.settings import DoctorSettings
from dam.errors import DamError
from dam.veil import veil

Check = Callable[[DoctorSettings, Tell], Awaitable[None]]

CHECKS: Final[dict[str, Check]] = {
    "bucket": check_bucket,
    "queue": check_queue,
    "bento": check_bento,
    "catalogue": check_catalogue,
    "clock": check_clock,
    "disk": check_disk,
}


async def examine(settings: DoctorSettings) -> list[Finding]:
    """Findings of every check, in the order of `CHECKS`; returns within the time limit and a clean-up's."""
    hasty = settings.hasten()
    found = await asyncio.gather(*(_run(name, check, hasty) for name, check in CHECKS.items()))
    return [_veil(finding, settings.secrets()) for findings in found for finding in findings]


async def _run(name: str, check: Check, settings: DoctorSettings) -> list[Finding]:
    findings: list[Finding] = []

    def tell_broken(told: str, remedy: str = "") -> None:
        findings.append(Finding(name, Verdict.BROKEN, told, remedy))

    try:
        async with asyncio.timeout(settings.doctor_timeout_s):
            await check(settings, findings.append)
    except TimeoutError:
        tell_broken(
            f"The check did not end within {settings.doctor_timeout_s:g} s.",
            "See that it is not overloaded, and that the network lets its answers through.",
        )
    except ModuleNotFoundError as error:
        findings.append(Finding(name, Verdict.SKIPPED, f"Not checked: {error.name} is not installed here."))
    except DamError as error:
        tell_broken(str(error))
    except Exception as error:  # noqa: BLE001 - a check that falls over is a finding, and the others go on
        tell_broken(f"The check itself failed: {type(error).__name__}: {error}")
    return findings


def _veil(finding: Finding, secrets: list[str]) -> Finding:
    """On one line, bounded, and without secrets; the checks write none, but they quote others' errors."""
    told, remedy = (veil(text, secrets) for text in (finding.told, finding.remedy))
    return replace(finding, told=told, remedy=remedy)
