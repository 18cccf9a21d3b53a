"""Optional dependencies are imported lazily."""

import subprocess
import sys


def test_importing_the_package_imports_no_extra():
    """Nor torchvision: only its networks need it, and its import takes seconds."""
    code = """
import sys
import skimgcls
from skimgcls.inspection import ClassDistributionDisplay, audit_images

skimgcls.export.to_onnx
skimgcls.PretrainedImageClassifier, skimgcls.load
extras = {"captum", "imagehash", "matplotlib", "onnx", "onnxruntime", "onnxscript", "streamlit"}
sys.stdout.write(str((extras | {"timm", "torchvision"}) & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()"
