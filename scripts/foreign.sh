#!/bin/sh
# Let foreign clients hold conversations with the emulator: openai and pydantic-ai (Python), @azure/ai-voicelive (Node).
#
# Everything is installed into .venv-foreign, so that a foreign client's dependencies never meet those of `make test`.
# `make foreign` has put the package and the test tools there before. Arguments go to pytest.
set -eu

venv=.venv-foreign
python="$venv/bin/python"
here=$(dirname "$0")
suite="$here/../tests_foreign"

say() { printf '==> %s\n' "$*"; }

stop() {
    echo "Set-up stopped: $*" >&2
    exit 1
}

newer() { # is the stamp missing, or older than one of the files?
    stamp=$1
    shift
    [ -e "$stamp" ] || return 0
    for file in "$@"; do [ "$file" -nt "$stamp" ] && return 0; done
    return 1
}

clients="$venv/.ready-clients"
if newer "$clients" "$venv/.ready-test" "$suite/requirements.txt"; then
    say "Installing the Python clients"
    "$python" -m pip install --disable-pip-version-check --no-input --quiet --requirement "$suite/requirements.txt" ||
        stop "pip could not install the clients; its reason stands above"
    touch "$clients"
fi

node="$venv/node"
if ! command -v npm >/dev/null 2>&1 || ! node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)'; then
    stop "Node 20 or newer with npm is needed for @azure/ai-voicelive (https://nodejs.org)"
fi
if newer "$node/.ready" "$suite/package.json"; then
    say "Installing the Node client"
    mkdir -p "$node"
    cp "$suite/package.json" "$node/"
    npm install --prefix "$node" --no-audit --no-fund --loglevel error ||
        stop "npm could not install the client; its reason stands above"
    touch "$node/.ready"
fi

VOICELIVE_FOREIGN_NODE=$(cd "$node" && pwd) exec "$python" -X dev -m pytest "$suite" "$@"
