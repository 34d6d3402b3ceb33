"""IAM for ECS calls: moto checks keys and signatures, this module decides on actions and resources.

moto evaluates every ECS action against the resource `*`, takes an `Allow` whose condition is not met
for a `Deny`, and trusts the payload hash that the client signed. Here a policy's statements are matched
with the ARNs that the call is about, as in the Service Authorization Reference for Amazon ECS.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import Any

import flask
from botocore.awsrequest import AWSRequest
from moto.iam.access_control import IAMPolicy, IAMRequest, IAMRequestBase

Statement = dict[str, Any]


@dataclass(frozen=True)
class Resource:
    """A resource of a call: its ARN (or `*`) and its condition keys."""

    arn: str
    context: dict[str, str] = field(default_factory=dict)


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def like(pattern: str, value: str, flags: int = 0) -> bool:
    """IAM's wildcards: `*` is any text, `?` any character, nothing else is special."""
    regex = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(regex, value, flags | re.DOTALL) is not None


# Each: does the request's value match one of the policy's? "Not" variants are derived.
MATCHERS = {
    "StringEquals": lambda wanted, value: wanted == value,
    "StringEqualsIgnoreCase": lambda wanted, value: wanted.lower() == value.lower(),
    "StringLike": like,
    "ArnEquals": like,
    "ArnLike": like,
}


def condition_holds(operator: str, key: str, wanted: Any, context: dict[str, str]) -> bool:
    """One line of a `Condition` block. An operator that is not known here is an error, not a guess."""
    name = operator.removesuffix("IfExists")
    positive = name.replace("NotEquals", "Equals").replace("NotLike", "Like")
    if positive not in MATCHERS:
        raise NotImplementedError(f"the emulator does not know the IAM condition operator {operator}")
    values = {k.lower(): v for k, v in context.items()}
    if key.lower() not in values:
        return name != operator or name != positive
    matched = any(MATCHERS[positive](each, values[key.lower()]) for each in as_list(wanted))
    return matched if name == positive else not matched


def concerns(statement: Statement, action: str, resource: Resource) -> bool:
    """Whether a statement applies to this action on this resource under these conditions."""
    if "NotAction" in statement:
        acts = not any(like(each, action, re.IGNORECASE) for each in as_list(statement["NotAction"]))
    else:
        acts = any(like(each, action, re.IGNORECASE) for each in as_list(statement["Action"]))
    if not acts:
        return False
    if "NotResource" in statement:
        covers = not any(like(each, resource.arn) for each in as_list(statement["NotResource"]))
    else:
        covers = any(like(each, resource.arn) for each in as_list(statement.get("Resource", [])))
    return covers and all(
        condition_holds(operator, key, wanted, resource.context)
        for operator, block in statement.get("Condition", {}).items()
        for key, wanted in block.items()
    )


def permits(policies: list[dict[str, Any]], action: str, resource: Resource) -> bool:
    """Whether the policies allow the action: an explicit deny wins, then an allow; otherwise it is denied."""
    effects = {
        statement["Effect"]
        for policy in policies
        for statement in as_list(policy["Statement"])
        if concerns(statement, action, resource)
    }
    return "Allow" in effects and "Deny" not in effects


def signed_request(self: IAMRequestBase) -> AWSRequest:
    """The request that the client signed: its raw path, its query and its body. Of these moto leaves out the query,
    decodes the path, and takes the headers for a body that is empty; a GET of Lambda or API Gateway is all three."""
    signed = self._get_string_between("SignedHeaders=", ",", self._headers["Authorization"]).split(";")
    headers = self._create_headers_for_aws_request(signed, self._headers)
    environ = flask.request.environ
    request = AWSRequest(self._method, environ["RAW_URI"], headers, environ["wsgi.input"].getvalue())
    request.context["timestamp"] = headers["X-Amz-Date"]
    return request


class EcsIamRequest(IAMRequest):
    """moto's check of one ECS call, with the real payload hash and the real resources."""

    def check_signature(self) -> None:
        claimed = self._headers.get("X-Amz-Content-Sha256")
        if claimed is not None and claimed != hashlib.sha256(self._body or b"").hexdigest():
            self._raise_signature_does_not_match()
        super().check_signature()

    def check_action_permitted(self, resource: Any) -> None:
        """`resource` is a list of `Resource`: all must be permitted, as in ECS's batch calls."""
        policies = [IAMPolicy(policy)._policy_json for policy in self._access_key.collect_policies()]
        if not all(permits(policies, self._action, each) for each in resource):
            self._raise_access_denied()


def validate(policy: dict[str, Any]) -> str:
    """The policy as JSON, after a dry run that finds condition operators the emulator does not know."""
    for statement in as_list(policy["Statement"]):
        for operator, block in statement.get("Condition", {}).items():
            for key, wanted in block.items():
                condition_holds(operator, key, wanted, {})
    return json.dumps(policy)
