#!/bin/sh
# Creates an access key of the reader and hands it to the Worker. The secret goes from one command to the next,
# through no file, no argument and no state. READER names another user than the one that Terraform made.
set -eu
cd "$(dirname "$0")/.."

reader=${READER:-$(terraform -chdir=terraform output -raw reader_name)}
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
