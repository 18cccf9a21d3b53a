"""Export a torch module to ONNX without output."""

import contextlib
import io
import logging
import re
import warnings
from contextlib import contextmanager

import torch

# The first opset version whose Resize supports antialiasing.
_OPSET = 18
# Upper bound of the batch size and of the image sides. Without it torch 2.6 assumes that a
# dimension may be the largest integer, which it reserves.
_MOST = 2**31 - 1
# Terminal color codes.
_COLORS = re.compile(r"\x1b\[[0-9;]*m")


def export_graph(graph, dtype):
    """Return a Graph as an ONNX model from "pixels" to "probabilities" and "codes".

    Raises
    ------
    RuntimeError
        If torch cannot export the network. The message contains torch's reason.
    """
    height, width, channels = graph.image_shape
    shapes = {0: torch.export.Dim("n", max=_MOST)}
    if height is None:
        # The graph also works with a side of 1, but torch specializes shapes of 1.
        shapes |= {
            axis: torch.export.Dim(name, min=2, max=_MOST)
            for axis, name in ((1, "height"), (2, "width"))
        }
        height, width = 5, 7
    with quiet(), torch.device("cpu"):
        pixels = torch.zeros((2, height, width, channels), dtype=dtype)
        try:
            # Export the program first. torch.onnx.export alone may fall back to tracing, which
            # records one branch only.
            program = torch.export.export(graph, (pixels,), dynamic_shapes=(shapes,), strict=False)
            exported = torch.onnx.export(
                program,
                dynamo=True,
                input_names=["pixels"],
                output_names=["probabilities", "codes"],
                opset_version=_OPSET,
                verbose=False,
            )
        except Exception as error:
            raise RuntimeError(
                "torch cannot export the network as a graph. Its operations must not depend on the "
                f"pixels or on the number of images: {_reason_of(error)}"
            ) from error
        return exported.model_proto


@contextmanager
def quiet():
    """Suppress output, logging and warnings of other libraries."""
    disabled = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)


def _reason_of(error):
    """Return the first lines of the root cause of an error."""
    while error.__cause__ is not None:
        error = error.__cause__
    lines = _COLORS.sub("", str(error)).strip().splitlines()
    return " ".join([f"{type(error).__name__}:", *(line.strip() for line in lines[:3])])
