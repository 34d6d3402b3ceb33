#!/bin/sh
# Runs fuzz targets one after the other and tells at the end how far each came: run.sh RUNS [TARGET]
#
# New inputs go to target/fuzz/found/. In corpus/, those with a name of words were written by hand or
# failed once; the others were found.
set -eu
cd "$(dirname "$0")"
export CARGO_TARGET_DIR="$PWD/../target/fuzz"
found=$CARGO_TARGET_DIR/found
runs=$1
targets=${2:-$(ls fuzz_targets | sed 's/\.rs$//')}

# The longest input that tells something new, in bytes.
longest() {
    case $1 in
        answers | sweep) echo 1024 ;;
        formats | requests) echo 256 ;;
        *) echo 512 ;;
    esac
}

# The crate forbids unsafe code, so that no sanitizer has anything to find.
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
