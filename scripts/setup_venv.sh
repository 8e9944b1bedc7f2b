#!/bin/sh
# Make or complete a virtual environment.
#
#   setup_venv.sh DIRECTORY runtime   the package, editable, and what it needs to run against the emulator
#   setup_venv.sh DIRECTORY test      + what the test suite needs
#   setup_venv.sh DIRECTORY dev       + the tools of `make check` (test included)
#   setup_venv.sh DIRECTORY figures   + what draws the figures of docs/audio.md
#   setup_venv.sh DIRECTORY release   + the tools of `make build` and `make audit`
#   setup_venv.sh DIRECTORY lowest    package and test suite, with the oldest dependencies that pyproject.toml allows
#
# PYTHON in the environment names the interpreter to prefer for a new one.
set -eu

venv=$1
kind=$2
here=$(dirname "$0")
python="$venv/bin/python"

say() { printf '==> %s\n' "$*"; }

install() {
    "$python" -m pip install --disable-pip-version-check --no-input "$@" && return 0
    cat >&2 <<MESSAGE

Set-up stopped: pip could not install everything (its reason stands above).
  No network, or a proxy?   set HTTPS_PROXY, or PIP_INDEX_URL to a mirror of PyPI, and run make again
  Anything else?            run 'make clean' and try again
MESSAGE
    exit 1
}

modern_pip() { # dependency groups came with pip 25.1
    say "Updating pip in $venv"
    install --quiet --upgrade 'pip>=25.1'
}

# A directory is not enough: its interpreter may be gone, or it came along when the checkout was copied or moved
# and still points to the old place.
checkout=$(pwd -P)
if ! "$python" -c 'import pip' >/dev/null 2>&1 || [ "$(cat "$venv/.checkout" 2>/dev/null)" != "$checkout" ]; then
    base=$(sh "$here/find_python.sh" any "${PYTHON:-}")
    say "Creating $venv with $base ($("$base" --version))"
    if ! "$base" -m venv --clear "$venv"; then
        echo "Set-up stopped: $base could not create $venv; name another one with 'make PYTHON=/path/to/python3'" >&2
        exit 1
    fi
    echo '*' >"$venv/.gitignore"
    echo "$checkout" >"$venv/.checkout"
fi

case $kind in
runtime)
    say "Installing voicelive and its dependencies"
    install --editable '.[testing]'
    ;;
test | dev | figures | release)
    modern_pip
    say "Installing the $kind tools"
    install --editable '.[audio,avatar,files,vad]' --group "$kind"
    ;;
lowest)
    modern_pip
    say "Installing the oldest allowed dependencies"
    "$python" "$here/lowest_versions.py" pyproject.toml >"$venv/lowest.txt"
    install --constraint "$venv/lowest.txt" --editable '.[testing,audio,avatar,files,vad]' --group test
    ;;
*)
    echo "setup_venv.sh: unknown kind '$kind'; it is runtime, test, dev, figures, release or lowest" >&2
    exit 2
    ;;
esac

touch "$venv/.ready-$kind"
