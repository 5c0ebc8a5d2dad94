"""Signatures of requests whose body was hashed before: by its sender, who needs the hash as well.

`make_session` puts it in place of botocore's own, for the whole process: any other body is signed as always.
"""

from __future__ import annotations

from typing import Any

from botocore.auth import AUTH_TYPE_MAPS, S3SigV4Auth

from dam.store.s3_part import Part


class _HashedBefore(S3SigV4Auth):  # type: ignore[misc]  # botocore ships no types
    """AWS Signature Version 4 for S3, which has the SHA-256 of the body in it."""

    def payload(self, request: Any) -> str:
        """That hash, lower-case hex."""
        body = request.body
        return body.sha256 if isinstance(body, Part) else str(super().payload(request))


def sign_parts() -> None:
    """Have parts signed by the hash that they bring."""
    AUTH_TYPE_MAPS["s3v4"] = _HashedBefore
