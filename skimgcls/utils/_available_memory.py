"""Memory that is still available to this process."""

from collections.abc import Iterator
from pathlib import Path

_ROOT = Path("/")
# Names of the limit, the usage and the reclaimable part of it, in versions 2 and 1 of cgroups.
_V2 = ("memory.max", "memory.current", "inactive_file")
_V1 = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")


def available_memory() -> int:
    """Return the available memory in bytes, or 0 if it is unknown.

    On Linux it is what the kernel reports, and at most what the limits of a container leave. On
    other systems it is what psutil reports, a requirement there.
    """
    try:
        meminfo = _read_table(_ROOT / "proc/meminfo")
        found = meminfo["MemAvailable:"] * 1024
    except (OSError, KeyError, ValueError):
        try:
            import psutil  # type: ignore[import-untyped]
        except ImportError:
            return 0
        return int(psutil.virtual_memory().available)
    return max(0, min([found, *_left_by_limits()]))


def _left_by_limits() -> Iterator[int]:
    """Yield the bytes that each limit on this process leaves."""
    for folder, (limit, usage, reclaimable) in _limiting_folders():
        try:
            most = int((folder / limit).read_text())
            used = int((folder / usage).read_text())
            cached = _read_table(folder / "memory.stat").get(reclaimable, 0)
        except (OSError, ValueError):
            # Without a limit, the file is missing or says "max".
            continue
        yield most - used + cached


def _limiting_folders() -> Iterator[tuple[Path, tuple[str, str, str]]]:
    """Yield the folders of the cgroups of this process and of their parents."""
    try:
        lines = (_ROOT / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    mount = _ROOT / "sys/fs/cgroup"
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            base, names = mount, _V2
        elif "memory" in controllers.split(","):
            base, names = mount / "memory", _V1
        else:
            continue
        folder = base / path.strip("/")
        # In a container, the path may be that of the host and not exist.
        yield from (
            (each, names) for each in (folder, *folder.parents) if base in (each, *each.parents)
        )


def _read_table(path: Path) -> dict[str, int]:
    """Return the numbers of a file of lines ``name number``."""
    rows = (line.split() for line in path.read_text().splitlines())
    return {row[0]: int(row[1]) for row in rows if len(row) > 1 and row[1].isdigit()}
