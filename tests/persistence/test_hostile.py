"""Files that are made to fill the memory, to keep `load` busy, or to touch other files."""

import io
import json
import os
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
import skops.io
import torch
from model_files import (
    COMMAND,
    HEAD,
    array_file,
    members_of,
    pack,
    pack_object,
    refuse,
    refuse_content,
    seal,
)
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC, LinearSVC

from skimgcls import (
    ImageEmbedder,
    ImageFlattener,
    ImageLoader,
    MLPImageClassifier,
    ModelFileError,
    PretrainedImageClassifier,
    load,
    save,
)
from skimgcls.classifiers import _network
from skimgcls.estimator_checks._data import make_stripes
from skimgcls.persistence._schema import check_schema
from skimgcls.persistence._walk import walk_values
from skimgcls.utils._state_dict import ExternalWeights

X, y = make_stripes()


def altered(good, change, arrays=()):
    """Return the members of a good file with a changed description and additional arrays."""
    members = members_of(good)
    honest = members_of(members["estimator.skops"])
    schema = json.loads(honest.pop("schema.json"))
    change(schema)
    return members | {"estimator.skops": pack_object(schema, [*honest.items(), *arrays])}


def planted(value):
    """Return a change that adds an attribute to the Pipeline."""

    def change(schema):
        schema["content"]["content"]["planted"] = value

    return change


def node(kind, content, identity=None, **more):
    made = {"__class__": kind, "__module__": "builtins", "content": content}
    made["__loader__"] = {"list": "ListNode", "str": "JsonNode"}[kind]
    return made | ({} if identity is None else {"__id__": identity}) | more


# Time


@pytest.mark.parametrize("stub", [{"__loader__": "ListNode", "content": []}, {"content": None}])
def test_references_that_double_at_each_level_are_refused(good, stub, tmp_path):
    chain = node("list", [], 9_000)
    for level in range(9_001, 9_040):
        below = {**node("list", []), **stub, "__id__": level - 1}
        chain = node("list", [chain, below], level)
    words = refuse_content(altered(good, planted(chain)), tmp_path)
    assert "stand for other parts many times" in words


def test_a_stub_before_the_node_it_stands_for_is_found_too():
    chain = node("list", [], 1)
    for level in range(2, 30):
        stub = {**node("list", []), "__id__": level - 1}
        chain = node("list", [stub, chain, stub], level)
    with pytest.raises(ValueError, match="many times"):
        check_schema(json.dumps(chain).encode(), "it")


def test_too_many_nodes_are_refused():
    many = node("list", [node("str", '"a"', number) for number in range(2, 70_000)], 1)
    with pytest.raises(ModelFileError, match="expected at most 60000"):
        check_schema(json.dumps(many).encode(), "it")


def test_honest_estimators_have_as_many_nodes_as_are_visited(estimators):
    search = estimators["search of several scores"].fit(X[:30], y[:30])
    with zipfile.ZipFile(io.BytesIO(skops.io.dumps(search))) as archive:
        assert len(check_schema(archive.read("schema.json"), "it")) > 10


# Memory


@pytest.mark.parametrize(
    "manifest",
    [b"[" + b"[]," * 300_000 + b"[]]", b'{"a": "' + b"a" * 2**22 + b'"}', b"[{}" + b",{}" * 10_001],
)
def test_large_manifests_are_refused(good, manifest, tmp_path):
    members = members_of(good) | {"manifest.json": manifest}
    assert "manifest.json" in refuse_content(members, tmp_path)


def test_an_array_that_several_nodes_name_is_refused(good, tmp_path):
    def change(schema):
        arrays = [
            {
                "__class__": "ndarray",
                "__module__": "numpy",
                "__loader__": "NdArrayNode",
                "__id__": number,
                "type": "numpy",
                "file": "9000.npy",
            }
            for number in range(9_000, 12_000)
        ]
        planted(node("list", arrays, 8_000))(schema)

    content = array_file(np.zeros(2**17))
    words = refuse_content(altered(good, change, [("9000.npy", content)]), tmp_path)
    assert "an array is stored in '9000.npy'" in words


def test_lists_inside_of_a_json_value_are_refused(good, tmp_path):
    for text in ("[" + "[]," * 100_000 + "[]]", ' {"a": 1}'):
        words = refuse_content(altered(good, planted(node("str", text, 9_000))), tmp_path)
        assert "is a list in JSON" in words


def test_keys_call_no_function(good, tmp_path):
    kind = {"__class__": "accuracy_score", "__module__": "sklearn.metrics._classification"}
    keys = node("list", [kind | {"__loader__": "TypeNode"}])
    value = {
        "__class__": "dict",
        "__module__": "builtins",
        "__loader__": "DictNode",
        "content": {"a": COMMAND},
        "key_types": keys,
    }
    words = refuse_content(altered(good, planted(value)), tmp_path)
    assert "accuracy_score" in words


def test_false_compressed_sizes_are_refused(good, tmp_path):
    data = bytearray(pack(members_of(good) | {"manifest.json": b" " * 2**25}))
    place = data.index(b"PK\x01\x02")
    # The compressed size of a member in the central directory of the zip.
    data[place + 20 : place + 24] = (2**30).to_bytes(4, "little")
    assert "larger in total than the file" in refuse_content(seal(bytes(data[HEAD:])), tmp_path)


def test_one_weight_for_many_is_refused():
    store = ExternalWeights({"a": np.zeros(2**22, np.float32)})
    # Four times, and one MB that is always allowed.
    for _ in range(5):
        store.copy("a")
    with pytest.raises(ValueError, match="more often than they are stored"):
        store.copy("a")


@pytest.mark.parametrize("shape", [(1, 1, 2 * 10**8), (0, 1, 1), (1, 1), (1, 1, 1.5), None])
def test_shapes_that_are_none_are_refused(shape, tmp_path):
    clf = MLPImageClassifier(max_iter=1, hidden_layer_sizes=(6,), random_state=0).fit(X, y)
    clf.image_shape_ = shape
    save(clf, tmp_path / "model.skimgcls")
    words = refuse((tmp_path / "model.skimgcls").read_bytes(), tmp_path)
    assert "image shape" in words


def test_large_images_cost_nothing_while_loading(tmp_path):
    pytest.importorskip("timm")
    clf = PretrainedImageClassifier(
        "timm:test_resnet", weights=None, trainable="all", max_iter=1, image_size=32
    ).fit(X, y)
    clf.image_shape_, clf._framing = (6_000, 6_000, 1), None
    save(clf, tmp_path / "model.skimgcls")
    found = run_limited(f"load({str(tmp_path / 'model.skimgcls')!r})")
    assert found["megabytes"] < 200


def test_an_embedder_larger_than_its_weights_is_refused(tmp_path):
    embedder = ImageEmbedder("squeezenet1_1", weights=None, image_size=32).fit(X)
    embedder._built_with = embedder._built_with | {"backbone": "vgg19"}
    save(embedder, tmp_path / "model.skimgcls")
    assert "larger network" in refuse((tmp_path / "model.skimgcls").read_bytes(), tmp_path)


def test_a_network_that_cannot_be_built_without_memory_is_bounded(monkeypatch, tmp_path):
    clf = MLPImageClassifier(max_iter=1, hidden_layer_sizes=(6,), random_state=0).fit(X, y)
    save(clf, tmp_path / "model.skimgcls")

    def make(clf):
        layers = torch.nn.ModuleList()
        assert float(torch.ones(())) == 1
        for _ in range(1_000):
            layers.append(torch.nn.Linear(1_000, 1_000))
        return layers

    monkeypatch.setattr(_network, "make_network", make)
    found = refuse((tmp_path / "model.skimgcls").read_bytes(), tmp_path)
    assert "larger network" in found


def run_limited(code):
    """Run code in a new process; return its megabytes beyond the imports."""
    script = f"""
        import json, resource, sys
        from skimgcls import load, ModelFileError
        import torch, timm, skimgcls.classifiers, skimgcls.preprocessing
        def peak():
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        before = peak()
        {code}
        sys.stdout.write(json.dumps(dict(megabytes=peak() - before)))
    """
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return json.loads(done.stdout)


# Other files


def hidden_loaders(folder):
    """Return values that hold an ImageLoader with a cache, each in another container."""
    loader = ImageLoader(cache=folder)
    objects = np.empty(2, dtype=object)
    objects[:] = [loader, None]
    return {
        "array": objects,
        "list in a tuple": ([loader],),
        "set": {"a": {"b": [objects]}},
        "pipeline": make_pipeline(loader, memory="auto"),
        "search": GridSearchCV(loader, {"size": [1]}),
    }


@pytest.mark.parametrize("place", hidden_loaders(""))
def test_caches_are_cleared_wherever_they_are(place, tmp_path):
    clf = MLPImageClassifier(max_iter=1, hidden_layer_sizes=(2,), random_state=0).fit(X, y)
    clf.planted_ = hidden_loaders(str(tmp_path / "cache"))[place]
    save(clf, tmp_path / "model.skimgcls")
    again = load(tmp_path / "model.skimgcls")
    loaders = [v for v in walk_values(again.planted_) if isinstance(v, ImageLoader)]
    assert loaders
    assert all(loader.cache is None for loader in loaders)
    if place == "pipeline":
        assert again.planted_.memory is None


def test_a_loaded_calibration_writes_no_cache(tmp_path):
    from PIL import Image

    paths = [str(tmp_path / f"{number}.png") for number in range(len(X))]
    for path, image in zip(paths, X, strict=True):
        Image.fromarray(image).save(path)
    cache = tmp_path / "cache"
    clf = MLPImageClassifier(max_iter=1, hidden_layer_sizes=(2,), random_state=0)
    pipe = make_pipeline(ImageLoader(mode="L", cache=str(cache)), clf)
    calibrated = CalibratedClassifierCV(pipe, cv=2).fit(paths, y)
    save(calibrated, tmp_path / "model.skimgcls")
    for file in cache.rglob("*"):
        if file.is_file():
            file.unlink()
    load(tmp_path / "model.skimgcls").predict(paths)
    assert not [file for file in cache.rglob("*") if file.is_file()]


@pytest.mark.parametrize("name", ["hf-hub:someone/model", "hf_hub:a/b", "local-dir:/tmp"])
def test_no_network_is_fetched_because_of_its_name(name, tmp_path):
    pytest.importorskip("timm")
    clf = PretrainedImageClassifier(
        "timm:test_resnet", weights=None, trainable="all", max_iter=1, image_size=32
    ).fit(X, y)
    clf._built_with = clf._built_with | {"backbone": f"timm:{name}"}
    save(clf, tmp_path / "model.skimgcls")
    assert "is not known to timm" in refuse((tmp_path / "model.skimgcls").read_bytes(), tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_named_pipe_is_not_opened(tmp_path):
    pipe = tmp_path / "pipe.safetensors"
    os.mkfifo(pipe)
    with pytest.raises(OSError, match="is not a file"):
        load(pipe)
    with pytest.raises(ValueError, match="is not a file"):
        PretrainedImageClassifier("squeezenet1_1", weights=str(pipe)).fit(X, y)


def test_a_folder_is_not_opened(tmp_path):
    with pytest.raises(IsADirectoryError, match="is not a file"):
        load(tmp_path)


def test_compressed_weights_of_torch_are_refused(tmp_path):
    path = tmp_path / "weights.pt"
    torch.save({"a": torch.zeros(10**6)}, path)
    with zipfile.ZipFile(path) as source:
        members = {info.filename: source.read(info) for info in source.infolist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    with pytest.raises(ValueError, match="is compressed"):
        PretrainedImageClassifier("squeezenet1_1", weights=str(path)).fit(X, y)


# Foreign memory


@pytest.mark.parametrize(
    ("classifier", "name"),
    [
        (SVC(), "SVC"),
        (KNeighborsClassifier(), "KNeighborsClassifier"),
        (KMeans(2, n_init=1), "KMeans"),
        # Its loss is named _loss.CyHalfMultinomialLoss in earlier versions.
        (HistGradientBoostingClassifier(max_iter=1), "_hist_gradient_boosting|_loss"),
    ],
)
def test_estimators_that_index_in_c_are_not_trusted(classifier, name, tmp_path):
    pipe = make_pipeline(ImageFlattener(), classifier).fit(X, y)
    with pytest.raises(TypeError, match=f"({name}).*which load does not trust by default"):
        save(pipe, tmp_path / "model.skimgcls")


def test_they_load_if_they_are_asked_for(tmp_path):
    pipe = make_pipeline(ImageFlattener(), SVC()).fit(X, y)
    path, trusted = tmp_path / "model.skimgcls", ["sklearn.svm._classes.SVC"]
    save(pipe, path, trusted=trusted)
    np.testing.assert_array_equal(load(path, trusted=trusted).predict(X), pipe.predict(X))
    with pytest.raises(ValueError, match=r"holds sklearn\.svm\._classes\.SVC"):
        load(path)


def test_linear_models_are_trusted(tmp_path):
    pipe = make_pipeline(ImageFlattener(), LinearSVC()).fit(X, y)
    save(pipe, tmp_path / "model.skimgcls")
    np.testing.assert_array_equal(load(tmp_path / "model.skimgcls").predict(X), pipe.predict(X))


@pytest.mark.parametrize("position", [-1, 625, 10**9])
def test_a_random_state_outside_of_its_numbers_is_refused(position, tmp_path):
    clf = MLPImageClassifier(max_iter=1, hidden_layer_sizes=(2,), random_state=0).fit(X, y)
    clf.random_state = np.random.RandomState(0)
    path = tmp_path / "model.skimgcls"
    save(clf, path)
    load(path)
    members = members_of(path.read_bytes())
    honest = members_of(members["estimator.skops"])
    text = honest.pop("schema.json").decode()
    assert '"624"' in text
    changed = text.replace('"624"', f'"{position}"')
    members["estimator.skops"] = pack_object(changed, honest.items())
    assert "random state" in refuse_content(members, tmp_path)


def test_weights_named_by_a_file_are_only_read_by_fit(tmp_path):
    missing = Path(tmp_path, "gone.safetensors")
    clf = PretrainedImageClassifier(
        "squeezenet1_1", weights=None, trainable="all", max_iter=1, image_size=32
    ).fit(X, y)
    safetensors.numpy.save_file({"a": np.zeros(1, np.float32)}, str(missing))
    clf.weights = clf.weights_ = str(missing)
    clf._built_with = clf._built_with | {"weights": str(missing)}
    save(clf, tmp_path / "model.skimgcls")
    missing.unlink()
    assert load(tmp_path / "model.skimgcls").predict(X).shape == y.shape
