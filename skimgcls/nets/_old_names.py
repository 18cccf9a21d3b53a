"""Names of weights in files that earlier versions saved."""

from collections.abc import Mapping
from typing import TypeVar

from skimgcls.nets._cnn import CNN
from skimgcls.nets._image_network import ImageNetwork
from skimgcls.nets._transfer_net import TransferNet

_Value = TypeVar("_Value")


def rename_old_weights(state: Mapping[str, _Value], network: ImageNetwork) -> dict[str, _Value]:
    """Return the weights of a network by their present names.

    Earlier versions named the parts of a network by their position: a classifier's network was
    "net", or "net.net" with test-time augmentation, and an embedder had the layers "0" and "1".
    Present names are returned unchanged; no present name begins like that.
    """
    prefix = "net." if network.views is None else "net.net."
    present: dict[str, str] = {}
    for name in network.state_dict():
        part, _, rest = name.partition(".")
        if part == "standardize":
            present[f"0.{rest}"] = name
        else:
            old = _old_name(network, name)
            present |= {prefix + old: name, f"1.{old}": name}
    return {present.get(name, name): value for name, value in state.items()}


def _old_name(network: ImageNetwork, name: str) -> str:
    """Return the old name of a weight inside its network, which may contain other networks."""
    kept, module = [], network
    for part in name.split("."):
        is_body = part == "body" and isinstance(module, ImageNetwork)
        # The body of other networks was the network itself.
        if not is_body or isinstance(module, CNN | TransferNet):
            kept.append(part)
        module = getattr(module, part)
    return ".".join(kept)
