#!/bin/sh
# Runs fuzz targets one after the other, and prints the coverage of each at the end: run.sh RUNS [TARGET]
#
# New inputs go to target/fuzz/found/. Inputs in corpus/ whose names are words were written by hand or
# failed once; fuzzing found the others.
set -eu
cd "$(dirname "$0")"
export CARGO_TARGET_DIR="$PWD/../target/fuzz"
found=$CARGO_TARGET_DIR/found
runs=$1
targets=${2:-$(ls fuzz_targets | sed 's/\.rs$//')}

# The length beyond which an input reaches nothing new, in bytes.
longest() {
    case $1 in
        answers | events | sweep) echo 1024 ;;
        formats | requests) echo 256 ;;
        *) echo 512 ;;
    esac
}

# The crate forbids unsafe code, which leaves a sanitizer nothing to find.
cargo +nightly fuzz build --sanitizer none ${2:-}
mkdir -p "$found"
: >"$found/summary"
failed=0
for target in $targets; do
    echo "== $target"
    mkdir -p "$found/$target"
    log=$found/$target.log
    cargo +nightly fuzz run --sanitizer none "$target" "$found/$target" "corpus/$target" -- \
        -runs="$runs" -dict="dictionaries/$target.dict" -max_len="$(longest "$target")" \
        -timeout=300 -rss_limit_mb=1024 -print_final_stats=1 >"$log" 2>&1 || { failed=1; tail -n 40 "$log"; }
    awk -v target="$target" '
        / cov: / { for (i = 1; i < NF; i++) if ($i == "cov:") edges = $(i + 1) }
        /stat::number_of_executed_units/ { executed = $2 }
        /stat::average_exec_per_sec/ { speed = $2 }
        END { printf "%-14s %12d executions %8d a second %6d edges\n", target, executed, speed, edges }
    ' "$log" | tee -a "$found/summary"
done
echo
cat "$found/summary"
exit $failed
