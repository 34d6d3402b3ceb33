//! Endpoints: those that the variables name, or those of AWS.

use super::reader::VariableReader;
use super::targets::TargetConfig;
use super::values::boolean;
use crate::aws::endpoint::{Endpoint, InvalidEndpoint, Variant};

const ECS: &str = "AWS_ENDPOINT_URL_ECS";
const STS: &str = "AWS_ENDPOINT_URL_STS";
const FIPS: &str = "AWS_USE_FIPS_ENDPOINT";
pub(super) const DUAL_STACK: &str = "AWS_USE_DUALSTACK_ENDPOINT";

const URL: &str = "an http or https URL without query and fragment, such as http://127.0.0.1:5000, \
                   which may hold {region} in place of a region";
const BOOLEAN: &str = "true or false";

/// The place of the region in a URL.
const REGION: &str = "{region}";

/// The variables that choose endpoints.
#[derive(Debug, Default)]
pub(super) struct Endpoints {
    /// URLs that are valid for any region.
    ecs: Option<String>,
    sts: Option<String>,
    variant: Variant,
}

/// A service that is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    Ecs,
    Sts,
}

impl Endpoints {
    /// Parses the variables. Errors are added to `variables`.
    pub(super) fn read<F: Fn(&str) -> Option<String>>(variables: &mut VariableReader<F>) -> Self {
        let url = |text: String| in_region(&text, "us-east-1").ok().map(|_| text);
        let endpoints = Self {
            ecs: variables.optional(ECS, URL, url),
            sts: variables.optional(STS, URL, url),
            variant: Variant {
                fips: read_boolean(variables, FIPS),
                dual_stack: read_boolean(variables, DUAL_STACK),
            },
        };
        let given = [(&endpoints.ecs, ECS), (&endpoints.sts, STS)];
        let given = given.into_iter().find(|(url, _)| url.is_some());
        let Variant { fips, dual_stack } = endpoints.variant;
        for (is_set, variable) in [(fips, FIPS), (dual_stack, DUAL_STACK)] {
            if is_set && let Some((_, other)) = given {
                let expected = format!("false, since {other} names the endpoint");
                variables.error(variable, expected, false);
            }
        }
        endpoints
    }

    /// The endpoint of `service` for `region`.
    ///
    /// # Errors
    /// If the partition of the region does not have the variant.
    pub(super) fn of(&self, service: Service, region: &str) -> Result<Endpoint, InvalidEndpoint> {
        let (url, name) = match service {
            Service::Ecs => (&self.ecs, "ecs"),
            Service::Sts => (&self.sts, "sts"),
        };
        match url {
            Some(url) => in_region(url, region),
            None => Endpoint::of_variant(name, region, self.variant),
        }
    }

    /// Names the region of each of `targets` after the endpoint, where that is AWS's in one region.
    /// Such an endpoint cannot serve targets in several regions. Errors are added to `variables`.
    pub(super) fn settle_regions<F: Fn(&str) -> Option<String>>(
        &self,
        variables: &mut VariableReader<F>,
        targets: &mut [TargetConfig],
    ) {
        if self.ecs.is_none() {
            return;
        }
        let mut regions = targets.iter().map(|target| &target.region);
        let first = regions.next();
        let is_one = regions.all(|region| Some(region) == first);
        for target in targets {
            let Some(region) = target.ecs_endpoint.region() else {
                continue;
            };
            if region != target.region && !is_one {
                let expected = format!(
                    "{REGION} in place of the region, since the targets are in several regions"
                );
                variables.error(ECS, expected, false);
                return;
            }
            target.region = region.to_owned();
        }
    }
}

fn read_boolean<F: Fn(&str) -> Option<String>>(
    variables: &mut VariableReader<F>,
    variable: &'static str,
) -> bool {
    let value = variables.optional(variable, BOOLEAN, |text| boolean(&text));
    value.unwrap_or_default()
}

/// The endpoint of a URL with `region` in it.
fn in_region(url: &str, region: &str) -> Result<Endpoint, InvalidEndpoint> {
    Endpoint::parse(&url.replace(REGION, region))
}
