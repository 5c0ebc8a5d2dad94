"""What a token is and which text opens it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from dam.access.tokens import Scope, Token, find, make

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def made(*scopes: Scope, expires_at: datetime | None = None) -> tuple[dict[str, Token], str]:
    token, text = make("ada", frozenset(scopes), now=NOW, expires_at=expires_at)
    return {token.id: token}, text


def test_only_its_own_text_finds_a_token() -> None:
    """The right text finds it; another secret, another id or a text cut short finds nothing."""
    tokens, text = made(Scope.READ)
    others, other_text = made(Scope.READ)
    assert find(tokens, text, NOW) == next(iter(tokens.values()))
    token_id, other_id = next(iter(tokens)), next(iter(others))
    swapped = other_text.replace(other_id, token_id)
    wrong = (swapped, text.replace(token_id, other_id), text[:-1], text + "x", "", "dam_", f"dam_{token_id}_")
    assert [find(tokens, each, NOW) for each in wrong] == [None] * len(wrong)


@pytest.mark.parametrize("text", ["dam_é_ß", "dam_\udcff_\udcff", "dam_" + "x" * 100_000, "Bearer dam_a_b"])
def test_any_text_is_an_answer_and_no_crash(text: str) -> None:
    """What a client sends may be anything; it is nobody's token."""
    tokens, _ = made(Scope.READ)
    assert find(tokens, text, NOW) is None


def test_the_secret_is_not_kept() -> None:
    """Neither what is written down nor what a log would show of a token holds its secret."""
    tokens, text = made(Scope.ADMIN)
    token = next(iter(tokens.values()))
    secret = text.split("_", 2)[2]
    assert len(secret) >= 43
    assert secret not in token.model_dump_json()
    assert token.sha256 not in repr(token)


def test_a_token_ends_when_its_time_is_over() -> None:
    """It works until the moment, and not from it on."""
    tokens, text = made(Scope.READ, expires_at=NOW + timedelta(hours=1))
    assert find(tokens, text, NOW + timedelta(minutes=59)) is not None
    assert find(tokens, text, NOW + timedelta(hours=1)) is None


def test_admin_includes_every_scope_and_no_other_does() -> None:
    """A token may do what it was made for; `admin` everything."""
    for scope in Scope:
        token = next(iter(made(scope)[0].values()))
        allowed = {each for each in Scope if token.allows(each)}
        assert allowed == (set(Scope) if scope is Scope.ADMIN else {scope})
