#!/bin/sh
# Print the path of a Python that this project can use; say what to install where there is none.
#
#   find_python.sh any [PREFERRED]   3.11 or newer: PREFERRED, then python3, then versioned names, then pyenv's
#   find_python.sh 3.12              exactly that version; exit status 1 and silence where there is none
#
# "Can use" means that it runs (a pyenv shim may not) and is able to make a virtual environment
# (Debian and Ubuntu ship that ability as a package of its own).
set -eu

wanted=$1
preferred=${2:-}
PROBE='
import sys
wanted, version = sys.argv[1], "%d.%d" % sys.version_info[:2]
if wanted != version and (wanted != "any" or sys.version_info < (3, 11)):
    print("it is Python %s" % version)
    sys.exit(1)
try:
    import ensurepip, ssl, venv
except ImportError as missing:
    print("it lacks a part of the standard library: %s" % missing)
    sys.exit(1)
print(sys.executable)
'

usable() { # prints the interpreter's path, or why it is of no use
    command -v "$1" >/dev/null 2>&1 || { echo "it is not there" && return 1; }
    said=$("$1" -c "$PROBE" "$wanted" 2>/dev/null) && echo "$said" && return 0
    echo "${said:-it does not run}"
    return 1
}

versioned() { # every interpreter that pyenv keeps, whether or not it is active
    for directory in "${PYENV_ROOT:-$HOME/.pyenv}"/versions/*/bin; do
        [ -x "$directory/$1" ] && echo "$directory/$1"
    done
    return 0
}

if [ "$wanted" != any ]; then
    for candidate in "python$wanted" python3 $(versioned "python$wanted"); do
        if found=$(usable "$candidate"); then echo "$found" && exit 0; fi
    done
    exit 1
fi

if [ -n "$preferred" ]; then
    if found=$(usable "$preferred"); then echo "$found" && exit 0; fi
    echo "PYTHON=$preferred cannot be used ($found); looking for another one" >&2
fi

refused=""
for candidate in python3 python3.13 python3.12 python3.11 python3.14 $(versioned python3.13) $(versioned python3.12) \
    $(versioned python3.11); do
    if found=$(usable "$candidate"); then echo "$found" && exit 0; fi
    [ "$found" = "it is not there" ] || refused="$refused
  $candidate: $found"
done

cat >&2 <<MESSAGE
No usable Python was found. Python 3.11 or newer is needed, with its venv module.${refused:+
Looked at:$refused}
Install one, then run make again:
  Debian, Ubuntu   sudo apt install python3 python3-venv
  Fedora           sudo dnf install python3
  macOS            brew install python
  elsewhere        https://www.python.org/downloads/
Or name one that is installed: make PYTHON=/path/to/python3
MESSAGE
exit 1
