#!/bin/sh
# Creates an access key of the reader and hands it to the Worker. The secret goes from one command to the next,
# through no file, no argument and no state. READER names another user than the one that Terraform made.
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

key=$(aws iam create-access-key --user-name "$reader" --output json \
    --query 'AccessKey.{AWS_ACCESS_KEY_ID: AccessKeyId, AWS_SECRET_ACCESS_KEY: SecretAccessKey}')

if printf '%s' "$key" | npx wrangler secret bulk; then
    echo "The Worker has a new access key of $reader. An older one of it can be deleted now: aws iam list-access-keys --user-name $reader"
else
    id=$(printf '%s' "$key" | sed -n 's/.*"AWS_ACCESS_KEY_ID": "\([A-Z0-9]*\)".*/\1/p')
    aws iam delete-access-key --user-name "$reader" --access-key-id "$id"
    echo "Wrangler did not take the secrets, so the new access key of $reader is deleted again." >&2
    exit 1
fi
