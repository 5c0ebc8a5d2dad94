"""`dam token` as a person uses it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from dam.access.tokens import Scope, Token, find

if TYPE_CHECKING:
    from pathlib import Path


def run(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "dam.cli.main", "token", *arguments],
        env={**os.environ, "DAM_DATA_DIR": str(folder), **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_token_is_made_listed_and_revoked(tmp_path: Path) -> None:
    """The text, alone on stdout, opens the token that the bucket holds; no list shows it again."""
    made = run(
        tmp_path, "create", "Ada  Lovelace", "--scope", "read", "--scope", "edit", "--expires-days", "7"
    )
    text = made.stdout.strip()
    stored = json.loads((tmp_path / "bucket/access/tokens.json").read_bytes())["tokens"]
    tokens = {key: Token.model_validate(value) for key, value in stored.items()}
    token = find(tokens, text, datetime.now(UTC))
    assert token is not None, made.stderr
    assert (token.actor, sorted(token.scopes)) == ("person:Ada Lovelace", [Scope.EDIT, Scope.READ])
    listed = json.loads(run(tmp_path, "list", "--json").stdout)
    assert [(each["id"], each["name"], each["scopes"]) for each in listed] == [
        (token.id, "Ada Lovelace", ["edit", "read"])
    ]
    shown = run(tmp_path, "list").stdout
    assert "Ada" in shown
    for hidden in (text.split("_", 2)[2], token.sha256):
        assert hidden not in shown + json.dumps(listed) + made.stderr
    assert run(tmp_path, "revoke", token.id).returncode == 0
    assert json.loads(run(tmp_path, "list", "--json").stdout) == []


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("revoke", "0123456789ab"), 1, "dam token list"),
        (("create", " ", "--scope", "read"), 2, "1 to 100 characters"),
        (("create", "Ada", "--scope", "everything"), 2, "everything"),
        (("create", "Ada"), 2, "--scope"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, arguments: tuple[str, ...], status: int, said: str) -> None:
    """A wrong call changes nothing and says what to do."""
    done = run(tmp_path, *arguments, NO_COLOR="1", TERM="dumb")
    assert (done.returncode, said in done.stderr) == (status, True), done.stderr
    assert not (tmp_path / "bucket/access").exists()


def test_a_wrong_setting_never_shows_a_secret(tmp_path: Path) -> None:
    """What is wrong with a setting is told by its name, not by a value."""
    done = run(tmp_path, "list", DAM_STORE_TIMEOUT_S="s3cr3t-value")
    assert done.returncode == 2
    assert "DAM_STORE_TIMEOUT_S" in done.stderr
    assert "s3cr3t-value" not in done.stderr
