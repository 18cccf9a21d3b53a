"""Read weights from the torch hub cache, a download or a path; no code of a file is executed."""

import hashlib
import pickle
import re
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from skimgcls._backbones._adapt import repeat_filters
from skimgcls.utils._paths import expand
from skimgcls.utils._state_dict import load_state

State = Mapping[str, torch.Tensor]

# Ending of a file name in the torch hub: the first digits of the SHA-256 of the file.
_HASH = re.compile(r"-([a-f0-9]{8,})\.[a-z]+$")
_SUFFIXES = (".safetensors", ".pt", ".pth")
# Keys under which some programs store the weights, among other entries.
_WRAPPERS = ("state_dict", "model")
_N_NAMED = 3
# After so many batches the running statistics no longer depend on their initial values.
_MANY_BATCHES = 10_000


def fetch_weights(url: str, *, progress: bool) -> State:
    """Return the weights at a URL, from the torch hub cache if it has them.

    Raises
    ------
    OSError
        If the download fails. The message contains the file and where to put it.
    ValueError
        If the file does not match the hash in its name, or contains no weights.
    """
    path = Path(torch.hub.get_dir()) / "checkpoints" / url.rpartition("/")[2]
    if path.exists():
        _check_hash(path)
        return read_state(path)
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
            f"The file downloaded from {url} does not match the hash in its name: {error}. It was "
            "not kept; try again."
        ) from error
    return read_state(path)


def read_weights(path: str, *, known: Iterable[str]) -> State:
    """Return the weights in a file; `known` are the valid names, for the error message."""
    file = expand(path)
    if not file.exists():
        if file.suffix in _SUFFIXES:
            raise FileNotFoundError(f"weights={path!r}: there is no such file. Check the path.")
        raise ValueError(
            f"weights={path!r} is neither known nor a file. Expected None, one of "
            f"{', '.join(map(repr, known))}, or a path that ends in {', '.join(_SUFFIXES)}."
        )
    if file.suffix not in _SUFFIXES:
        raise ValueError(f"weights={path!r}: expected a file that ends in {', '.join(_SUFFIXES)}.")
    if not file.is_file():
        raise ValueError(f"weights={path!r} is not a file, but a folder, a device or a pipe.")
    _check_hash(file)
    return read_state(file)


def _check_hash(path: Path) -> None:
    """Raise if the file name contains a hash that the file does not match."""
    named = _HASH.search(path.name)
    if named is None:
        return
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if not found.startswith(named[1]):
        raise ValueError(
            f"{str(path)!r} is damaged, or does not match the hash in its name: expected a SHA-256 "
            f"that starts with {named[1]}, got {found[: len(named[1])]}. Delete it, and download "
            "it again."
        )


def read_state(path: Path) -> State:
    """Return the weights in a file by name, or raise if it contains anything else."""
    state = _read_safetensors(path) if path.suffix == ".safetensors" else _read_torch(path)
    for wrapper in _WRAPPERS:
        if isinstance(state, dict) and isinstance(state.get(wrapper), dict):
            state = state[wrapper]
    is_state = isinstance(state, dict) and all(
        isinstance(key, str) and isinstance(value, torch.Tensor) for key, value in state.items()
    )
    if not is_state or not state:
        raise ValueError(
            f"{str(path)!r} contains no state_dict: expected weights by name, got a "
            f"{type(state).__name__}. Save module.state_dict()."
        )
    # Prefix of modules trained on several devices.
    return {key.removeprefix("module."): value for key, value in state.items()}


def _read_safetensors(path: Path) -> Any:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except SafetensorError as error:
        raise ValueError(f"{str(path)!r} is not a complete safetensors file: {error}.") from error


def _read_torch(path: Path) -> Any:
    _refuse_compressed(path)
    try:
        with warnings.catch_warnings():
            # Raised for pickles of programs other than torch. They are read, or raise below.
            warnings.filterwarnings("ignore", message="Detected pickle protocol")
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ValueError(
            f"{str(path)!r} contains more than weights, or is damaged, and was not opened, because "
            "such a file can execute code. Save module.state_dict(), or use safetensors."
        ) from error
    except (RuntimeError, EOFError, KeyError, ValueError) as error:
        raise ValueError(f"{str(path)!r} is not a complete weights file: {error}") from error


def _refuse_compressed(path: Path) -> None:
    """Raise if a weights file is compressed, which torch never does: it could fill the memory."""
    if not zipfile.is_zipfile(path):
        return
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
    except (zipfile.BadZipFile, ValueError):
        # torch says what is wrong.
        return
    if any(info.compress_type != zipfile.ZIP_STORED for info in infos):
        raise ValueError(
            f"{str(path)!r} is compressed, which torch.save never does. Save module.state_dict()."
        )


def load_into(net: nn.Module, state: State, *, origin: str, name: str) -> None:
    """Load weights into a network without head, whose first layer may have other input channels.

    Raises
    ------
    ValueError
        If weights are missing, unexpected or of another shape.
    """
    expected = net.state_dict()
    state = {key: value for key, value in state.items() if not _was_removed(net, key)}
    first = next((n for n, m in net.named_modules() if isinstance(m, nn.Conv2d)), "") + ".weight"
    if first in state and state[first].ndim == 4:
        state[first] = repeat_filters(state[first], expected[first].shape[1])
    # Only torch's batch normalization has this count, and old files lack it.
    missing = [k for k in expected if k not in state and not k.endswith("num_batches_tracked")]
    unexpected = [k for k in state if k not in expected]
    reshaped = [
        f"{k} {tuple(state[k].shape)} for {tuple(expected[k].shape)}"
        for k in state
        if k in expected and state[k].shape != expected[k].shape
    ]
    faults = {"missing": missing, "unexpected": unexpected, "of another shape": reshaped}
    if any(faults.values()):
        found = "; ".join(f"{what}: {_some(keys)}" for what, keys in faults.items() if keys)
        raise ValueError(f"weights {origin!r} are not those of {name!r}. {found}.")
    load_state(net, state, strict=False)
    for name, count in net.named_buffers():
        if name.endswith("num_batches_tracked"):
            # Pretrained statistics come from many batches, even if the file has no count.
            count.clamp_(min=_MANY_BATCHES)


def _was_removed(net: nn.Module, key: str) -> bool:
    """Return whether a weight belongs to a layer that was replaced by the identity."""
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
    """Raise an error with instructions if the hub of another library cannot be reached."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        raise OSError(
            f"The weights of {name!r} could not be downloaded from the Hugging Face hub: {error} "
            "Without a network, download the file elsewhere and pass its path as weights."
        ) from error
