"""An altered file is refused. None of it is run, written or unpacked at length.

There are two kinds of altered files. Random damage is detected by the digest. A deliberate change
with a valid digest must be detected from the content.
"""

import io
import json
import zipfile
from pathlib import Path
from runpy import run_path

import numpy as np
import pytest
import safetensors.numpy
import skops.io
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
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
from sklearn.base import BaseEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skimgcls import ImageLoader, MLPImageClassifier, ModelFileError, load, save
from skimgcls.estimator_checks._data import make_stripes

X, y = make_stripes()
FOLDER = Path(__file__).parent / "files"
FILES = sorted(FOLDER.rglob("*.skimgcls"))


# ---- random damage


def test_every_flipped_bit_is_detected(good, tmp_path):
    rng = np.random.RandomState(0)
    for place in [*range(HEAD), *rng.randint(HEAD, len(good), size=80)]:
        altered = bytearray(good)
        altered[place] ^= 1 << rng.randint(8)
        refuse(bytes(altered), tmp_path)


def test_truncated_or_extended_file_is_rejected(good, tmp_path):
    rng = np.random.RandomState(0)
    for length in [*range(HEAD + 2), *rng.randint(HEAD, len(good), size=40)]:
        refuse(good[:length], tmp_path)
    refuse(good + b"\0", tmp_path)
    refuse(good[1:], tmp_path)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "it has 0 bytes"),
        (b"\x80\x04\x95" + bytes(100), "it begins with"),
        (b"PK\x03\x04" + bytes(100), "it begins with"),
        (bytes(10_000), "it begins with"),
    ],
)
def test_files_of_another_format_are_rejected(data, words, tmp_path):
    assert words in refuse(data, tmp_path)


def test_later_format_is_rejected(good, tmp_path):
    assert "its format is 2.0" in refuse(seal(good[HEAD:], b"\x02\x00"), tmp_path)
    assert "Update skimgcls" in refuse(seal(good[HEAD:], b"\x09\x03"), tmp_path)
    # A file with a later minor number can still be read.
    path = tmp_path / "later.skimgcls"
    path.write_bytes(seal(good[HEAD:], b"\x01\x07"))
    assert len(load(path).predict(X)) == len(X)


# ---- deliberate changes with a valid digest


def test_unexpected_or_missing_members_are_rejected(good, tmp_path):
    members = members_of(good)
    for name in members:
        fewer = {key: value for key, value in members.items() if key != name}
        assert "expected" in refuse_content(fewer, tmp_path)
    for name in ("../../evil", "/tmp/evil", "evil\\..\\x", "manifest.json/", "C:evil"):
        assert "expected" in refuse_content(members | {name: b"x"}, tmp_path)
    with pytest.warns(UserWarning, match="Duplicate"):
        twice = pack([*members.items(), ("manifest.json", b"{}")])
    refuse_content(twice, tmp_path)


def test_swapped_members_are_rejected(good, tmp_path):
    members = members_of(good)
    names = list(members)
    for one, other in [(0, 1), (1, 2), (0, 2)]:
        swapped = dict(members)
        swapped[names[one]], swapped[names[other]] = members[names[other]], members[names[one]]
        refuse_content(swapped, tmp_path)


def test_decompression_bombs_are_rejected(good, tmp_path):
    members = members_of(good)
    zeros = bytes(300 * 2**20)
    for name in ("manifest.json", "estimator.skops"):
        assert "unpacks from" in refuse_content(members | {name: zeros}, tmp_path)
    bomb = pack(members | {"weights.safetensors": zeros[: 2**24]}, zipfile.ZIP_DEFLATED)
    assert "unpacks from" in refuse_content(bomb, tmp_path)
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("schema.json", zeros[: 2**26])
    assert "compressed" in refuse_content(members | {"estimator.skops": inner.getvalue()}, tmp_path)


def test_false_sizes_are_rejected(good, tmp_path):
    data = bytearray(members_of(good)["estimator.skops"])
    places = [i for i in range(len(data)) if data[i : i + 4] == b"PK\x01\x02"]
    for place in places:
        # The size of a member in the central directory of the zip.
        data[place + 24 : place + 28] = (2**31).to_bytes(4, "little")
    refuse_content(members_of(good) | {"estimator.skops": bytes(data)}, tmp_path)


@pytest.mark.parametrize(
    "manifest", [b"", b"nonsense", b"[1]", b'"text"', b"[" * 100_000, b"\xff\xfe", b"{" * 5000]
)
def test_invalid_manifests_are_rejected(good, manifest, tmp_path):
    assert "manifest.json" in refuse_content(
        members_of(good) | {"manifest.json": manifest}, tmp_path
    )


def head_of_safetensors(**entries):
    text = json.dumps(entries).encode()
    return len(text).to_bytes(8, "little") + text


@pytest.mark.parametrize(
    "weights",
    [
        b"",
        b"\xff" * 8,
        (2**60).to_bytes(8, "little") + b"{}",
        head_of_safetensors(a={"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]}),
        head_of_safetensors(a={"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}),
        head_of_safetensors(a={"dtype": "O", "shape": [0], "data_offsets": [0, 0]}),
        safetensors.numpy.save({}),
        safetensors.numpy.save({"other": np.zeros(3)}),
    ],
)
def test_invalid_weights_are_rejected(good, weights, tmp_path):
    refuse_content(members_of(good) | {"weights.safetensors": weights}, tmp_path)


def test_weights_of_another_shape_are_rejected(good, tmp_path):
    members = members_of(good)
    arrays = safetensors.numpy.load(members["weights.safetensors"])
    for name, array in arrays.items():
        longer = np.zeros((*array.shape, 2), array.dtype)
        altered = safetensors.numpy.save(arrays | {name: longer})
        refuse_content(members | {"weights.safetensors": altered}, tmp_path)


# ---- planted types


class Touch(BaseEstimator):
    """Writes a file when its state is set."""

    def __init__(self, path=None):
        self.path = path

    def __setstate__(self, state):
        open(state["path"], "w").close()


def planted(kind, module, name, loader, **more):
    return kind, {"__class__": name, "__module__": module, "__loader__": loader, **more}


NOTHING = {"__class__": "dict", "__module__": "builtins", "__loader__": "DictNode", "content": {}}
ARGUMENTS = {
    "__class__": "tuple",
    "__module__": "builtins",
    "__loader__": "TupleNode",
    "content": [COMMAND],
}
PLANTED = dict(
    [
        planted("object", "os", "system", "ObjectNode", content=NOTHING),
        planted("function", "os", "system", "FunctionNode", content="system"),
        planted("eval", "builtins", "eval", "FunctionNode", content="eval"),
        planted("type", "subprocess", "Popen", "TypeNode", content=NOTHING),
        planted("reduce", "os", "system", "ReduceNode", reduce=ARGUMENTS, content=NOTHING),
        planted(
            "method", "builtins", "method", "MethodNode", content={"func": "system", "obj": {}}
        ),
        planted("operator", "operator", "methodcaller", "OperatorFuncNode", attrs=ARGUMENTS),
        planted("partial", "functools", "partial", "PartialNode", content={"func": NOTHING}),
        planted("no loader", "os", "system", "EvilNode", content=NOTHING),
        planted("no module", "no.such.module", "Thing", "ObjectNode", content=NOTHING),
        planted("dunder", "builtins", "__import__", "FunctionNode", content="__import__"),
        planted("own private", "skimgcls.utils._rollback", "x", "ObjectNode", content=NOTHING),
        planted("torch", "torch", "load", "FunctionNode", content="load"),
        planted("numpy", "numpy", "fromfile", "FunctionNode", content="fromfile"),
        planted("numpy load", "numpy", "load", "FunctionNode", content="load"),
        planted("pickle", "pickle", "loads", "FunctionNode", content="loads"),
        planted("json", "builtins", "str", "JsonNode", content="{" * 50_000, is_json=True),
        planted("nothing", "builtins", "NoneType", "JsonNode", content="null", is_json=True),
        planted("dict", "builtins", "dict", "DictNode", content={}),
    ]
)


@pytest.mark.parametrize("kind", PLANTED)
def test_planted_types_are_rejected(good, kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    schema = PLANTED[kind] | {"protocol": 2, "_skops_version": "0.13"}
    refuse_content(members_of(good) | {"estimator.skops": pack_object(schema)}, tmp_path)
    # Also inside a trusted object.
    honest = members_of(members_of(good)["estimator.skops"])
    outer = json.loads(honest.pop("schema.json"))
    outer["content"]["content"]["planted"] = PLANTED[kind]
    if kind not in ("nothing", "dict", "json"):
        altered = pack_object(outer, honest.items())
        refuse_content(members_of(good) | {"estimator.skops": altered}, tmp_path)


@pytest.mark.parametrize(
    "loader",
    [
        "ConstructorFromReduceNode",
        "DictNode",
        "ListNode",
        "LossNode",
        "NdArrayNode",
        "SetNode",
        "TreeNode",
        "TupleNode",
    ],
)
@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("sklearn.metrics._classification", "accuracy_score"),
        ("sklearn.model_selection._search", "GridSearchCV"),
        ("skimgcls.preprocessing._loader", "ImageLoader"),
        ("sklearn.utils._bunch", "Bunch"),
        ("pathlib", "PosixPath"),
    ],
)
def test_trusted_types_are_not_called(good, loader, module, name, tmp_path):
    """Each of these loaders would call the named type with its content."""
    honest = members_of(members_of(good)["estimator.skops"])
    outer = json.loads(honest.pop("schema.json"))
    _, call = planted("", module, name, loader, content=ARGUMENTS, reduce=ARGUMENTS)
    outer["content"]["content"]["planted"] = call
    members = members_of(good) | {"estimator.skops": pack_object(outer, honest.items())}
    if (name, loader) not in {("Bunch", "DictNode"), ("PosixPath", "ConstructorFromReduceNode")}:
        assert f"call {module}.{name}," in refuse_content(members, tmp_path)


def test_unknown_estimator_is_not_built(good, tmp_path):
    trace = tmp_path / "trace"
    altered = skops.io.dumps(Touch(str(trace)))
    words = refuse_content(members_of(good) | {"estimator.skops": altered}, tmp_path)
    assert "Touch" in words
    assert not trace.exists()


@pytest.mark.parametrize("version", range(6))
def test_other_skops_protocols_are_rejected(good, version, tmp_path):
    schema = PLANTED["function"] | {"protocol": version, "_skops_version": "0.13"}
    refuse_content(members_of(good) | {"estimator.skops": pack_object(schema)}, tmp_path)


@pytest.mark.parametrize("depth", [200, 5_000, 100_000])
def test_deep_nesting_is_rejected(good, depth, tmp_path):
    text = '{"__class__": "list", "__module__": "builtins", "__loader__": "ListNode", "content": ['
    schema = text * depth + "]}" * depth
    refuse_content(members_of(good) | {"estimator.skops": pack_object(schema)}, tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        array_file(np.array([{}], dtype=object)),
        array_file(head={"descr": "<f8", "fortran_order": False, "shape": (2**40,)}),
        array_file(head={"descr": "<f8", "fortran_order": False, "shape": (2**62, 2**62)}),
        array_file(head={"descr": "<f8", "fortran_order": False, "shape": (-8,)}),
        array_file(head={"descr": "|O", "fortran_order": False, "shape": (8,)}),
        b"\x93NUMPY\x09\x00" + bytes(200),
        b"nothing",
        b"",
    ],
    ids=range(8),
)
def test_invalid_arrays_are_rejected(good, content, tmp_path):
    honest = members_of(members_of(good)["estimator.skops"])
    schema = honest.pop("schema.json")
    altered = pack_object(schema, [*honest.items(), ("7.npy", content)])
    refuse_content(members_of(good) | {"estimator.skops": altered}, tmp_path)


@pytest.mark.parametrize("name", ["../7.npy", "7.npz", "7.bin", "x.npy", "/7.npy", "7.npy/"])
def test_unexpected_array_file_names_are_rejected(good, name, tmp_path):
    honest = members_of(members_of(good)["estimator.skops"])
    schema = honest.pop("schema.json")
    altered = pack_object(schema, [*honest.items(), (name, array_file(np.zeros(3)))])
    refuse_content(members_of(good) | {"estimator.skops": altered}, tmp_path)


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("hidden_layer_sizes", (10**9, 10**9)),
        ("hidden_layer_sizes", (1,) * 5_000),
        ("image_shape_", (10**4, 10**4, 3)),
        ("n_outputs_", 10**12),
    ],
)
def test_network_larger_than_its_weights_is_rejected(parameter, value, tmp_path):
    clf = MLPImageClassifier(max_iter=1, hidden_layer_sizes=(6,), random_state=0).fit(X, y)
    if parameter in clf.get_params():
        clf._built_with = clf._built_with | {parameter: value}
    else:
        setattr(clf, parameter, value)
    save(clf, tmp_path / "model.skimgcls")
    assert "larger net" in refuse((tmp_path / "model.skimgcls").read_bytes(), tmp_path)


# ---- anything


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=5,
)


def places(tree, path=()):
    """Yield the path to each value of a description."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree)
    for key, value in items:
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from places(value, (*path, key))


@settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_altered_description_is_rejected_or_gives_an_estimator(good, data, tmp_path):
    honest = members_of(members_of(good)["estimator.skops"])
    schema = json.loads(honest.pop("schema.json"))
    *way, last = data.draw(st.sampled_from(list(places(schema))))
    inside = schema
    for key in way:
        inside = inside[key]
    inside[last] = data.draw(values)
    path = tmp_path / "model.skimgcls"
    altered = pack_object(schema, honest.items())
    path.write_bytes(pack(members_of(good) | {"estimator.skops": altered}))
    try:
        found = load(path)
    except ModelFileError:
        return
    assert isinstance(found, BaseEstimator)


def test_missing_file_is_rejected(tmp_path):
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "none.skimgcls")


# ---- folders of the machine that trained


def test_cache_folders_are_not_loaded(tmp_path):
    cache, memory = tmp_path / "cache", str(tmp_path / "memory")
    clf = MLPImageClassifier(max_iter=1, hidden_layer_sizes=(2,))
    pipe = make_pipeline(ImageLoader(cache=cache), clf, memory=memory)
    search = GridSearchCV(pipe, {"mlpimageclassifier__alpha": [0.1]}, cv=2).fit(X, y)
    save(search, tmp_path / "model.skimgcls")
    again = load(tmp_path / "model.skimgcls")
    for found in (again.estimator, again.best_estimator_):
        assert found.memory is None
        assert found[0].cache is None
    assert search.best_estimator_[0].cache == cache


# ---- files of earlier versions


WRITER = run_path(str(FOLDER / "write.py"))
CONTINUED = [path for path in FILES if path.stem in WRITER["WITH_OPTIMIZER"]]
reads_other_versions = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.InconsistentVersionWarning"
)


def name_of(path):
    return f"{path.parent.name} {path.stem}"


@reads_other_versions
@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_files_of_released_formats_can_be_read(path):
    images = WRITER["make_images"]()
    expected = np.load(path.with_suffix(".npy"))
    found = load(path, trusted=WRITER["TRUSTED"]).predict_proba(images)
    # Another machine may sum in another order.
    np.testing.assert_allclose(found, expected, atol=1e-5)


@reads_other_versions
@pytest.mark.parametrize("path", CONTINUED, ids=name_of)
def test_training_continues_from_files_of_released_formats(path):
    images, names = WRITER["make_images"](), WRITER["make_names"](1)
    found = load(path).partial_fit(images, names).predict_proba(images)
    np.testing.assert_allclose(found, np.load(path.with_suffix(".next.npy")), atol=1e-5)
    without = load(path)
    without.net_.optimizer_.state.clear()
    reset = without.partial_fit(images, names).predict_proba(images)
    assert np.abs(found - reset).max() > 1e-4


def test_saved_files_of_the_current_format_exist():
    assert (FILES[0].read_bytes()[:10], len(FILES)) == (b"SKIMGCLS\x01\x00", 22)
