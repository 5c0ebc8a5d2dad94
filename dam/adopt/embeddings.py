"""What the original project's vectors say: a bare JSON list of numbers, or an object that holds one.

They are only read: what is written today has keys of its own.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from dam import keys
from dam.errors import ObjectNotFoundError

if TYPE_CHECKING:
    from dam.store.port import ObjectStore

_LARGEST: Final = 4 << 20
_NAMES: Final = ("embedding", "vector", "values")
_MOST: Final = 3.0e38
"""What a float32 holds."""


@dataclass(frozen=True, slots=True)
class Found:
    """`numbers`, or why there are none that can be used; `key` is where they were looked for.

    `fault` is `missing`, `broken` or `dimension`.
    """

    key: str
    numbers: list[float] | None = None
    fault: str | None = None
    reason: str = ""


async def read_embedding(store: ObjectStore, asset_id: str, named: str | None, dim: int) -> Found:
    """The vector of an asset, from the key that its row names or from its usual one.

    Raises:
        StoreUnavailableError: the bucket does not answer.
    """
    usual = keys.former_vector(asset_id)
    for key in dict.fromkeys([named if named and named.startswith(keys.VECTORS) else usual, usual]):
        data = bytearray()
        try:
            async for chunk in store.stream(key, end=_LARGEST + 1):
                data += chunk
        except ObjectNotFoundError:
            continue
        return _judge(key, bytes(data), asset_id, dim)
    return Found(usual, fault="missing", reason="There is none.")


def _judge(key: str, data: bytes, asset_id: str, dim: int) -> Found:
    if len(data) > _LARGEST:
        return Found(key, fault="broken", reason=f"It is larger than {_LARGEST:,} bytes.")
    try:
        said = json.loads(data)
    except (ValueError, RecursionError) as error:
        return Found(key, fault="broken", reason=f"It is not JSON: {error}.")
    if isinstance(said, dict):
        if isinstance(said.get("id"), str) and said["id"] != asset_id:
            return Found(key, fault="broken", reason=f"It says that it is {said['id']}'s.")
        said = next((said[name] for name in _NAMES if name in said), None)
    return _judge_numbers(key, said, dim)


def _judge_numbers(key: str, said: Any, dim: int) -> Found:
    if isinstance(said, list) and len(said) == 1 and isinstance(said[0], list):
        said = said[0]  # a batch of one
    if not isinstance(said, list) or not said or not all(_is_number(number) for number in said):
        return Found(key, fault="broken", reason="It holds no list of finite numbers.")
    numbers = [float(number) for number in said]
    if len(numbers) != dim:
        return Found(key, fault="dimension", reason=f"It has {len(numbers)} numbers, and not {dim}.")
    if not any(numbers):
        return Found(key, fault="broken", reason="All its numbers are 0.")
    return Found(key, numbers)


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) and abs(value) < _MOST if isinstance(value, float) else abs(value) < _MOST
