//! Targets: the one region of `AWS_REGION`, or the list in `TARGETS`, which may be split over
//! `TARGETS_1`, `TARGETS_2` and so on, since platforms limit the size of a variable.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;

use super::endpoints::{DUAL_STACK, ECS, Endpoints, PLACE, Service};
use super::pasted;
use super::reader::VariableReader;
use crate::aws::arn;
use crate::aws::endpoint::{Endpoint, InvalidEndpoint};
use crate::aws::region::{is_region, suggestion};

/// The name of the target of `AWS_REGION`.
const DEFAULT: &str = "default";

const REGION: &str = "an AWS region such as ap-southeast-2";
const LIST: &str = "a JSON array of objects with name, region and, for another account, roleArn and \
                    externalId";
const NO_VARIANT: &str = "false, since a region of the targets has no such endpoint";

/// The longest name of a target, in characters.
const MAX_NAME: usize = 64;

/// The number of targets: a request asks for each, and the free plan of Cloudflare allows 50
/// subrequests.
const MAX_TARGETS: usize = 45;

/// A region of an account, as it is configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetConfig {
    /// The name in the report, unique among the targets.
    pub name: String,
    /// The AWS region, such as `ap-southeast-2`.
    pub region: String,
    /// The endpoint of ECS.
    pub ecs_endpoint: Endpoint,
    /// The role to assume, where the account is another one.
    pub role: Option<Role>,
}

/// A role that the configured access key may assume.
#[derive(Clone, PartialEq, Eq)]
pub struct Role {
    /// The ARN of the role.
    pub arn: String,
    /// The value that the role's trust policy demands by the condition `sts:ExternalId`.
    pub external_id: Option<String>,
    /// The endpoint of STS.
    pub sts_endpoint: Endpoint,
}

impl fmt::Debug for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Role([withheld])")
    }
}

/// A target as it stands in `TARGETS`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Item {
    name: String,
    region: String,
    role_arn: Option<String>,
    external_id: Option<String>,
}

/// The item of `AWS_REGION`.
fn default_item(region: String) -> Item {
    Item {
        name: DEFAULT.to_owned(),
        region,
        role_arn: None,
        external_id: None,
    }
}

/// A list of targets, and the variable that it comes from.
struct List {
    variable: String,
    json: String,
}

/// Parses the targets. Errors are added to `variables`.
pub(super) fn read(variables: &mut VariableReader<'_>) -> Vec<TargetConfig> {
    let endpoints = Endpoints::read(variables);
    let mut targets = match lists(variables) {
        Some(lists) => from_lists(variables, lists, &endpoints),
        None => from_region(variables, &endpoints),
    };
    if endpoints.names_ecs() {
        settle_regions(variables, &mut targets);
    }
    targets
}

/// The one target of `AWS_REGION`.
fn from_region(variables: &mut VariableReader<'_>, endpoints: &Endpoints) -> Vec<TargetConfig> {
    let Some(text) = variables.get("AWS_REGION") else {
        variables.error("AWS_REGION", REGION, true);
        return Vec::new();
    };
    let target = match region(text) {
        Ok(region) => target(default_item(region), endpoints),
        Err(expected) => {
            variables.error("AWS_REGION", expected, false);
            return Vec::new();
        }
    };
    // Nothing else of the item can be wrong.
    target.map_or_else(
        |_| {
            variables.error(DUAL_STACK, NO_VARIANT, false);
            Vec::new()
        },
        |target| vec![target],
    )
}

/// Names the region of each of `targets` after the endpoint, where that is AWS's in one region. Such
/// an endpoint cannot serve targets in several regions.
fn settle_regions(variables: &mut VariableReader<'_>, targets: &mut [TargetConfig]) {
    let mut regions = targets.iter().map(|target| &target.region);
    let first = regions.next();
    let is_one = regions.all(|region| Some(region) == first);
    for target in targets {
        let Some(region) = target.ecs_endpoint.region() else {
            continue;
        };
        if region != target.region && !is_one {
            let expected =
                format!("{PLACE} in place of the region, since the targets are in several regions");
            variables.error(ECS, expected, false);
            return;
        }
        target.region = region.to_owned();
    }
}

/// The lists of targets, if there are any. A gap in the numbers is an error, and so are both forms
/// beside each other.
fn lists(variables: &mut VariableReader<'_>) -> Option<Vec<List>> {
    let list = |variable: String| {
        let json = variables.get(&variable)?;
        Some(List { variable, json })
    };
    let whole = list("TARGETS".to_owned());
    // A list holds one target at least.
    let mut parts: Vec<Option<List>> = (1..=MAX_TARGETS)
        .map(|number| list(format!("TARGETS_{number}")))
        .collect();
    while parts.last().is_some_and(Option::is_none) {
        parts.pop();
    }
    for (part, number) in parts.iter().zip(1..) {
        if part.is_none() {
            let expected = "the next part of the targets: the numbers have no gap";
            variables.error(format!("TARGETS_{number}"), expected, true);
        }
    }
    if whole.is_some() && !parts.is_empty() {
        let expected = "no value beside TARGETS_1: the targets stand in one or the other";
        variables.error("TARGETS", expected, false);
    }
    let lists: Vec<List> = whole
        .into_iter()
        .chain(parts.into_iter().flatten())
        .collect();
    (!lists.is_empty()).then_some(lists)
}

fn from_lists(
    variables: &mut VariableReader<'_>,
    lists: Vec<List>,
    endpoints: &Endpoints,
) -> Vec<TargetConfig> {
    let mut targets = Vec::new();
    for list in lists {
        match add_list(&mut targets, &list.json, endpoints) {
            Ok(()) => {}
            Err(Fault::Variant) => {
                variables.error(DUAL_STACK, NO_VARIANT, false);
                break;
            }
            Err(Fault::Item(expected)) => variables.error(list.variable, expected, false),
        }
    }
    targets
}

/// The reason why a target is not valid.
#[derive(Debug)]
enum Fault {
    /// The value that is expected in place of an item, or of a part of it.
    Item(String),
    /// The region has no endpoint of the variant.
    Variant,
}

/// Adds the targets of a list.
fn add_list(
    targets: &mut Vec<TargetConfig>,
    json: &str,
    endpoints: &Endpoints,
) -> Result<(), Fault> {
    let items: Vec<Item> = serde_json::from_str(json).map_err(|_| {
        let hint = Some("the value stands in quotes").filter(|_| pasted::is_quoted(json));
        Fault::Item(pasted::with_hint(LIST, hint).into_owned())
    })?;
    if items.is_empty() || targets.len() + items.len() > MAX_TARGETS {
        return Err(Fault::Item(format!("1 to {MAX_TARGETS} targets")));
    }
    for (item, number) in items.into_iter().zip(1..) {
        let numbered = |expected: String| Fault::Item(format!("in target {number}, {expected}"));
        let target = target(item, endpoints).map_err(|fault| match fault {
            Fault::Item(expected) => numbered(expected),
            Fault::Variant => Fault::Variant,
        })?;
        if targets.iter().any(|known| known.name == target.name) {
            return Err(numbered("a name that no other has".to_owned()));
        }
        targets.push(target);
    }
    Ok(())
}

fn target(item: Item, endpoints: &Endpoints) -> Result<TargetConfig, Fault> {
    let fault = |expected: &str| Err(Fault::Item(expected.to_owned()));
    let length = item.name.chars().count();
    if !(1..=MAX_NAME).contains(&length) || item.name.chars().any(char::is_control) {
        return Err(Fault::Item(format!("a name of 1 to {MAX_NAME} characters")));
    }
    let trimmed = |text: String| pasted::trim(&text).to_owned();
    let region = region(trimmed(item.region))
        .map_err(|expected| Fault::Item(format!("as region {expected}")))?;
    let role_arn = item.role_arn.map(trimmed);
    if role_arn.as_deref().is_some_and(|arn| !arn::is_role(arn)) {
        return fault("as roleArn the ARN of a role, arn:aws:iam::ACCOUNT:role/NAME");
    }
    let external_id = item.external_id.map(trimmed);
    if external_id.is_some() && role_arn.is_none() {
        return fault("a roleArn beside the externalId");
    }
    if external_id.as_deref().is_some_and(|id| !is_external_id(id)) {
        return fault("as externalId 2 to 1224 letters, digits or characters of +=,.@:/-_");
    }
    let no_variant = |InvalidEndpoint| Fault::Variant;
    Ok(TargetConfig {
        ecs_endpoint: endpoints.of(Service::Ecs, &region).map_err(no_variant)?,
        role: match role_arn {
            Some(arn) => Some(Role {
                arn,
                external_id,
                sts_endpoint: endpoints.of(Service::Sts, &region).map_err(no_variant)?,
            }),
            None => None,
        },
        name: item.name,
        region,
    })
}

/// The region, or what is expected in place of `text`.
fn region(text: String) -> Result<String, Cow<'static, str>> {
    if is_region(&text) {
        return Ok(text);
    }
    let meant = suggestion(&text).map(|region| format!("did you mean {region}?"));
    let hint = meant.as_deref().or_else(|| pasted::hint(&text));
    Err(pasted::with_hint(REGION, hint))
}

/// Whether `text` is an external id (AWS Security Token Service API Reference, `AssumeRole`).
fn is_external_id(text: &str) -> bool {
    (2..=1_224).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_+=,.@:/-".contains(&b))
}
