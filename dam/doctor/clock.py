"""This machine's clock against the bucket's, by the `Date` that any HTTP answer carries.

S3 servers refuse requests that are signed a quarter of an hour off; long before that, `received_at` and the
ages that reconcile goes by are wrong.
"""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

import aiohttp

from dam.doctor.findings import Finding, Tell, Verdict
from dam.doctor.places import folder_of

if TYPE_CHECKING:
    from dam.doctor.settings import DoctorSettings

_ANSWER_S: Final = 5.0
_WARN_S: Final = 30.0
_REFUSED_S: Final = 900.0
_REMEDY: Final = "Set this machine's clock by NTP (`timedatectl set-ntp true`), or the bucket server's."


async def check_clock(settings: DoctorSettings, tell: Tell) -> None:
    """One finding; skipped where the bucket does not answer, which is another check's to say."""
    if folder_of(settings.store_url) is not None:
        tell(Finding("clock", Verdict.WELL, "The bucket is a folder of this machine: there is one clock."))
        return
    url = settings.store_endpoint_url or "https://s3.amazonaws.com"
    timeout = aiohttp.ClientTimeout(total=_ANSWER_S)
    try:
        # Whatever it answers without credentials, it says when. Not HEAD: radosgw sends a body after it.
        async with aiohttp.ClientSession(timeout=timeout) as session:
            before = time.time()
            async with session.get(url, allow_redirects=False) as answer:
                ours = (before + time.time()) / 2
                theirs = parsedate_to_datetime(answer.headers["Date"]).timestamp()
    except (aiohttp.ClientError, TimeoutError, OSError, KeyError, ValueError):
        tell(Finding("clock", Verdict.SKIPPED, f"Not checked: {url} does not say what time it is."))
        return
    tell(_judge(ours - theirs, url))


def _judge(ahead_s: float, url: str) -> Finding:
    off = abs(ahead_s)
    if off < _WARN_S:
        return Finding("clock", Verdict.WELL, f"Within {max(1, round(off))} s of {url}.")
    told = f"This machine's clock is {off:,.0f} s {'ahead of' if ahead_s > 0 else 'behind'} that of {url}"
    if off < _REFUSED_S:
        return Finding("clock", Verdict.WARNING, f"{told}.", _REMEDY)
    return Finding("clock", Verdict.BROKEN, f"{told}: signed requests are refused.", _REMEDY)
