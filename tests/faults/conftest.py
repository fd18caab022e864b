"""Houses for the tests of faults; no process of theirs outlives its test."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.faults.processes import Build, House, build


@pytest.fixture
def house() -> Iterator[Build]:
    """Builds them."""
    with ExitStack() as ends:

        def built(*what: Any, **settings: Any) -> House:
            made = build(*what, **settings)
            ends.callback(made.close)
            return made

        yield built
