"""What a bug report needs is printed."""

import platform
import subprocess
import sys

import numpy as np
import torch

import skimgcls


def test_show_versions_prints_versions_and_hardware(capsys):
    skimgcls.show_versions()
    lines = dict(line.strip().split(": ", 1) for line in capsys.readouterr().out.splitlines())
    assert lines["python"].startswith(platform.python_version())
    assert lines["numpy"] == np.__version__
    assert lines["torch"] == torch.__version__.split("+")[0] or lines["torch"] == torch.__version__
    assert int(lines["torch threads"]) == torch.get_num_threads()
    assert "GPUs" in lines


def test_a_missing_package_is_listed_as_not_installed(monkeypatch, capsys):
    monkeypatch.setattr("skimgcls.utils._show_versions._PACKAGES", ("a-package-nobody-has",))
    skimgcls.show_versions()
    assert "a-package-nobody-has: not installed" in capsys.readouterr().out


def test_access_without_a_call_does_not_import_torch():
    code = "import sys, skimgcls; skimgcls.show_versions; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]
