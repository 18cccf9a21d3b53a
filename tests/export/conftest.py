"""What the tests of exported models share."""

import functools
import json
import pkgutil
from importlib import import_module

import onnxruntime
import pytest


def find_tables():
    """Return modules, each with the name of a function of it, that make tables for each export.

    They tell which operations there are and what each is in ONNX, and are the same each time. For
    a small net they are two thirds of an export.
    """
    try:
        apis = import_module("onnxscript._framework_apis").__path__
    except ImportError:
        return
    yield "torch._export.utils", "_materialize_cpp_cia_ops"
    for module in pkgutil.iter_modules(apis, "onnxscript._framework_apis."):
        yield module.name, "get_torchlib_ops"


@pytest.fixture(scope="session", autouse=True)
def tables_are_made_once():
    """Make these tables for the first export, and keep them for the others.

    A version of torch that has no such function takes its time.
    """
    with pytest.MonkeyPatch.context() as patch:
        for name, function in find_tables():
            module = import_module(name)
            if hasattr(module, function):
                patch.setattr(module, function, functools.cache(getattr(module, function)))
        yield


def open_model(model):
    source = model.SerializeToString() if hasattr(model, "graph") else str(model)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])


@pytest.fixture
def run():
    """Run a model of ONNX, or a file of one, on pixels: probabilities and labels."""
    opened = []

    def run(model, pixels):
        if not opened or opened[0] is not model:
            opened[:] = model, open_model(model)
        return opened[1].run(["probabilities", "labels"], {"pixels": pixels})

    return run


@pytest.fixture
def facts_of():
    """What a model tells of itself."""
    return lambda model: {entry.key: json.loads(entry.value) for entry in model.metadata_props}
