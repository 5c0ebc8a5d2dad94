"""A machine to be examined, and what the doctor says of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dam.doctor import DoctorSettings, Finding, Verdict, examine

if TYPE_CHECKING:
    from pathlib import Path

NOWHERE = "http://127.0.0.1:9"
"""The discard port: nothing listens there."""


@dataclass
class Examined:
    """All findings, and the settings that they were made with."""

    findings: list[Finding]
    settings: DoctorSettings

    def verdicts(self, check: str) -> dict[str, str]:
        """Of this check and of those below it, by name."""
        return {
            finding.check: finding.verdict.value
            for finding in self.findings
            if finding.check == check or finding.check.startswith(f"{check}.")
        }

    def told(self, check: str) -> str:
        """The one finding of this name, with its remedy."""
        [finding] = [finding for finding in self.findings if finding.check == check]
        return f"{finding.told} {finding.remedy}"

    def assert_well(self, check: str) -> None:
        """Nothing of it is wrong, and something was looked at."""
        assert set(self.verdicts(check).values()) == {Verdict.WELL.value}, self.findings


@dataclass
class Patient:
    """Settings on an empty folder; every other place is where nothing listens, unless it is given."""

    folder: Path

    async def examine(self, **fields: Any) -> Examined:
        """The whole examination; no secret may be in it."""
        known = {"data_dir": self.folder / "data", "bento_url": NOWHERE, **fields}
        settings = DoctorSettings.model_validate(known)
        examined = Examined(await examine(settings), settings)
        for finding in examined.findings:
            for secret in settings.secrets():
                assert secret not in f"{finding.told} {finding.remedy}"
        return examined
