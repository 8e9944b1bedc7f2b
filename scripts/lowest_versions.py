"""Print the oldest version of each dependency that pyproject.toml allows, as constraints for pip.

Reads ``project.dependencies`` and all extras. Every entry must state its lower bound as ``name>=version``:
a dependency without one promises to work with versions that nobody has tried.
"""

import re
import sys
import tomllib
from itertools import chain
from pathlib import Path

_LOWER_BOUND = re.compile(r"(?P<name>[A-Za-z0-9._-]+)(?:\[[^]]*\])?\s*>=\s*(?P<version>[0-9][0-9A-Za-z.]*)")


def lowest_versions(pyproject: str) -> list[str]:
    """Return lines ``name==version``; raises ``ValueError`` naming a dependency without a lower bound."""
    project = tomllib.loads(pyproject)["project"]
    extras: dict[str, list[str]] = project["optional-dependencies"]
    lines: list[str] = []
    for requirement in dict.fromkeys([*project["dependencies"], *chain.from_iterable(extras.values())]):
        bound = _LOWER_BOUND.match(requirement)
        if bound is None:
            raise ValueError(f"{requirement!r} in pyproject.toml has no lower bound; write it as 'name>=version'")
        lines.append(f"{bound['name']}=={bound['version']}")
    return lines


if __name__ == "__main__":
    try:
        print("\n".join(lowest_versions(Path(sys.argv[1]).read_text(encoding="utf-8"))))
    except ValueError as problem:
        sys.exit(str(problem))
