# What .ci/run and .ci/nightly share: sourced by them, in the root of a checkout.
# shellcheck shell=bash

work=$(mktemp -d)
declare -A beside=()
stop() {
    for name in "${!beside[@]}"; do step "$name, not waited for"; cat "$work/$name.log"; done
    for process in "${beside[@]}"; do kill -- "-$process" 2> /dev/null || true; done
    wait 2> /dev/null || true
    setsid rm -rf "$work" > /dev/null 2>&1 & # minutes on some disks, which nobody need wait for
}
trap stop EXIT
export OMP_NUM_THREADS=1 PYTHONUNBUFFERED=1
unset PYTHONDONTWRITEBYTECODE # hundreds of processes would compile the same files

# A stretch of log that can be found by its name.
step() { printf '\n== %s (%s s)\n' "$1" "$SECONDS"; }

# Start a function beside what follows: one that waits, or that keeps one core busy.
start() {
    set -m # a group of its own, which can be stopped as a whole
    ("$1"; echo "Done at $SECONDS s.") > "$work/$1.log" 2>&1 &
    beside[$1]=$!
    set +m
}

# Wait for a function that was started, show its log, and fail if it failed.
finish() {
    local status=0
    wait "${beside[$1]}" || status=$?
    unset "beside[$1]"
    step "$2"
    cat "$work/$1.log"
    return "$status"
}

# Everything that can be installed beside the suite.
EXTRAS="test,parallel,search,tensorboard,wandb,cluster,oracles"

# Installs Debian packages, where that can be done.
debian() {
    local as_root=()
    [ "$(id -u)" = 0 ] || as_root=(sudo -n)
    "${as_root[@]}" apt-get update -qq && "${as_root[@]}" apt-get install -qq --no-install-recommends "$@"
}

# Chromium for the browser tests and Slurm for the tests on loopback, which are skipped elsewhere.
packages() {
    if ! { command -v chromium && command -v chromedriver; } > /dev/null; then
        debian chromium chromium-driver || echo "no chromium"
    fi
    if ! PATH="$PATH:/usr/sbin" command -v slurmctld > /dev/null; then
        debian slurm-wlm munge || echo "no slurm"
    fi
}

# Puts the newest Hydra before the installed one for what follows in the same shell.
newest_hydra() {
    pip install --quiet --target "$work/hydra-1.4" "hydra-core>=1.4.0rc1,<1.5"
    export PYTHONPATH="$work/hydra-1.4"
    python -c 'import hydra; assert hydra.__version__.startswith("1.4."), hydra.__version__'
}
