"""Files of weights: from torch's cache, from the network, or from a path; read, never run."""

import hashlib
import os
import pickle
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from skimgcls._backbones._adapt import repeat_filters
from skimgcls.utils._state_dict import load_state

State = Mapping[str, torch.Tensor]

# What torch's hub expects at the end of a name: the first digits of the file's SHA-256.
_HASH = re.compile(r"-([a-f0-9]{8,})\.[a-z]+$")
_SUFFIXES = (".safetensors", ".pt", ".pth")
# Under which some programs put the weights, beside other things.
_WRAPPERS = ("state_dict", "model")
_N_NAMED = 3
# After so many the running statistics of a normalisation no longer remember how they began.
_MANY_BATCHES = 10_000


def fetch_weights(url: str, *, progress: bool) -> State:
    """Return the weights at an address, from torch's cache if they are there.

    Raises
    ------
    OSError
        If they cannot be downloaded. It names the file, and where to put it.
    ValueError
        If the file is not the one its name tells of, or holds no weights.
    """
    path = Path(torch.hub.get_dir()) / "checkpoints" / url.rpartition("/")[2]
    if path.exists():
        _check_hash(path)
        return _read(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    found = _HASH.search(path.name)
    try:
        torch.hub.download_url_to_file(
            url, str(path), hash_prefix=found[1] if found else None, progress=progress
        )
    except OSError as error:
        raise OSError(
            f"The weights could not be downloaded from {url}: {error}. Without a network, put the "
            f"file at {str(path)!r}, or pass its path as weights."
        ) from error
    except RuntimeError as error:
        raise ValueError(
            f"What was downloaded from {url} is not the file that its name tells of: {error}. "
            "Nothing was kept; try again."
        ) from error
    return _read(path)


def read_weights(path: str, *, known: Iterable[str]) -> State:
    """Return the weights in a file; `known` are the names that could be meant instead."""
    file = Path(path)
    if not file.exists():
        if file.suffix in _SUFFIXES:
            raise FileNotFoundError(f"weights={path!r}: there is no such file.")
        raise ValueError(
            f"weights={path!r} is neither known nor a file. Expected None, one of "
            f"{', '.join(map(repr, known))}, or a path that ends in {', '.join(_SUFFIXES)}."
        )
    if file.suffix not in _SUFFIXES:
        raise ValueError(f"weights={path!r}: expected a file that ends in {', '.join(_SUFFIXES)}.")
    _check_hash(file)
    return _read(file)


def _check_hash(path: Path) -> None:
    """Refuse a file that is not what its name tells, where the name tells it."""
    named = _HASH.search(path.name)
    if named is None:
        return
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if not found.startswith(named[1]):
        raise ValueError(
            f"{str(path)!r} is damaged, or not what its name tells: its SHA-256 should begin with "
            f"{named[1]}, and begins with {found[: len(named[1])]}. Delete it, and fetch it again."
        )


def _read(path: Path) -> State:
    state = _read_safetensors(path) if path.suffix == ".safetensors" else _read_torch(path)
    for wrapper in _WRAPPERS:
        if isinstance(state, dict) and isinstance(state.get(wrapper), dict):
            state = state[wrapper]
    is_state = isinstance(state, dict) and all(
        isinstance(key, str) and isinstance(value, torch.Tensor) for key, value in state.items()
    )
    if not is_state or not state:
        raise ValueError(
            f"{str(path)!r} holds no weights by name, but a {type(state).__name__}. Save "
            "module.state_dict()."
        )
    # As modules that were trained on several devices name theirs.
    return {key.removeprefix("module."): value for key, value in state.items()}


def _read_safetensors(path: Path) -> Any:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except SafetensorError as error:
        raise ValueError(f"{str(path)!r} is no whole safetensors file: {error}.") from error


def _read_torch(path: Path) -> Any:
    try:
        with warnings.catch_warnings():
            # Of pickles by other programs than torch: they are read, or refused below.
            warnings.filterwarnings("ignore", message="Detected pickle protocol")
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ValueError(
            f"{str(path)!r} holds more than weights, or is damaged, and was not opened: what else "
            "a file of this kind holds could be a program. Save module.state_dict(), or use "
            "safetensors."
        ) from error
    except (RuntimeError, EOFError, KeyError, ValueError) as error:
        raise ValueError(f"{str(path)!r} is no whole file of weights: {error}") from error


def load_into(net: nn.Module, state: State, *, origin: str, name: str) -> None:
    """Put weights into a net whose head was taken off, and whose first layer may have other inputs.

    Raises
    ------
    ValueError
        If weights are missing, unexpected or of another shape.
    """
    expected = net.state_dict()
    state = {key: value for key, value in state.items() if not _was_taken_off(net, key)}
    first = next((n for n, m in net.named_modules() if isinstance(m, nn.Conv2d)), "") + ".weight"
    if first in state and state[first].ndim == 4:
        state[first] = repeat_filters(state[first], expected[first].shape[1])
    # A count that only torch's own normalisation keeps, and that old files lack.
    missing = [k for k in expected if k not in state and not k.endswith("num_batches_tracked")]
    unexpected = [k for k in state if k not in expected]
    reshaped = [
        f"{k} {tuple(state[k].shape)} for {tuple(expected[k].shape)}"
        for k in state
        if k in expected and state[k].shape != expected[k].shape
    ]
    faults = {"missing": missing, "unexpected": unexpected, "of another shape": reshaped}
    if any(faults.values()):
        told = "; ".join(f"{what}: {_some(keys)}" for what, keys in faults.items() if keys)
        raise ValueError(f"weights {origin!r} are not those of {name!r}. {told}.")
    load_state(net, state, strict=False)
    for name, count in net.named_buffers():
        if name.endswith("num_batches_tracked"):
            # Of many batches, whether or not the file tells.
            count.clamp_(min=_MANY_BATCHES)


def _was_taken_off(net: nn.Module, key: str) -> bool:
    """Tell whether a weight is of a layer that was replaced by nothing."""
    try:
        return isinstance(net.get_submodule(key.rpartition(".")[0]), nn.Identity)
    except AttributeError:
        return False


def _some(keys: list[str]) -> str:
    named = ", ".join(keys[:_N_NAMED])
    n_others = len(keys) - _N_NAMED
    return f"{named} and {n_others} more" if n_others > 0 else named


@contextmanager
def explain_no_network(name: str) -> Iterator[None]:
    """Say what to do where the hub of another library cannot be reached."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        raise OSError(
            f"The weights of {name!r} could not be had from the Hugging Face hub: {error} Without "
            "a network, fetch the file elsewhere and pass its path as weights."
        ) from error


def as_path(weights: str | os.PathLike[str] | None) -> str | None:
    """Return the name or the path as text."""
    return None if weights is None else os.fspath(weights)
