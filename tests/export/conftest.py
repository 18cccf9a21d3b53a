"""Fixtures for the tests of exported models."""

import functools
import json
import pkgutil
from importlib import import_module

import onnxruntime
import pytest


def find_tables():
    """Yield modules and their functions that build tables for each export.

    The tables list the operations and their ONNX equivalents, and are the same each time. For a
    small network, building them takes two thirds of an export.
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
    """Build these tables for the first export, and cache them for the others.

    A version of torch without such a function is not changed.
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
    """Run an ONNX model or file on pixels; return probabilities and labels."""
    opened = []

    def run(model, pixels):
        if not opened or opened[0] is not model:
            opened[:] = model, open_model(model)
        return opened[1].run(["probabilities", "labels"], {"pixels": pixels})

    return run


@pytest.fixture
def facts_of():
    """Read the metadata of a model."""
    return lambda model: {entry.key: json.loads(entry.value) for entry in model.metadata_props}
