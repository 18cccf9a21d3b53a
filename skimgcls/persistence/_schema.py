"""Checks of the description of an estimator, before skops reads it.

skops follows each reference in its description every time it occurs, and reads a file of an array
for each node that names it. A small file could keep it busy, or fill the memory. The files that
`save` writes have none of that.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from skimgcls.exceptions import ModelFileError
from skimgcls.persistence._trusted import loaders_of_trusted

# A search over a thousand candidates has about 10,000 nodes, and 2 MB.
_LARGEST, _MOST_NODES = 2**24, 60_000
# A node has up to three dictionaries and lists.
_MOST_BRACKETS = 8 * _MOST_NODES
_LOADER, _ID = "__loader__", "__id__"
# Types of the keys of a dictionary. skops calls the type with the key.
_KEY_TYPES = {
    *("builtins.str", "builtins.int", "builtins.float", "builtins.bool", "builtins.NoneType"),
    *("numpy.str_", "numpy.bool", "numpy.bool_", "numpy.float32", "numpy.float64"),
    *(f"numpy.{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)),
}


def parse_json(data: bytes, *, largest: int, most_brackets: int) -> Any:
    """Return parsed JSON, or raise a ValueError if it is large or has many lists.

    An empty list of three bytes takes 64 bytes of memory.

    >>> parse_json(b"[[], []]", largest=100, most_brackets=2)
    Traceback (most recent call last):
    ...
    ValueError: it has 3 lists and dictionaries; expected at most 2
    """
    if len(data) > largest:
        raise ValueError(f"it has {len(data)} bytes; expected at most {largest}")
    n_brackets = data.count(b"[") + data.count(b"{")
    if n_brackets > most_brackets:
        raise ValueError(
            f"it has {n_brackets} lists and dictionaries; expected at most {most_brackets}"
        )
    return json.loads(data)


def check_schema(data: bytes, name: str) -> set[str]:
    """Return the full names of the types in a description, or raise if `save` did not write it."""
    try:
        schema = parse_json(data, largest=_LARGEST, most_brackets=_MOST_BRACKETS)
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"{name}: its description is invalid: {str(error)[:200]}.") from error
    nodes = [value for value in _dictionaries(schema) if _LOADER in value]
    if len(nodes) > _MOST_NODES:
        raise ModelFileError(
            f"{name}: it has {len(nodes)} objects; expected at most {_MOST_NODES}. Save a part of "
            "the estimator, such as best_estimator_ of a search."
        )
    loaders = loaders_of_trusted()
    for node in nodes:
        _check_loader(node, loaders, name)
        _check_content(node, name)
    _check_references(schema, nodes, name)
    return {f"{node.get('__module__')}.{node.get('__class__')}" for node in nodes}


def _dictionaries(schema: Any) -> Iterator[dict[str, Any]]:
    pending = [schema]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            yield value
            pending += value.values()
        elif isinstance(value, list):
            pending += value


def _check_loader(node: dict[str, Any], loaders: dict[str, str], name: str) -> None:
    """Raise if a trusted type has another loader than its own, which would call it."""
    full, loader = f"{node.get('__module__')}.{node.get('__class__')}", node[_LOADER]
    if loader != loaders.get(full, loader):
        raise ModelFileError(
            f"{name}: it makes {loader} call {full}, which no file written by save does. No code "
            "in it was run."
        )


def _check_content(node: dict[str, Any], name: str) -> None:
    """Raise if a node names another file than its own, hides lists, or calls a type with a key."""
    if "file" in node and node["file"] != f"{node.get(_ID)}.npy":
        raise ModelFileError(f"{name}: an array is stored in {str(node['file'])[:40]!r}.")
    content = node.get("content")
    if node[_LOADER] == "JsonNode" and str(content).lstrip()[:1] in ("[", "{"):
        raise ModelFileError(f"{name}: a value of it is a list in JSON, which save never writes.")
    if "key_types" in node:
        listed = node["key_types"]
        kinds = listed.get("content") if isinstance(listed, dict) else None
        for kind in kinds if isinstance(kinds, list) else [listed]:
            full = isinstance(kind, dict) and f"{kind.get('__module__')}.{kind.get('__class__')}"
            if full not in _KEY_TYPES:
                raise ModelFileError(
                    f"{name}: the keys of a dictionary are of type {str(full)[:80]}; expected "
                    "text or numbers."
                )


def _check_references(schema: Any, nodes: list[dict[str, Any]], name: str) -> None:
    """Raise if skops would visit more nodes than there are.

    `save` writes an object in full wherever it occurs. A node that is shorter than another one
    with the same identity stands for it, and could do so twice in each of many levels.
    """
    same: dict[Any, list[dict[str, Any]]] = defaultdict(list)
    for node in nodes:
        if isinstance(node.get(_ID), list | dict):
            raise ModelFileError(f"{name}: an identity is not a number.")
        same[node.get(_ID)].append(node)
    known: dict[Any, int] = {}

    def count(value: Any) -> int:
        if isinstance(value, list):
            return sum(map(count, value))
        if not isinstance(value, dict):
            return 0
        if _LOADER not in value:
            return sum(map(count, value.values()))
        identity = value.get(_ID)
        if identity is None:
            return 1 + sum(map(count, value.values()))
        if identity not in known:
            # Ends a circle.
            known[identity] = 1
            known[identity] = max(1 + sum(map(count, one.values())) for one in same[identity])
        return known[identity]

    if count(schema) > len(nodes):
        raise ModelFileError(
            f"{name}: parts of it stand for other parts many times, which no file written by save "
            "has."
        )
