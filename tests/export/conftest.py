"""What the tests of exported models share."""

import json

import onnxruntime
import pytest


@pytest.fixture
def run():
    """Run a model of ONNX, or a file of one, on pixels: probabilities and labels."""

    def run(model, pixels):
        source = model.SerializeToString() if hasattr(model, "graph") else str(model)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
        return session.run(["probabilities", "labels"], {"pixels": pixels})

    return run


@pytest.fixture
def facts_of():
    """What a model tells of itself."""
    return lambda model: {entry.key: json.loads(entry.value) for entry in model.metadata_props}
