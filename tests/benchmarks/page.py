"""docs/benchmarks.md as its parts: what stands before the first section, and the sections by their headings."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"


def sections(page: str) -> dict[str, str]:
    """Heading -> its section, heading included, in the order of the page; "" is what stands before the first one."""
    head, *rest = re.split(r"(?m)^(?=## )", page)
    return {"": head} | {part.partition("\n")[0]: part for part in rest}


def joined(parts: dict[str, str]) -> str:
    """The page of these parts, an empty line between them."""
    return "\n\n".join(part.strip("\n") for part in parts.values()) + "\n"
