//! Endpoints: those that the variables name, or those of AWS.

use super::reader::VariableReader;
use super::values::boolean;
use crate::aws::endpoint::{Endpoint, InvalidEndpoint, Variant};

pub(super) const ECS: &str = "AWS_ENDPOINT_URL_ECS";
const STS: &str = "AWS_ENDPOINT_URL_STS";
const FIPS: &str = "AWS_USE_FIPS_ENDPOINT";
pub(super) const DUAL_STACK: &str = "AWS_USE_DUALSTACK_ENDPOINT";

const URL: &str = "an http or https URL without query and fragment, such as http://127.0.0.1:5000, \
                   which may hold {region} in place of a region";
const BOOLEAN: &str = "true or false";

/// The place of the region in a URL.
pub(super) const PLACE: &str = "{region}";

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
    pub(super) fn read(variables: &mut VariableReader<'_>) -> Self {
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

    /// Whether the configuration names the endpoint of ECS.
    pub(super) fn names_ecs(&self) -> bool {
        self.ecs.is_some()
    }
}

fn read_boolean(variables: &mut VariableReader<'_>, variable: &'static str) -> bool {
    let value = variables.optional(variable, BOOLEAN, |text| boolean(&text));
    value.unwrap_or_default()
}

/// The endpoint of a URL with `region` in it.
fn in_region(url: &str, region: &str) -> Result<Endpoint, InvalidEndpoint> {
    Endpoint::parse(&url.replace(PLACE, region))
}
