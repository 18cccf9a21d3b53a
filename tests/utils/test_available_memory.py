"""Memory that is still available to this process."""

import sys

import pytest

from skimgcls.utils import _available_memory
from skimgcls.utils._available_memory import available_memory

MIB = 2**20


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A file system in which the kernel reports 100 MiB."""
    monkeypatch.setattr(_available_memory, "_ROOT", tmp_path)
    write(tmp_path / "proc/meminfo", "MemTotal: 204800 kB\nMemAvailable: 102400 kB\nHugePages: 0")
    return tmp_path


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(str(text))


def test_without_limits_it_is_what_the_kernel_reports(root):
    assert available_memory() == 100 * MIB
    write(root / "proc/self/cgroup", "0::/")
    write(root / "sys/fs/cgroup/memory.max", "max")
    assert available_memory() == 100 * MIB


@pytest.mark.parametrize("folder", ["", "mine", "mine/inner"])
def test_a_limit_of_the_group_or_of_a_parent_leaves_less(folder, root):
    write(root / "proc/self/cgroup", "0::/mine/inner")
    group = root / "sys/fs/cgroup" / folder
    write(group / "memory.max", 50 * MIB)
    write(group / "memory.current", 30 * MIB)
    write(group / "memory.stat", f"anon 1\ninactive_file {10 * MIB}")
    assert available_memory() == 30 * MIB


def test_the_first_version_of_groups(root):
    write(root / "proc/self/cgroup", "9:cpu:/\n4:memory:/job\n")
    group = root / "sys/fs/cgroup/memory/job"
    write(group / "memory.limit_in_bytes", 50 * MIB)
    write(group / "memory.usage_in_bytes", 60 * MIB)
    write(group / "memory.stat", "total_inactive_file 0")
    assert available_memory() == 0


def test_the_path_of_a_host_is_not_needed(root):
    write(root / "proc/self/cgroup", "0::/of/the/host")
    write(root / "sys/fs/cgroup/memory.max", 50 * MIB)
    write(root / "sys/fs/cgroup/memory.current", 20 * MIB)
    write(root / "sys/fs/cgroup/memory.stat", "")
    assert available_memory() == 30 * MIB


def test_elsewhere_psutil_is_asked_if_there_is_one(root, monkeypatch):
    (root / "proc/meminfo").unlink()
    monkeypatch.setitem(sys.modules, "psutil", None)
    assert available_memory() == 0
    fake = type(sys)("psutil")
    fake.virtual_memory = lambda: type("Report", (), {"available": 7 * MIB})
    monkeypatch.setitem(sys.modules, "psutil", fake)
    assert available_memory() == 7 * MIB


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads files of Linux")
def test_this_machine_has_some():
    assert available_memory() > 0
