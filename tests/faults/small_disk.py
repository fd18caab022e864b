"""A disk of a few megabytes that can be filled to the last page and emptied again."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

PAGE = 4096


@dataclass
class SmallDisk:
    """The folder on it, and what takes its room away."""

    folder: Path

    @property
    def ballast(self) -> Path:
        """The file that fills it."""
        return self.folder / "ballast"

    def fill(self, *, leave: int = 0) -> None:
        """Take all room but so many bytes."""
        with self.ballast.open("ab", buffering=0) as file:
            while (free := self.free()) > leave:
                try:
                    file.write(b"x" * min(free - leave, 256 * 1024))
                except OSError:  # a page of the file system's own
                    break

    def free(self) -> int:
        """Bytes."""
        found = os.statvfs(self.folder)
        return found.f_bavail * found.f_frsize

    def empty(self) -> None:
        """Make room."""
        self.ballast.unlink(missing_ok=True)


@contextmanager
def small_disk(folder: Path, megabytes: int = 24) -> Iterator[SmallDisk]:
    """A tmpfs mounted there, unmounted at the end; the test is skipped where nobody may mount."""
    folder.mkdir()
    size = f"size={megabytes}m,mode=0700"
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", size, "ponte-test", folder], capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"NOT TESTED: a full disk. Mounting a tmpfs needs root: {done.stderr.decode().strip()}")
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)
