"""Export fitted estimators to other formats."""

from skimgcls.export._to_onnx import to_onnx

__all__ = ["to_onnx"]
