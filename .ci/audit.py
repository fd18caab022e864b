"""Known flaws of the locked dependencies, and an honest word when nobody could be asked: `make audit`.

pip-audit ends well when its advisory database knows none of the packages at all (a mirror without it answers "not found"
to everything), so what it answers is counted here. Exit codes: 0 none known, 1 flaws, 2 not (wholly) audited.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

SERVICES = ("pypi", "osv")  # the second is asked where the first cannot say anything
PATIENCE = "15"  # seconds for each question


def asked(lock: str, service: str) -> dict[str, Any] | None:
    """What pip-audit answers; None when it got no answer."""
    words = [
        "pip-audit",
        "--requirement",
        lock,
        "--require-hashes",
        "--disable-pip",
        "--vulnerability-service",
        service,
    ]
    words += ["--format", "json", "--progress-spinner", "off", "--timeout", PATIENCE]
    done = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603
    try:
        answer = json.loads(done.stdout)
    except json.JSONDecodeError:
        return None
    return answer if isinstance(answer, dict) else None


def verdict(answer: dict[str, Any] | None) -> tuple[int, list[str]]:
    """The exit code and what there is to say."""
    if answer is None:
        return 2, ["NOT AUDITED: the advisory database cannot be reached from here"]
    found = answer["dependencies"]
    skipped = [one["name"] for one in found if "skip_reason" in one]
    flaws = list(_flaws(found))
    if not found or len(skipped) == len(found):
        return 2, [f"NOT AUDITED: the advisory database knows none of the {len(found)} packages; a mirror without it?"]
    said = [f"{len(found) - len(skipped)} packages audited, {len(flaws)} known flaws", *flaws]
    if skipped:
        said.append(f"not audited: {', '.join(sorted(skipped))}")
    return (1 if flaws else 2 if skipped else 0), said


def _flaws(found: list[dict[str, Any]]) -> Iterator[str]:
    for one in found:
        for flaw in one.get("vulns", ()):
            mended = ", ".join(flaw.get("fix_versions") or ()) or "no version yet"
            yield f"  {one['name']} {one['version']}: {flaw['id']}, mended in {mended}"


def main(lock: str) -> int:
    """Ask one service, then the other."""
    code, said = 2, ["NOT AUDITED"]
    for service in SERVICES:
        code, said = verdict(asked(lock, service))
        if code != 2 or len(said) > 1:
            break
    sys.stdout.write("\n".join(said) + "\n")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
