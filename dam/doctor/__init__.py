"""Doctor: whether everything outside works from here, and how to mend what does not.

`dam doctor` and tests call `examine`. Every check is bounded in time, shows no secret and leaves
nothing behind.
"""

from dam.doctor.examination import examine
from dam.doctor.findings import Finding, Verdict
from dam.doctor.settings import DoctorSettings

__all__ = ["DoctorSettings", "Finding", "Verdict", "examine"]
