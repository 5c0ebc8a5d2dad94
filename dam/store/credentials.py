"""The key pair of an S3 bucket, from the settings. Both S3 clients (aioboto3's and deltalake's) ask here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dam.errors import SettingsError

if TYPE_CHECKING:
    from dam.settings import DamSettings


def read_credentials(settings: DamSettings) -> tuple[str, str]:
    """Access key id and secret access key.

    Raises:
        SettingsError: one of them is missing; the message names the variable.
    """
    key_id, secret = settings.store_access_key_id, settings.store_secret_access_key
    if not key_id or not key_id.get_secret_value():
        raise _missing("DAM_STORE_ACCESS_KEY_ID", settings)
    if not secret or not secret.get_secret_value():
        raise _missing("DAM_STORE_SECRET_ACCESS_KEY", settings)
    return key_id.get_secret_value(), secret.get_secret_value()


def _missing(variable: str, settings: DamSettings) -> SettingsError:
    return SettingsError(f"{variable} is not set, and {settings.store_url} cannot be opened without it.")
