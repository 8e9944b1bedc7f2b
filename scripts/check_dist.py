"""Check what ``make build`` made: one wheel and one sdist, holding all of the package and none of the rest.

The source tree is the oracle: every file under src/voicelive, data files and ``py.typed`` included, must be in both.
"""

import sys
import tarfile
import zipfile
from pathlib import Path, PurePosixPath


def packaged_files(source: Path) -> set[str]:
    """Return what an installed package must hold, as paths relative to ``source``."""
    return {
        path.relative_to(source).as_posix()
        for path in source.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def problems(wheel: set[str], sdist: set[str], wanted: set[str]) -> list[str]:
    """Return one line for each fault; ``sdist`` names are relative to its top directory."""
    found = [f"the wheel lacks {name}" for name in sorted(wanted - wheel)]
    found += [f"the sdist lacks src/{name}" for name in sorted(wanted) if f"src/{name}" not in sdist]
    found += [f"the sdist lacks {name}" for name in ("LICENSE", "README.md", "pyproject.toml") if name not in sdist]
    if "voicelive/py.typed" not in wanted:
        found.append("src/voicelive/py.typed is missing: type checkers would ignore the package")
    if not any(name.startswith("voicelive/testing/") and not name.endswith(".py") for name in wheel):
        found.append("the wheel has no data files under voicelive/testing: the emulator would have nothing to say")
    strangers = sorted({PurePosixPath(name).parts[0] for name in wheel if not name.startswith("voicelive")})
    return found + [f"the wheel installs {name!r}, which is not ours to install" for name in strangers]


def main(root: Path) -> int:
    wheels, sdists = sorted((root / "dist").glob("*.whl")), sorted((root / "dist").glob("*.tar.gz"))
    if len(wheels) != 1 or len(sdists) != 1:
        print(
            f"dist/ holds {len(wheels)} wheels and {len(sdists)} sdists instead of one each; delete it and build again"
        )
        return 1
    with zipfile.ZipFile(wheels[0]) as wheel, tarfile.open(sdists[0]) as sdist:
        wheel_names = set(wheel.namelist())
        sdist_names = {str(PurePosixPath(*PurePosixPath(name).parts[1:])) for name in sdist.getnames()}
    found = problems(wheel_names, sdist_names, packaged_files(root / "src"))
    for problem in found:
        print(problem)
    for archive in (*wheels, *sdists):
        print(f"{archive.relative_to(root)}: {archive.stat().st_size / 1024:.0f} KiB")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(Path.cwd()))
