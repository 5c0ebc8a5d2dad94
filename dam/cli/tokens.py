"""`dam token`: makes, lists and revokes API tokens. A token's text is shown once, when it is made."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from dam import logs
from dam.access import book
from dam.access.tokens import MAX_NAME, Scope, make
from dam.cli.calling import call, read_settings
from dam.names import clean_line
from dam.store.opening import open_store

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from dam.access.tokens import Token
    from dam.store.port import ObjectStore

T = TypeVar("T")

token_app = typer.Typer(no_args_is_help=True, help="API tokens: who may do what.")


@token_app.command("create")
def create(  # noqa: PLR0913 - the options of a command
    name: Annotated[str, typer.Argument(help="Whose token it is; changes are recorded as theirs.")],
    scope: Annotated[
        list[Scope] | None, typer.Option(help="May be given several times; admin includes all.")
    ] = None,
    expires_days: Annotated[float | None, typer.Option(min=0.001, help="Days until it ends.")] = None,
    per_minute: Annotated[
        int | None, typer.Option(min=1, help="Requests it may make.", show_default="the service's limit")
    ] = None,
    max_file_bytes: Annotated[
        int | None, typer.Option(min=1, help="Largest file it may send.", show_default="the service's limit")
    ] = None,
    *,
    bento: Annotated[
        bool, typer.Option("--bento", help="For the Bento, which has no bucket: prints its setting.")
    ] = False,
) -> None:
    """Make a token and print its text, which is kept nowhere and shown only now.

    With --bento it is not kept in the bucket either: what it prints are the settings of the Bento
    (DAM_BENTO_TOKENS, several are separated by commas) and of who calls it (DAM_BENTO_TOKEN).
    """
    logs.configure("WARNING", json=False)
    name = clean_line(name)
    if not 1 <= len(name) <= MAX_NAME:
        raise typer.BadParameter(f"A name has 1 to {MAX_NAME} characters.")
    now = datetime.now(UTC)
    expires_at = now + timedelta(days=expires_days) if expires_days else None
    token, text = make(
        name,
        _choose_scopes(scope, bento=bento),
        now=now,
        expires_at=expires_at,
        requests_per_minute=per_minute,
        max_file_bytes=max_file_bytes,
    )
    if bento:
        sys.stderr.write(
            "Set the first for the Bento, the second for who calls it; both are shown only once:\n"
        )
        sys.stdout.write(f"DAM_BENTO_TOKENS={token.id}:{token.sha256}\nDAM_BENTO_TOKEN={text}\n")
        return
    call(_with_store(lambda store: book.add(store, token)))
    sys.stderr.write(f"Token {token.id} of {name} is made. Keep its text now; it is shown only once:\n")
    sys.stdout.write(f"{text}\n")


@token_app.command("list")
def show(
    *, as_json: Annotated[bool, typer.Option("--json", help="One JSON list, for programs.")] = False
) -> None:
    """Show all tokens: whose they are and what they may do; never their text."""
    logs.configure("WARNING", json=False)
    tokens = sorted(call(_with_store(book.read)).tokens.values(), key=lambda token: token.created_at)
    if as_json:
        sys.stdout.write(json.dumps([_described(token) for token in tokens], indent=2) + "\n")
    elif tokens:
        Console().print(_table_of(tokens))
    else:
        Console().print("There are no tokens. `dam token create NAME --scope admin` makes one.")


@token_app.command("revoke")
def revoke(
    token_id: Annotated[str, typer.Argument(metavar="ID", help="As `dam token list` shows it.")],
) -> None:
    """End a token for good; it cannot be brought back."""
    logs.configure("WARNING", json=False)
    token = call(_with_store(lambda store: book.remove(store, token_id)))
    sys.stdout.write(f"Token {token.id} of {token.name} is revoked.\n")


def _choose_scopes(given: list[Scope] | None, *, bento: bool) -> frozenset[Scope]:
    if bento and not given:
        return frozenset({Scope.INFER})
    if not given:
        raise typer.BadParameter("Say what it may do: --scope upload, read, edit, admin.")
    if bento and set(given) != {Scope.INFER}:
        raise typer.BadParameter("The Bento knows the scope `infer` alone.")
    return frozenset(given)


async def _with_store(use: Callable[[ObjectStore], Awaitable[T]]) -> T:
    store = await open_store(read_settings())
    try:
        return await use(store)
    finally:
        await store.close()


def _described(token: Token) -> dict[str, Any]:
    return token.model_dump(mode="json", include={"id", "name", "created_at", "expires_at"}) | {
        "scopes": sorted(token.scopes)
    }


def _table_of(tokens: list[Token]) -> Table:
    table = Table("id", "name", "scopes", "made", "ends")
    now = datetime.now(UTC)
    for token in tokens:
        ends = "never" if token.expires_at is None else f"{token.expires_at:%Y-%m-%d %H:%M}"
        table.add_row(
            token.id,
            escape(token.name),
            ", ".join(sorted(token.scopes)),
            f"{token.created_at:%Y-%m-%d %H:%M}",
            f"{ends} (over)" if token.is_expired(now) else ends,
        )
    return table
