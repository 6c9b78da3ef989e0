"""Marks of shared layers that Keras 3 loses.

Keras gives an object its ``shared_object_id`` when it meets it for the second time, and adds it to the first entry
then. Where that stands in a wrapper it has been copied meanwhile, so the file keeps one mark, and Keras itself cannot
load the weights. A mark that stands alone proves that there is a second entry: the one that says the same.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from nb3d.engine.sharing import KEY
from nb3d.models.parsing import everything_in


def with_lost_marks(config: Any) -> Any:
    """A model's configuration with the marks that are missing in it; it is not changed itself.

    Args:
        config: ``{'class_name', 'config'}``.
    """
    entries = [item for item in everything_in(config) if _is_layer(item)]
    marked = [entry for entry in entries if type(entry.get(KEY)) is int]
    counts = Counter(entry[KEY] for entry in marked)
    alone = [entry for entry in marked if counts[entry[KEY]] == 1]
    names = {_name(entry) for entry in alone}
    unmarked: dict[str, list[Any]] = {}
    for entry in entries:
        if KEY not in entry and _name(entry) in names:
            unmarked.setdefault(_text(entry), []).append(entry)
    lost: dict[int, int] = {}  # id of an entry -> its mark
    for entry in alone:
        twins = unmarked.get(_text(entry), [])
        if len(twins) == 1:
            lost[id(twins[0])] = entry[KEY]
    return _marked(config, lost) if lost else config


def _is_layer(item: Any) -> bool:
    config = item.get("config") if isinstance(item, Mapping) else None
    return isinstance(config, Mapping) and isinstance(config.get("name"), str) and "class_name" in item


def _name(entry: Mapping[str, Any]) -> tuple[str, str]:
    return str(entry["class_name"]), entry["config"]["name"]


def _text(entry: Mapping[str, Any]) -> str:
    """What an entry says but for marks, and for where it stands."""
    return json.dumps([entry["class_name"], _without_marks(entry["config"])], sort_keys=True, default=repr)


def _without_marks(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _without_marks(item) for key, item in value.items() if key != KEY}
    return [_without_marks(item) for item in value] if isinstance(value, list | tuple) else value


def _marked(value: Any, marks: Mapping[int, int]) -> Any:
    if isinstance(value, Mapping):
        mark = {KEY: marks[id(value)]} if id(value) in marks else {}
        return {key: _marked(item, marks) for key, item in value.items()} | mark
    return type(value)(_marked(item, marks) for item in value) if isinstance(value, list | tuple) else value
