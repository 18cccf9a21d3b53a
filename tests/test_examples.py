"""The quickstart does what it promises: it runs clean, leaves pictures, and tells digits apart."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

QUICKSTART = Path(__file__).resolve().parents[1] / "examples" / "plot_quickstart.py"


@pytest.mark.slow
def test_quickstart(tmp_path):
    # No display, no choice of a backend, and warnings are errors in worker processes too.
    unwanted = {"DISPLAY", "WAYLAND_DISPLAY", "MPLBACKEND", "PYTHONWARNINGS"}
    env = {name: value for name, value in os.environ.items() if name not in unwanted}
    run = subprocess.run(
        [sys.executable, "-W", "error", QUICKSTART],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert run.stderr == ""
    assert run.returncode == 0

    last = run.stdout.splitlines()[-1]
    accuracy = re.fullmatch(r"accuracy on the images held out: (\d\.\d+)", last)
    assert accuracy, f"The last line is {last!r}."
    assert float(accuracy[1]) >= 0.98

    pictures = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*"))
    assert pictures == [
        "quickstart_pictures/confusion_matrix.png",
        "quickstart_pictures/predictions.png",
        "quickstart_pictures/training_curves.png",
    ]
    for name in pictures:
        assert name in run.stdout.splitlines()
        with Image.open(tmp_path / name) as picture:
            assert picture.format == "PNG"
            assert min(picture.size) >= 400
            assert max(picture.size) <= 2000
            # Decoding the whole of it finds what is cut off; a blank page has one color.
            assert len(picture.convert("RGB").getcolors(maxcolors=2**24)) > 100
