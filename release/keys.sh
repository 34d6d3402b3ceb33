#!/bin/sh
# Keys: gives the Worker an access key of its reader, and replaces that key by a new one.
#
#   sh keys.sh create        a new access key goes into the Worker's secrets
#   sh keys.sh rotate URL    the same; then the old key is deleted, once the Worker at URL reads AWS with the new one
#
# Run it where wrangler.toml is. READER names the IAM user, WAIT the seconds that the Worker has to become healthy, and
# LIST_TOKEN the token, if there is one. The secret goes from one command to the next, through no file and no argument.
# If a step fails, those before it are undone, the last first.
set -u

reader=${READER:-ecs-status-reader}
wait=${WAIT:-180}
# The functions that undo what was done so far, the last first.
undo=

say() { echo "$1" >&2; }

stop() {
    say "$1"
    exit 1
}

# Ends the script because of a failure, which the sentence tells.
fail() {
    trap '' INT TERM HUP
    say "$1"
    for step in $undo; do
        "$step" || stop "That could not be undone, and nothing else was. $(remedy "$step")"
    done
    stop "All is as it was before."
}

remedy() {
    case $1 in
    delete_new) echo "Delete the new key: aws iam delete-access-key --user-name $reader --access-key-id $new" ;;
    restore_worker) echo "The Worker may have the new key $new: run npx wrangler rollback $version, then delete it: aws iam delete-access-key --user-name $reader --access-key-id $new" ;;
    activate_old) echo "The old key $old may be inactive; the Worker has the new key $new, which is active." ;;
    esac
}

delete_new() {
    aws iam delete-access-key --user-name "$reader" --access-key-id "$new" &&
        say "The new access key $new of $reader is deleted again."
}

activate_old() {
    aws iam update-access-key --user-name "$reader" --access-key-id "$old" --status Active &&
        say "The old access key $old is active again."
}

# The version of the Worker that is deployed, if it is one.
deployed_version() {
    npx wrangler deployments status --json | node -e '
        const { versions } = JSON.parse(require("fs").readFileSync(0, "utf8"))
        if (versions.length !== 1) process.exit(1)
        console.log(versions[0].version_id)'
}

# A version holds its secrets. A put that failed may have been done all the same.
restore_worker() {
    now=$(deployed_version) || return 1
    [ "$now" != "$version" ] || return 0
    npx wrangler rollback "$version" --message "The access key was not rotated" --yes </dev/null >&2 &&
        say "The Worker has its old access key again."
}

# Creates a key, and puts it into the Worker. The arguments undo both.
put_new_key() {
    key=$(aws iam create-access-key --user-name "$reader" --output json \
        --query 'AccessKey.{AWS_ACCESS_KEY_ID: AccessKeyId, AWS_SECRET_ACCESS_KEY: SecretAccessKey}') ||
        fail "AWS created no access key of $reader."
    new=${key#*'"AWS_ACCESS_KEY_ID": "'}
    new=${new%%'"'*}
    undo=$*
    printf '%s' "$key" | npx wrangler secret bulk >&2 || fail "Wrangler did not take the secrets."
    key=
}

# Waits until /healthz says ok, by a check that is younger than the first response.
healthy() {
    LIST_TOKEN=${LIST_TOKEN:-} node -e '
        const [url, seconds] = process.argv.slice(1)
        const headers = process.env.LIST_TOKEN ? { authorization: "Bearer " + process.env.LIST_TOKEN } : {}
        const end = Date.now() + seconds * 1000
        let asked, last = "no response"
        const ask = async () => {
            try {
                const response = await fetch(url.replace(/\/*$/, "/healthz"), { headers, signal: AbortSignal.timeout(60000) })
                const body = await response.json()
                asked ??= Math.floor((Date.parse(response.headers.get("date")) || Date.now()) / 1000) * 1000
                if (body.status === "ok" && Date.parse(body.checkedAt) >= asked) return
                last = body.status === "ok" ? "no check since then" : response.status + " " + (body.detail ?? "")
            } catch (error) {
                last = String(error.cause?.code ?? error.message)
            }
            if (Date.now() > end) {
                console.error(url + " is not healthy after " + seconds + " s: " + last)
                process.exit(1)
            }
            setTimeout(ask, 2000)
        }
        ask()' "$1" "$wait"
}

create() {
    put_new_key delete_new
    echo "The Worker has the new access key $new of $reader. An older one can be deleted now: aws iam list-access-keys --user-name $reader"
}

rotate() {
    url=$1
    keys=$(aws iam list-access-keys --user-name "$reader" --output text --query 'AccessKeyMetadata[].AccessKeyId') ||
        stop "AWS did not list the access keys of $reader; READER names another user."
    # shellcheck disable=SC2086 # Ids are words.
    set -- $keys
    [ $# = 1 ] || stop "$reader has $# access keys, and has to have one: of two, delete the one that the Worker does not use; the first is created by: sh keys.sh create"
    old=$1
    version=$(deployed_version) ||
        stop "Wrangler did not tell the one version of the Worker that is deployed."
    echo "1 of 4: a second access key, into the Worker"
    put_new_key restore_worker delete_new
    echo "2 of 4: $url has to be healthy with it"
    healthy "$url" || fail "The Worker is not healthy with the new access key."
    echo "3 of 4: the old access key becomes inactive, and the Worker has to stay healthy"
    undo="activate_old $undo"
    aws iam update-access-key --user-name "$reader" --access-key-id "$old" --status Inactive ||
        fail "AWS did not deactivate the old access key."
    healthy "$url" || fail "The Worker is not healthy without the old access key."
    echo "4 of 4: the old access key is deleted"
    aws iam delete-access-key --user-name "$reader" --access-key-id "$old" ||
        fail "AWS did not delete the old access key."
    echo "The Worker has the access key $new of $reader, which is its only one."
}

trap 'fail "Interrupted."' INT TERM HUP
case "${1:-} $#" in
'create 1') create ;;
'rotate 2')
    case $2 in
    http://*|https://*) rotate "$2" ;;
    *) stop "\"$2\" is not the Worker's URL, such as https://ecs-status.example.workers.dev" ;;
    esac
    ;;
*) stop "Usage: sh keys.sh create | sh keys.sh rotate URL" ;;
esac
