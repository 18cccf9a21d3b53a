"""Weights files: read, never executed."""

import hashlib
import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from skimgcls._backbones._weights import fetch_weights, load_into, read_weights


def make_net(n_channels=3, seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(n_channels, 4, 3), nn.BatchNorm2d(4), nn.Identity())


def state_of(net, **changes):
    return {**net.state_dict(), **changes}


def read(path):
    return read_weights(str(path), known=("DEFAULT", "IMAGENET1K_V1"))


def assert_same_weights(found, expected):
    assert list(found) == list(expected)
    for key, value in expected.items():
        assert torch.equal(found[key], value)


class Bomb:
    """An object that executes code when it is unpickled."""

    def __init__(self, trace):
        self.trace = trace

    def __reduce__(self):
        return Path.touch, (self.trace,)


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """An empty torch hub cache."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "hub" / "checkpoints"


def publish(folder, state, name="net"):
    """Save weights under a name with their hash, as on a server, and return the path."""
    folder.mkdir(exist_ok=True)
    torch.save(state, folder / "unnamed")
    digest = hashlib.sha256((folder / "unnamed").read_bytes()).hexdigest()
    return (folder / "unnamed").rename(folder / f"{name}-{digest[:8]}.pth")


# ---- files


@pytest.mark.parametrize("suffix", [".pt", ".pth"])
def test_torch_file_is_read(tmp_path, suffix):
    state = state_of(make_net())
    torch.save(state, tmp_path / f"net{suffix}")
    assert_same_weights(read(tmp_path / f"net{suffix}"), state)


def test_safetensors_file_is_read(tmp_path):
    state = state_of(make_net())
    save_file(state, tmp_path / "net.safetensors")
    found = read(tmp_path / "net.safetensors")
    assert_same_weights({key: found[key] for key in state}, state)


@pytest.mark.parametrize("wrapper", ["state_dict", "model"])
def test_weights_are_found_inside_a_checkpoint(tmp_path, wrapper):
    state = state_of(make_net())
    parallel = {f"module.{key}": value for key, value in state.items()}
    torch.save({"epoch": 3, wrapper: parallel}, tmp_path / "net.pth")
    assert_same_weights(read(tmp_path / "net.pth"), state)


@pytest.mark.parametrize("old", [False, True])
def test_code_in_a_file_is_not_run(tmp_path, old):
    trace = tmp_path / "trace"
    torch.save({"a": Bomb(trace)}, tmp_path / "net.pth", _use_new_zipfile_serialization=not old)
    with pytest.raises(ValueError, match="contains more than weights, or is damaged"):
        read(tmp_path / "net.pth")
    assert not trace.exists()


def test_code_in_a_plain_pickle_is_not_run(tmp_path):
    trace = tmp_path / "trace"
    (tmp_path / "net.pt").write_bytes(pickle.dumps(Bomb(trace)))
    with pytest.raises(ValueError, match="contains more than weights, or is damaged"):
        read(tmp_path / "net.pt")
    assert not trace.exists()


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize("share", [0.0, 0.5, 0.9])
def test_truncated_file_is_rejected(tmp_path, suffix, share):
    path = tmp_path / f"net{suffix}"
    state = state_of(make_net())
    save_file(state, path) if suffix == ".safetensors" else torch.save(state, path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(ValueError, match=r"is not a complete|or is damaged"):
        read(path)


@pytest.mark.parametrize("held", [[1, 2], {"a": 1}, {}, torch.zeros(3), make_net().state_dict])
def test_file_without_named_weights_is_rejected(tmp_path, held):
    held = {"lists": [torch.zeros(2)]} if callable(held) else held
    torch.save(held, tmp_path / "net.pth")
    with pytest.raises(ValueError, match=r"expected weights by name, got a (list|dict|Tensor)"):
        read(tmp_path / "net.pth")


def test_missing_file_is_rejected(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no such file"):
        read(tmp_path / "net.pth")


def test_unknown_name_is_rejected():
    with pytest.raises(ValueError, match=r"'V9' is neither known nor a file.*'DEFAULT', 'IMAGENET"):
        read("V9")


def test_file_with_another_suffix_is_rejected(tmp_path):
    (tmp_path / "net.h5").touch()
    with pytest.raises(ValueError, match=r"ends in .safetensors, .pt, .pth"):
        read(tmp_path / "net.h5")


def test_file_that_does_not_match_the_hash_in_its_name_is_rejected(tmp_path):
    path = publish(tmp_path, state_of(make_net()))
    assert read(path)
    path.write_bytes(path.read_bytes() + b"!")
    with pytest.raises(ValueError, match="is damaged, or does not match the hash in its name"):
        read(path)


# ---- torch hub cache


def test_download_is_cached(tmp_path, hub):
    state = state_of(make_net())
    path = publish(tmp_path / "server", state)
    assert_same_weights(fetch_weights(path.as_uri(), progress=False), state)
    path.unlink()
    assert_same_weights(fetch_weights(path.as_uri(), progress=False), state)
    assert [file.name for file in hub.iterdir()] == [path.name]


def test_download_progress_is_shown_on_request(tmp_path, hub, capfd):
    path = publish(tmp_path / "server", state_of(make_net()))
    fetch_weights(path.as_uri(), progress=False)
    assert capfd.readouterr() == ("", "")
    (hub / path.name).unlink()
    fetch_weights(path.as_uri(), progress=True)
    assert "100%" in capfd.readouterr().err


def test_error_without_a_network_names_the_file_and_its_folder(tmp_path, hub):
    url = (tmp_path / "server" / "net-00000000.pth").as_uri()
    with pytest.raises(OSError, match="Without a network, put the file at") as caught:
        fetch_weights(url, progress=False)
    assert str(hub / "net-00000000.pth") in str(caught.value)


def test_download_with_wrong_hash_is_not_cached(tmp_path, hub):
    path = publish(tmp_path / "server", state_of(make_net()))
    wrong = path.rename(path.with_name("net-00000000.pth"))
    with pytest.raises(ValueError, match="does not match the hash in its name:"):
        fetch_weights(wrong.as_uri(), progress=False)
    assert list(hub.iterdir()) == []


def test_damaged_file_in_the_cache_is_rejected(tmp_path, hub):
    path = publish(tmp_path / "server", state_of(make_net()))
    fetch_weights(path.as_uri(), progress=False)
    (hub / path.name).write_bytes(b"half a file")
    with pytest.raises(ValueError, match="Delete it, and download it again"):
        fetch_weights(path.as_uri(), progress=False)


# ---- loading into a network


def load(net, state):
    load_into(net, state, origin="net.pth", name="resnet18")


def test_matching_weights_are_loaded():
    net, other = make_net(seed=0), make_net(seed=1)
    load(net, other.state_dict())
    # Pretrained running statistics are not reset, regardless of the count in the file.
    assert net[1].num_batches_tracked >= 10_000
    other[1].num_batches_tracked = net[1].num_batches_tracked
    assert_same_weights(net.state_dict(), other.state_dict())


def test_weights_of_a_removed_layer_are_ignored():
    net, other = make_net(), make_net(seed=1)
    load(net, state_of(other, **{"2.weight": torch.zeros(3), "2.bias": torch.ones(1)}))
    assert torch.equal(net[0].weight, other[0].weight)


def test_first_layer_with_other_channels_gets_mean_weights():
    net, other = make_net(n_channels=6), make_net()
    load(net, other.state_dict())
    torch.testing.assert_close(net[0].weight[:, :1], other[0].weight.mean(dim=1, keepdim=True) / 2)


def test_count_of_batches_can_be_missing():
    net, state = make_net(), make_net(seed=1).state_dict()
    del state["1.num_batches_tracked"]
    load(net, state)
    assert torch.equal(net[1].running_var, state["1.running_var"])
    assert net[1].num_batches_tracked >= 10_000


def test_missing_and_unexpected_weights_are_named_and_none_are_loaded():
    net = make_net()
    before = {key: value.clone() for key, value in net.state_dict().items()}
    state = state_of(make_net(seed=1), extra=torch.zeros(1))
    del state["0.bias"]
    state["1.weight"] = torch.zeros(5)
    words = (
        r"weights 'net.pth' are not those of 'resnet18'. missing: 0.bias; unexpected: extra; "
        r"of another shape: 1.weight \(5,\) for \(4,\)"
    )
    with pytest.raises(ValueError, match=words):
        load(net, state)
    assert_same_weights(net.state_dict(), before)


def test_error_names_only_some_of_many_weights():
    with pytest.raises(ValueError, match=r"missing: 0.weight, 0.bias, 1.weight and 3 more"):
        load(make_net(), {})
