"""A module of torch as a model of ONNX, quietly."""

import contextlib
import io
import logging
import re
import warnings
from contextlib import contextmanager

import torch

# Of the standard's operations: the first version whose Resize smooths what shrinks.
_OPSET = 18
# Images, and pixels of a side: without a bound torch 2.6 fears that they are as many as there are
# numbers, which it has another meaning for.
_MOST = 2**31 - 1
# What a terminal shows as colours.
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def export_graph(graph, dtype):
    """Return a Graph as a model of ONNX, "pixels" to "probabilities" and "codes".

    Raises
    ------
    RuntimeError
        If torch cannot write the net down, with torch's reason.
    """
    height, width, channels = graph.image_shape
    shapes = {0: torch.export.Dim("n", max=_MOST)}
    if height is None:
        # One pixel will do as well; torch takes it for a shape of its own.
        shapes |= {
            axis: torch.export.Dim(name, min=2, max=_MOST)
            for axis, name in ((1, "height"), (2, "width"))
        }
        height, width = 5, 7
    with quiet(), torch.device("cpu"):
        pixels = torch.zeros((2, height, width, channels), dtype=dtype)
        try:
            # Step by step: torch.onnx would otherwise try other ways, of which one follows what the
            # net does with an example and leaves out what it might have done with another.
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
                "torch cannot write the net down as a graph, in which what is computed may not "
                f"depend on the pixels, nor on how many images there are: {_reason_of(error)}"
            ) from error
        return exported.model_proto


@contextmanager
def quiet():
    """Keep what others write to the screen, log and warn of off it."""
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
    """Return the first lines of what went wrong first."""
    while error.__cause__ is not None:
        error = error.__cause__
    lines = _COLOURS.sub("", str(error)).strip().splitlines()
    return " ".join([f"{type(error).__name__}:", *(line.strip() for line in lines[:3])])
