"""Every error the core raises; the edges translate them to HTTP status, exit code or queue decision.

`str(error)` is always a sentence for a person: what happened, to which asset, what to do.
"""

from __future__ import annotations


class DamError(Exception):
    """Base of all errors of this project."""


class SettingsError(DamError):
    """A setting is missing or wrong; the process must not start."""


class AccessError(DamError):
    """Tokens cannot be read or changed as asked; nobody is let in by it."""


class StoreError(DamError):
    """The object store could not do what was asked."""


class ObjectNotFoundError(StoreError):
    """No object at that key."""


class PreconditionFailedError(StoreError):
    """A conditional put lost: the object exists already, or is not the one expected."""


class StoreUnavailableError(StoreError):
    """The store did not answer, refused for now, or is out of space; trying again later may help."""


class QueueUnavailableError(DamError):
    """The job queue could not take or give messages for now; trying again later may help."""


class InvalidMessageError(DamError):
    """A job message that this version cannot read. `code` is stable: `malformed` or `unknown_schema`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class PictureError(DamError):
    """A picture that cannot be decoded, for good. `code` is stable and ends up in `error_code`.

    Codes: `not_an_image`, `unsupported_format`, `truncated`, `too_many_pixels`, `broken_image`.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class CatalogueError(DamError):
    """The catalogue could not be read or written."""


class CatalogueUnavailableError(CatalogueError):
    """The table could not be reached for now; nothing is known to be committed."""


class IndexUnavailableError(DamError):
    """The search index is not there, or cannot be read for now."""


class InferenceError(DamError):
    """The inference service refused an input for good. `code` is the problem's stable code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class InferenceUnavailableError(DamError):
    """The inference service is down, overloaded or answers nonsense for now.

    `retry_after` is in seconds, where the service named one.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after
