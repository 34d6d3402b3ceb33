#!/bin/sh
# Runs keys.sh for the reader that Terraform made: `create` unless told otherwise. READER names another user.
set -eu
cd "$(dirname "$0")/.."

# Without outputs Terraform prints a warning, and ends with 0: what is no user's name is not taken for one.
reader=${READER:-$(terraform -chdir=terraform output -no-color -raw reader_name)} || reader=
case $reader in
'' | *[!A-Za-z0-9_+=,.@-]*)
    workspace=$(terraform -chdir=terraform workspace show) || workspace=
    echo "No reader is known${workspace:+ in the Terraform workspace $workspace}. Select the workspace of the environment (terraform -chdir=terraform workspace select ENVIRONMENT), or apply there first, or name the IAM user: make secrets READER=NAME" >&2
    exit 1
    ;;
esac

# Beside wrangler.toml in a release, in release/ in a clone.
keys=keys.sh
[ -f "$keys" ] || keys=release/keys.sh
[ $# -gt 0 ] || set -- create
READER=$reader exec sh "$keys" "$@"
