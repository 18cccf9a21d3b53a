"""The fuzzers of saved files and image files find nothing for a minute each."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from fuzzers import TARGETS

SECONDS = 60


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="needs Linux")
@pytest.mark.parametrize("target", TARGETS)
def test_no_input_breaks_a_limit(target, tmp_path):
    seed = int.from_bytes(os.urandom(4), "big")
    command = [sys.executable, str(Path(__file__).with_name("fuzzers.py")), target]
    done = subprocess.run(
        [*command, str(SECONDS), str(seed)],
        capture_output=True,
        text=True,
        timeout=4 * SECONDS,
        env=os.environ | {"SKIMGCLS_FUZZ": str(tmp_path)},
        check=False,
    )
    assert done.returncode == 0, f"seed {seed}: {done.stderr[-2_000:]}"
    counts = json.loads(done.stdout)
    assert counts["inputs"] > 200
    assert 0 < counts["refused"] < counts["inputs"]
