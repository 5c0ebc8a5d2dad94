"""Verify: whether everything in a bucket is there, is what it should be, and belongs to something.

`dam verify` and tests call `verify_bucket`. Without `repair` nothing here writes.
"""

from dam.verify.bucket import verify_bucket
from dam.verify.findings import Finding, Kind, Report
from dam.verify.options import VerifyOptions

__all__ = ["Finding", "Kind", "Report", "VerifyOptions", "verify_bucket"]
