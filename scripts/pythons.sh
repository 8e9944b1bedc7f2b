#!/bin/sh
# Run the tests on every supported Python of this machine, each in an environment of its own (.venv-3.12 and so on).
# A version that is not installed is named and passed over; with fewer than two there is nothing to compare, which
# is a failure. MAKE names the make to call.
set -eu

here=$(dirname "$0")
tested=""
failed=""
absent=""

for version in 3.11 3.12 3.13 3.14; do
    if ! python=$(sh "$here/find_python.sh" "$version"); then
        absent="$absent $version"
        continue
    fi
    printf '\n==> Python %s (%s)\n' "$version" "$python"
    "${MAKE:-make}" --no-print-directory ".venv-$version/.ready-test" PYTHON="$python"
    tested="$tested $version"
    ".venv-$version/bin/python" -m pytest || failed="$failed $version"
done

printf '\nTested on:%s\n' "${tested:- none}"
[ -z "$absent" ] || printf 'Not installed, so not tested:%s\n' "$absent"
if [ -n "$failed" ]; then
    printf 'FAILED on:%s\n' "$failed" >&2
    exit 1
fi
if [ "$(echo "$tested" | wc -w)" -lt 2 ]; then
    echo "Fewer than two versions were found; install another one, for example with 'pyenv install 3.13'" >&2
    exit 1
fi
