//! Targets: the one region of `AWS_REGION`, or the list in `TARGETS`.

use std::fmt;

use serde::Deserialize;

use super::reader::VariableReader;
use crate::aws::arn;
use crate::aws::endpoint::Endpoint;

/// The name of the target of `AWS_REGION`.
const DEFAULT: &str = "default";

const REGION: &str = "an AWS region such as ap-southeast-2";
const URL: &str = "an http or https URL without query and fragment, such as http://127.0.0.1:5000";

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

struct Endpoints {
    ecs: Option<Endpoint>,
    sts: Option<Endpoint>,
}

/// Parses the targets. Errors are added to `variables`.
pub(super) fn read<F: Fn(&str) -> Option<String>>(
    variables: &mut VariableReader<F>,
) -> Vec<TargetConfig> {
    let url = |text: String| Endpoint::parse(&text).ok();
    let endpoints = Endpoints {
        ecs: variables.optional("AWS_ENDPOINT_URL_ECS", URL, url),
        sts: variables.optional("AWS_ENDPOINT_URL_STS", URL, url),
    };
    let Some(json) = variables.get("TARGETS") else {
        let region = variables.required("AWS_REGION", REGION, |text| {
            is_region(&text).then_some(text)
        });
        let item = region.map(|region| Item {
            name: DEFAULT.to_owned(),
            region,
            role_arn: None,
            external_id: None,
        });
        let target = item.and_then(|item| target(item, &endpoints).ok());
        return target.into_iter().collect();
    };
    match from_json(&json, &endpoints) {
        Ok(targets) => targets,
        Err(expected) => {
            variables.error("TARGETS", expected, false);
            Vec::new()
        }
    }
}

fn from_json(json: &str, endpoints: &Endpoints) -> Result<Vec<TargetConfig>, String> {
    let items: Vec<Item> = serde_json::from_slice(json.as_bytes()).map_err(|_| {
        "a JSON array of objects with name, region and, for another account, roleArn and \
         externalId"
            .to_owned()
    })?;
    if !(1..=MAX_TARGETS).contains(&items.len()) {
        return Err(format!("1 to {MAX_TARGETS} targets"));
    }
    let mut targets: Vec<TargetConfig> = Vec::with_capacity(items.len());
    for (index, item) in items.into_iter().enumerate() {
        let number = index + 1;
        let target = target(item, endpoints)
            .map_err(|expected| format!("in target {number}, {expected}"))?;
        if targets.iter().any(|known| known.name == target.name) {
            return Err(format!("in target {number}, a name that no other has"));
        }
        targets.push(target);
    }
    Ok(targets)
}

fn target(item: Item, endpoints: &Endpoints) -> Result<TargetConfig, String> {
    let length = item.name.chars().count();
    if !(1..=MAX_NAME).contains(&length) || item.name.chars().any(char::is_control) {
        return Err(format!("a name of 1 to {MAX_NAME} characters"));
    }
    if !is_region(&item.region) {
        return Err(format!("as region {REGION}"));
    }
    if item
        .role_arn
        .as_deref()
        .is_some_and(|arn| !arn::is_role(arn))
    {
        return Err("as roleArn the ARN of a role, arn:aws:iam::ACCOUNT:role/NAME".to_owned());
    }
    if item.external_id.is_some() && item.role_arn.is_none() {
        return Err("a roleArn beside the externalId".to_owned());
    }
    if item
        .external_id
        .as_deref()
        .is_some_and(|id| !is_external_id(id))
    {
        return Err(
            "as externalId 2 to 1224 letters, digits or characters of +=,.@:/-_".to_owned(),
        );
    }
    let endpoint = |given: &Option<Endpoint>, service| match given {
        Some(endpoint) => Ok(endpoint.clone()),
        None => Endpoint::of(service, &item.region).map_err(|_| format!("as region {REGION}")),
    };
    let ecs_endpoint = endpoint(&endpoints.ecs, "ecs")?;
    let sts_endpoint = endpoint(&endpoints.sts, "sts")?;
    Ok(TargetConfig {
        ecs_endpoint,
        role: item.role_arn.map(|arn| Role {
            arn,
            external_id: item.external_id,
            sts_endpoint,
        }),
        name: item.name,
        region: item.region,
    })
}

/// Whether `text` is an external id (AWS Security Token Service API Reference, `AssumeRole`).
fn is_external_id(text: &str) -> bool {
    (2..=1_224).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_+=,.@:/-".contains(&b))
}

/// Whether `text` has the form of a region, such as `us-gov-west-1`: lower-case words and a number,
/// joined by hyphens. The region becomes part of a host name.
fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let word = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase());
    match parts.as_slice() {
        [words @ .., number] => {
            words.len() >= 2
                && words.iter().all(word)
                && !number.is_empty()
                && number.len() <= 2
                && number.bytes().all(|b| b.is_ascii_digit())
        }
        [] => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENDPOINTS: Endpoints = Endpoints {
        ecs: None,
        sts: None,
    };
    const ROLE: &str = "arn:aws:iam::123456789012:role/ecs/status";

    #[test]
    fn targets_are_parsed_with_region_and_role() {
        let json = format!(
            r#"[{{"name":"sydney","region":"ap-southeast-2"}},
                {{"name":"Ümläut / 2","region":"us-gov-west-1","roleArn":"{ROLE}","externalId":"a-b"}}]"#
        );
        let targets = from_json(&json, &ENDPOINTS).unwrap();
        assert_eq!(
            targets[0].ecs_endpoint,
            Endpoint::of("ecs", "ap-southeast-2").unwrap()
        );
        assert_eq!(targets[0].role, None);
        let role = targets[1].role.clone().unwrap();
        assert_eq!(
            (role.arn.as_str(), role.external_id.as_deref()),
            (ROLE, Some("a-b"))
        );
        assert_eq!(
            role.sts_endpoint,
            Endpoint::of("sts", "us-gov-west-1").unwrap()
        );
        assert!(!format!("{targets:?}").contains("123456789012"));
    }

    #[test]
    fn an_error_names_the_number_of_the_target_and_not_its_value() {
        for (json, expected) in [
            ("{}", "a JSON array"),
            ("[]", "1 to 45"),
            (r#"[{"name":"a"}]"#, "a JSON array"),
            (
                r#"[{"name":"a","region":"us-east-1","rolearn":"x"}]"#,
                "a JSON array",
            ),
            (
                r#"[{"name":"","region":"us-east-1"}]"#,
                "in target 1, a name",
            ),
            (
                r#"[{"name":"a\n","region":"us-east-1"}]"#,
                "in target 1, a name",
            ),
            (
                r#"[{"name":"a","region":"us-east-1"},{"name":"b","region":"mars"}]"#,
                "in target 2, as region",
            ),
            (
                r#"[{"name":"a","region":"us-east-1"},{"name":"a","region":"us-east-2"}]"#,
                "in target 2, a name that no other has",
            ),
            (
                r#"[{"name":"a","region":"us-east-1","roleArn":"arn:aws:iam::1:role/x"}]"#,
                "in target 1, as roleArn",
            ),
            (
                r#"[{"name":"a","region":"us-east-1","externalId":"xx"}]"#,
                "in target 1, a roleArn",
            ),
        ] {
            let error = from_json(json, &ENDPOINTS).unwrap_err();
            assert!(error.contains(expected), "{json}: {error}");
            assert!(!error.contains("mars"), "{error}");
        }
    }

    #[test]
    fn regions_of_every_partition_are_accepted() {
        for region in [
            "us-east-1",
            "us-gov-west-1",
            "cn-northwest-1",
            "us-isob-east-1",
            "mx-central-1",
            "eusc-de-east-1",
        ] {
            assert!(is_region(region), "{region}");
        }
    }
}
