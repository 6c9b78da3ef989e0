"""JSON of configurations, read under caps: its size, its depth, its number of values, its numbers."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

MAX_BYTES = 64 * 2**20  # a network of a thousand layers takes about one MiB
MAX_VALUES = 4_000_000
MAX_DEPTH = 128  # a model within a model adds four
MAX_INTEGER = 2**63 - 1


def parse_json(text: str | bytes) -> Any:
    """The value that `text` stands for.

    Beyond what JSON itself forbids, a key that comes twice, NaN, infinities, and numbers that no 64-bit integer or
    float holds are refused, and so is text that is longer, deeper or fuller than any network needs.

    Raises:
        ValueError: If the text is refused; the message says why.
    """
    data = text.encode("utf8", "surrogatepass") if isinstance(text, str) else text
    if len(data) > MAX_BYTES:
        raise ValueError(f"the JSON has {len(data)} bytes; at most {MAX_BYTES} are read")
    # More commas and brackets than values there cannot be: the cap holds before anything is allocated.
    if data.count(b",") + data.count(b"[") + data.count(b"{") > MAX_VALUES:
        raise ValueError(f"the JSON holds more than {MAX_VALUES} values")
    try:
        value = json.loads(
            data.decode("utf8"),
            object_pairs_hook=_object,
            parse_constant=_no_constant,
            parse_float=_finite,
            parse_int=_integer,
        )
    except RecursionError:
        raise ValueError(f"the JSON is nested more than {MAX_DEPTH} levels deep") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"the JSON is no UTF-8 text: {error}") from error
    _check_depth(value)
    return value


def everything_in(value: Any) -> Iterator[Any]:
    """A value and everything inside it, in no particular order, without recursion."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        yield item
        if isinstance(item, Mapping):
            waiting.extend(item.values())
        elif isinstance(item, list | tuple):
            waiting.extend(item)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise ValueError(f"the key {key[:80]!r} comes twice in one object")
        result[key] = value
    return result


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of a configuration")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"the number {digits[:40]} is larger than a float can be")
    return number


def _integer(digits: str) -> int:
    if len(digits) > 20 or abs(int(digits)) > MAX_INTEGER:
        raise ValueError(f"the integer {digits[:40]} has more than 64 bits")
    return int(digits)


def _check_depth(value: Any) -> None:
    """Level by level, not by recursion."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [child for item in level for child in _children(item)]
        if not level:
            return
    raise ValueError(f"the JSON is nested more than {MAX_DEPTH} levels deep")


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
