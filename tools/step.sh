#!/bin/sh
# Step: runs a command of the set-up, and says which step it is, of how many, and how long it has taken so far.
#
#   sh tools/step.sh NAME WORDS COMMAND...
#
# The command's output goes to target/logs/NAME.log, and is shown if it fails. From the Makefile come STEPS, the number of
# all steps, and MAKE_ID, which is of this run of make: steps run side by side, and each takes the next number.
set -u

name=$1
words=$2
shift 2
logs=target/logs
log=$logs/$name.log
# Seconds between two lines of a step.
every=${STEP_EVERY:-20}

mkdir -p "$logs"
number=1
# Making a directory is atomic.
until mkdir "$logs/.${MAKE_ID:-$$}-$number" 2>/dev/null; do
    number=$((number + 1))
done
steps=${STEPS:-0}
[ "$steps" -ge "$number" ] || steps=$number
step="step $number of $steps: $words"

took() {
    seconds=$(($(date +%s) - started))
    if [ "$seconds" -lt 60 ]; then echo "$seconds s"; else echo "$((seconds / 60)) min $((seconds % 60)) s"; fi
}

started=$(date +%s)
# It exists while the command runs. A signal to the ticker alone could come before its shell is ready for it.
running=$log.running
: >"$running"
echo "$step"
"$@" >"$log" 2>&1 </dev/null &
command=$!
trap 'kill "$command" 2>/dev/null; rm -rf "$running" "$logs"/.*-[0-9]*; exit 130' INT TERM HUP
(
    # Ends with the step: it sleeps for a second at a time.
    next=$every
    while sleep 1 && [ -e "$running" ] && kill -0 "$$" 2>/dev/null; do
        [ "$(($(date +%s) - started))" -ge "$next" ] || continue
        echo "$step ($(took) so far)"
        next=$((next + every))
    done
) &
ticker=$!
wait "$command"
code=$?
rm -f "$running"
kill "$ticker" 2>/dev/null
if [ "$code" != 0 ]; then
    echo "$step failed after $(took). It said, in $log:" >&2
    cat "$log" >&2
    rm -rf "$logs"/.*-[0-9]*
    exit "$code"
fi
echo "$step: done in $(took)"
# The last step clears the numbers away.
[ "$number" != "$steps" ] || rm -rf "$logs"/.*-[0-9]*
