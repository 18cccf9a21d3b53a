"""Backbones from torchvision."""

import pickle

import numpy as np
import pytest
import torch
import torchvision

from skimgcls import ImageEmbedder, PretrainedImageClassifier
from skimgcls._backbones import find_backbone
from skimgcls._backbones._torchvision import list_names
from skimgcls.estimator_checks._data import make_stripes
from skimgcls.nets import BatchNorm2d, TransferNet

# One network of each family, the quickest.
FAMILIES = [
    "alexnet",
    "convnext_tiny",
    "densenet121",
    "efficientnet_b0",
    "efficientnet_v2_s",
    "googlenet",
    "inception_v3",
    "maxvit_t",
    "mnasnet0_5",
    "mobilenet_v2",
    "mobilenet_v3_small",
    "regnet_y_400mf",
    "resnet18",
    "resnext50_32x4d",
    "shufflenet_v2_x0_5",
    "squeezenet1_1",
    "swin_t",
    "swin_v2_t",
    "vgg11",
    "vit_b_32",
    "wide_resnet50_2",
]
# Families that take more than 1.5 seconds with images of the size of their weights: MaxViT
# and Swin are slow, the others have 69 to 133 million weights to draw and to write to a file.
_SLOW_AT_FULL_SIZE = {"maxvit_t", "swin_t", "swin_v2_t", "vgg11", "vit_b_32", "wide_resnet50_2"}
# Above this number of weights, only the head is trained, to save memory.
_LARGE = 60_000_000


def mark_slow_unless(names, quick):
    """Return names as parameters of a test, and mark as slow those that are not in `quick`."""
    return [name if name in quick else pytest.param(name, marks=pytest.mark.slow) for name in names]


def n_weights_of(name):
    return torchvision.models.get_model_weights(name).DEFAULT.meta["num_params"]


def reference_of(name, weights, tmp_path):
    """Return torchvision's own network with random weights, and a file that holds them."""
    torch.manual_seed(0)
    options = {}
    if name in ("googlenet", "inception_v3"):
        options = {"init_weights": True, "transform_input": True}
    net = torchvision.models.get_model(name, weights=None, **options)
    # Statistics as of training, not those of a new network.
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(std=0.1)
            module.running_var.uniform_(0.5, 1.5)
    torch.save(net.state_dict(), tmp_path / "net.pth")
    return net.eval(), tmp_path / "net.pth"


@pytest.fixture
def on_meta(monkeypatch):
    """Put what a test creates on the meta device: weights with a shape, and without memory."""
    make_params = torchvision.models.regnet.BlockParams.from_init_params

    def make_params_on_cpu(*args, **kwargs):
        # RegNet computes its widths and depths with tensors, and reads the numbers in them.
        with torch.device("cpu"):
            return make_params(*args, **kwargs)

    monkeypatch.setattr(
        torchvision.models.regnet.BlockParams, "from_init_params", make_params_on_cpu
    )
    # There are no numbers to draw.
    for function in ("kaiming_normal_", "kaiming_uniform_", "normal_", "trunc_normal_", "uniform_"):
        monkeypatch.setattr(torch.nn.init, function, lambda weights, *args, **kwargs: weights)
    with torch.device("meta"):
        yield


@pytest.mark.parametrize("name", list_names())
def test_weights_match_torchvision_without_the_last_layer(name, on_meta):
    """The names and shapes of the weights are torchvision's, so that a file of weights fits."""
    backbone = find_backbone(name)
    side = backbone.smallest
    options = {}
    if name.startswith("vit"):
        # The positions that it learns depend on the size of the images.
        options = {"image_size": side}
    elif name in ("googlenet", "inception_v3"):
        options = {"init_weights": False}
    own = torchvision.models.get_model(name, weights=None, **options)
    modules = dict(own.named_modules())
    last = [n for n, m in modules.items() if any(True for _ in m.parameters(recurse=False))][-1]
    features = backbone.make((side, side, 3), None)

    assert isinstance(features.net.get_submodule(last), torch.nn.Identity)
    assert features.n_features == modules[last].weight.shape[1]
    found = {key: value.shape for key, value in features.net.state_dict().items()}
    # GoogLeNet and Inception have auxiliary classifiers, which features do not need.
    left_out = (f"{last}.", "aux1.", "aux2.", "AuxLogits.")
    assert found == {
        key: value.shape for key, value in own.state_dict().items() if not key.startswith(left_out)
    }
    for key, module in features.net.named_modules():
        is_norm = type(modules[key]) is torch.nn.BatchNorm2d
        assert (type(module) is BatchNorm2d) == is_norm, key
    with torch.inference_mode():
        logits = TransferNet(features, n_outputs=7).eval()(torch.empty(2, 3, side, side))
    assert logits.is_meta
    assert logits.shape == (2, 7)


@pytest.mark.parametrize("name", mark_slow_unless(list_names(), set(FAMILIES)))
def test_every_network_can_be_fitted_saved_and_loaded(name):
    side = find_backbone(name).smallest
    X, y = make_stripes(n_images=3, shape=(side, side, 3))
    clf = PretrainedImageClassifier(
        name,
        weights=None,
        image_size=side,
        trainable="all" if n_weights_of(name) < _LARGE else "head",
        max_iter=1,
        random_state=0,
    )
    proba = clf.fit(X, y).predict_proba(X)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    loaded = pickle.loads(pickle.dumps(clf))
    np.testing.assert_array_equal(loaded.predict_proba(X), proba)


@pytest.mark.parametrize("name", mark_slow_unless(FAMILIES, set(FAMILIES) - _SLOW_AT_FULL_SIZE))
def test_features_match_the_torchvision_network(name, tmp_path):
    """With the same file of weights, and images of the size that they are for."""
    net, path = reference_of(name, "DEFAULT", tmp_path)
    preset = torchvision.models.get_model_weights(name).DEFAULT.transforms()
    side = preset.crop_size[0]
    images = np.random.RandomState(0).randint(0, 256, (2, side, side, 3), dtype=np.uint8)
    embedder = ImageEmbedder(name, weights=path, precision="float32").fit(images)
    heads = [m for m in net.modules() if getattr(m, "out_features", None) == 1000]
    batch = torch.from_numpy(images).permute(0, 3, 1, 2) / 255
    mean, std = (torch.tensor(v)[:, None, None] for v in (preset.mean, preset.std))
    with torch.no_grad():
        logits = net((batch - mean) / std)
        features = torch.from_numpy(embedder.transform(images))
        if heads:
            found = heads[-1](features)
        else:
            # A network whose last layer is a convolution takes the mean after it.
            found, logits = features, net.features((batch - mean) / std).mean(dim=(2, 3))
    # Random weights make logits as large as they like.
    torch.testing.assert_close(found, logits, rtol=0, atol=1e-5 * max(1.0, logits.abs().max()))


def test_frozen_body_matches_torchvision(tmp_path):
    net, path = reference_of("resnet18", "DEFAULT", tmp_path)
    X, y = make_stripes(n_images=6, shape=(224, 224, 3))
    clf = PretrainedImageClassifier(
        "resnet18", weights=path, trainable="head", max_iter=1, precision="float32", random_state=0
    ).fit(X, y)
    net.fc = torch.nn.Identity()
    preset = torchvision.models.ResNet18_Weights.DEFAULT.transforms()
    batch = torch.from_numpy(X).permute(0, 3, 1, 2).float()
    mean, std = (torch.tensor(v)[:, None, None] for v in (preset.mean, preset.std))
    network = clf.net_.module_
    with torch.no_grad():
        found, expected = network.body(network.standardize(batch)), net((batch / 255 - mean) / std)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def test_families_cover_all_torchvision_networks():
    stems = {name.split("_")[0].rstrip("0123456789") for name in list_names()}
    assert stems == {name.split("_")[0].rstrip("0123456789") for name in FAMILIES} | {"wide"}


@pytest.mark.parametrize("weights", ["DEFAULT", "IMAGENET1K_V1", "IMAGENET1K_V2", "x.pth"])
def test_preprocessing_matches_the_weights(weights):
    recipe = find_backbone("resnet50").recipe(weights)
    entries = torchvision.models.ResNet50_Weights
    preset = (entries.DEFAULT if weights == "x.pth" else entries[weights]).transforms()
    assert (recipe.resize, recipe.crop) == (preset.resize_size[0], preset.crop_size[0])
    assert recipe.mean == tuple(preset.mean)


@pytest.mark.parametrize(
    ("name", "smallest", "multiple"),
    [
        ("resnet18", 1, None),
        ("inception_v3", 75, None),
        ("vit_b_32", 32, 32),
        ("maxvit_t", 224, 224),
    ],
)
def test_smallest_image_size(name, smallest, multiple):
    backbone = find_backbone(name)
    assert (backbone.smallest, backbone.multiple) == (smallest, multiple)


def test_batch_normalization_uses_sample_weights():
    features = find_backbone("resnet18").make((32, 32, 3), None)
    assert isinstance(features.net.bn1, BatchNorm2d)


@pytest.mark.parametrize(("n_channels", "n_inputs"), [(1, 3), (2, 2), (3, 3), (4, 4)])
def test_any_number_of_channels(n_channels, n_inputs):
    features = find_backbone("squeezenet1_1").make((32, 32, n_channels), "DEFAULT")
    assert features.net.features[0].in_channels == n_inputs
    assert features.eval()(torch.rand(2, n_channels, 32, 32)).shape == (2, 512)


@pytest.mark.parametrize(
    ("name", "near"), [("resnet19", "'resnet18'"), ("ResNet50", "'resnet50'"), ("vgg", "'vgg19'")]
)
def test_unknown_name_suggests_the_nearest(name, near):
    with pytest.raises(ValueError, match=f"backbone='{name}' is not known. Did you mean .*{near}"):
        find_backbone(name)


def test_unknown_name_without_a_similar_one():
    with pytest.raises(ValueError, match=r"is not known. Expected the name of a torchvision"):
        find_backbone("qqqqq")


@pytest.mark.parametrize(
    ("name", "side", "words"),
    [("inception_v3", 74, "at least 75"), ("vit_b_16", 40, "at least 16 in multiples of 16")],
)
def test_unsupported_image_size_is_rejected(name, side, words):
    with pytest.raises(ValueError, match=f"image_size={side} is not a size .* expected {words}"):
        find_backbone(name).frame((100, 100, 3), None, side)


@pytest.mark.parametrize(
    ("name", "weights", "image_size", "shape", "framed"),
    [
        ("resnet18", None, "auto", (8, 8, 1), (32, 32, 1)),
        ("resnet18", None, "auto", (40, 60, 3), (40, 60, 3)),
        ("resnet18", None, 64, (40, 60, 3), (64, 64, 3)),
        ("resnet18", "DEFAULT", "auto", (40, 60, 3), (224, 224, 3)),
        ("resnet18", "DEFAULT", 96, (40, 60, 3), (96, 96, 3)),
        ("inception_v3", None, "auto", (40, 100, 3), (75, 100, 3)),
        ("vit_b_16", None, "auto", (40, 60, 3), (48, 48, 3)),
    ],
)
def test_images_are_resized_and_cropped(name, weights, image_size, shape, framed):
    framing = find_backbone(name).frame(shape, weights, image_size)
    assert (shape if framing is None else framing.output_shape(shape)) == framed


def test_images_of_the_pretrained_size_are_not_resized():
    assert find_backbone("resnet18").frame((224, 224, 3), "DEFAULT", "auto") is None
