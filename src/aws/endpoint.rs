//! Endpoint: the address of a service in a region (AWS General Reference, "AWS service endpoints").

use http::Uri;
use http::uri::{Authority, Scheme};

use crate::aws::partition;
use crate::aws::region::is_region;

/// The address of one AWS service in one region, always with a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint(Uri);

/// A URL that is not an endpoint. The URL itself is not repeated.
#[derive(Debug, PartialEq, Eq)]
pub struct InvalidEndpoint;

/// The variant of an AWS endpoint (AWS SDKs and Tools Reference Guide, "Dual-stack and FIPS
/// endpoints").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Variant {
    /// Cryptography by FIPS 140.
    pub fips: bool,
    /// IPv6 beside IPv4.
    pub dual_stack: bool,
}

/// The region that the global endpoint of STS belongs to.
const GLOBAL_STS: (&str, &str) = ("sts.amazonaws.com", "us-east-1");

impl Endpoint {
    /// The public endpoint of `service` in `region`, in whichever partition the region is.
    ///
    /// # Errors
    /// If `region` cannot be part of a host name.
    pub fn of(service: &str, region: &str) -> Result<Self, InvalidEndpoint> {
        Self::of_variant(service, region, Variant::default())
    }

    /// That variant of the public endpoint of `service` in `region`.
    ///
    /// # Errors
    /// If `region` cannot be part of a host name, or its partition does not have the variant.
    pub fn of_variant(
        service: &str,
        region: &str,
        variant: Variant,
    ) -> Result<Self, InvalidEndpoint> {
        let partition = partition::of(region).ok_or(InvalidEndpoint)?;
        let domain = if variant.dual_stack {
            partition.dual_stack.ok_or(InvalidEndpoint)?
        } else {
            partition.domain
        };
        // STS in AWS GovCloud (US) has the one endpoint for both.
        let is_fips_anyway =
            service == "sts" && region.starts_with("us-gov-") && !variant.dual_stack;
        let fips = if variant.fips && !is_fips_anyway {
            "-fips"
        } else {
            ""
        };
        Self::parse(&format!("https://{service}{fips}.{region}.{domain}"))
    }

    /// The region in the host, if the host is one of AWS's: a public endpoint, or one of a VPC. AWS
    /// accepts signatures for no other region there.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        let host = self.0.host()?;
        let (global, region) = GLOBAL_STS;
        if host == global {
            return Some(region);
        }
        let in_domain = |domain| host.strip_suffix(domain)?.strip_suffix('.');
        let name = partition::domains().find_map(in_domain)?;
        let name = name.strip_suffix(".vpce").unwrap_or(name);
        let (_, region) = name.rsplit_once('.')?;
        is_region(region).then_some(region)
    }

    /// Parses an override, as in `AWS_ENDPOINT_URL_ECS`.
    ///
    /// # Errors
    /// If `url` is not an absolute http or https URL without user information, query and fragment.
    pub fn parse(url: &str) -> Result<Self, InvalidEndpoint> {
        if url.contains(['?', '#']) {
            return Err(InvalidEndpoint);
        }
        let mut parts = url
            .parse::<Uri>()
            .map_err(|_| InvalidEndpoint)?
            .into_parts();
        let scheme = parts.scheme.as_ref().ok_or(InvalidEndpoint)?;
        let default_port = match scheme {
            s if *s == Scheme::HTTP => 80,
            s if *s == Scheme::HTTPS => 443,
            _ => return Err(InvalidEndpoint),
        };
        let authority = parts.authority.take().ok_or(InvalidEndpoint)?;
        let authority = normalized(authority.as_str(), default_port).ok_or(InvalidEndpoint)?;
        parts.authority = Authority::try_from(authority).ok();
        Uri::from_parts(parts)
            .map(Self)
            .map_err(|_| InvalidEndpoint)
    }

    /// The URI that requests go to.
    #[must_use]
    pub fn uri(&self) -> &Uri {
        &self.0
    }
}

/// Host and port as HTTP clients write them: in lower case, without the default port of the scheme.
/// The Host header is signed, so it has to equal theirs. `None` if they would refuse it.
fn normalized(authority: &str, default_port: u16) -> Option<String> {
    let authority = authority.to_ascii_lowercase();
    let (host, port) = match authority.rsplit_once(':') {
        // An IPv6 address has colons too.
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()?),
        _ => (authority.as_str(), default_port),
    };
    let address = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
    let (text, others) = address.map_or((host, "-._"), |address| (address, ":."));
    let is_valid = |c: char| c.is_ascii_alphanumeric() || others.contains(c);
    if text.is_empty() || !text.chars().all(is_valid) {
        return None;
    }
    Some(if port == default_port {
        host.to_owned()
    } else {
        format!("{host}:{port}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_partition_has_its_own_domain() {
        for (region, host) in [
            ("ap-southeast-2", "ecs.ap-southeast-2.amazonaws.com"),
            ("us-gov-west-1", "ecs.us-gov-west-1.amazonaws.com"),
            ("cn-north-1", "ecs.cn-north-1.amazonaws.com.cn"),
            ("eusc-de-east-1", "ecs.eusc-de-east-1.amazonaws.eu"),
            ("us-iso-east-1", "ecs.us-iso-east-1.c2s.ic.gov"),
            ("us-isob-east-1", "ecs.us-isob-east-1.sc2s.sgov.gov"),
            ("us-isof-south-1", "ecs.us-isof-south-1.csp.hci.ic.gov"),
            ("eu-isoe-west-1", "ecs.eu-isoe-west-1.cloud.adc-e.uk"),
        ] {
            let endpoint = Endpoint::of("ecs", region).unwrap();
            assert_eq!(endpoint.uri().to_string(), format!("https://{host}/"));
        }
    }

    /// The hosts that botocore 1.44 names for ECS and STS.
    #[test]
    fn each_variant_has_its_own_host() {
        let host = |service, region, fips, dual_stack| {
            let endpoint = Endpoint::of_variant(service, region, Variant { fips, dual_stack });
            endpoint.map(|endpoint| endpoint.uri().host().unwrap().to_owned())
        };
        let hosts = |service, region| {
            [(true, false), (false, true), (true, true)]
                .map(|(fips, dual)| host(service, region, fips, dual).unwrap_or_default())
        };
        for (service, region, expected) in [
            (
                "ecs",
                "us-east-1",
                [
                    "ecs-fips.us-east-1.amazonaws.com",
                    "ecs.us-east-1.api.aws",
                    "ecs-fips.us-east-1.api.aws",
                ],
            ),
            (
                "ecs",
                "us-gov-west-1",
                [
                    "ecs-fips.us-gov-west-1.amazonaws.com",
                    "ecs.us-gov-west-1.api.aws",
                    "ecs-fips.us-gov-west-1.api.aws",
                ],
            ),
            (
                "sts",
                "us-gov-west-1",
                [
                    "sts.us-gov-west-1.amazonaws.com",
                    "sts.us-gov-west-1.api.aws",
                    "sts-fips.us-gov-west-1.api.aws",
                ],
            ),
            (
                "ecs",
                "cn-north-1",
                [
                    "ecs-fips.cn-north-1.amazonaws.com.cn",
                    "ecs.cn-north-1.api.amazonwebservices.com.cn",
                    "ecs-fips.cn-north-1.api.amazonwebservices.com.cn",
                ],
            ),
            (
                "sts",
                "eusc-de-east-1",
                [
                    "sts-fips.eusc-de-east-1.amazonaws.eu",
                    "sts.eusc-de-east-1.api.amazonwebservices.eu",
                    "sts-fips.eusc-de-east-1.api.amazonwebservices.eu",
                ],
            ),
            (
                "ecs",
                "us-iso-east-1",
                [
                    "ecs-fips.us-iso-east-1.c2s.ic.gov",
                    "ecs.us-iso-east-1.api.aws.ic.gov",
                    "ecs-fips.us-iso-east-1.api.aws.ic.gov",
                ],
            ),
            (
                "ecs",
                "us-isob-west-1",
                [
                    "ecs-fips.us-isob-west-1.sc2s.sgov.gov",
                    "ecs.us-isob-west-1.api.aws.scloud",
                    "ecs-fips.us-isob-west-1.api.aws.scloud",
                ],
            ),
            (
                "sts",
                "us-isof-south-1",
                ["sts-fips.us-isof-south-1.csp.hci.ic.gov", "", ""],
            ),
        ] {
            assert_eq!(hosts(service, region), expected, "{service} {region}");
        }
    }

    #[test]
    fn the_region_is_read_from_a_host_of_aws_alone() {
        for (url, region) in [
            ("https://ecs.us-east-1.amazonaws.com", Some("us-east-1")),
            (
                "https://ECS-fips.us-gov-west-1.amazonaws.com:443/",
                Some("us-gov-west-1"),
            ),
            ("https://ecs.eu-west-1.api.aws", Some("eu-west-1")),
            (
                "https://ecs.cn-north-1.amazonaws.com.cn",
                Some("cn-north-1"),
            ),
            (
                "https://sts.eusc-de-east-1.amazonaws.eu",
                Some("eusc-de-east-1"),
            ),
            (
                "https://vpce-0a1b-c2d3.ecs.eu-west-1.vpce.amazonaws.com",
                Some("eu-west-1"),
            ),
            (
                "https://vpce-0a1b-c2d3-eu-west-1a.ecs.eu-west-1.vpce.amazonaws.com/",
                Some("eu-west-1"),
            ),
            ("https://sts.amazonaws.com", Some("us-east-1")),
            ("https://ecs.amazonaws.com", None),
            ("https://us-east-1.amazonaws.com", None),
            ("https://ecs.us-east-1.amazonaws.com.example", None),
            ("https://ecs.us-east-1.notamazonaws.com", None),
            ("https://ecs.us-east-1.example", None),
            ("http://127.0.0.1:5000", None),
            ("http://[::1]:5000", None),
        ] {
            assert_eq!(Endpoint::parse(url).unwrap().region(), region, "{url}");
        }
    }

    #[test]
    fn the_default_port_is_omitted_and_any_other_stays() {
        for (url, uri) in [
            ("https://ecs.example:443", "https://ecs.example/"),
            ("http://127.0.0.1:80/", "http://127.0.0.1/"),
            ("http://127.0.0.1:5000", "http://127.0.0.1:5000/"),
            ("http://[::1]:5000/ecs", "http://[::1]:5000/ecs"),
            ("http://[::1]", "http://[::1]/"),
            ("https://ECS.Example:0443/Path", "https://ecs.example/Path"),
        ] {
            assert_eq!(Endpoint::parse(url).unwrap().uri().to_string(), uri);
        }
    }

    #[test]
    fn a_text_that_is_not_an_http_url_is_refused() {
        for url in [
            "",
            "127.0.0.1:5000",
            "/ecs",
            "ftp://host",
            "http://",
            "https://u:p@host",
            "http://h/?a=b",
            "http://h/?",
            "http://h/#a",
            "http://h#",
            "http://a b",
            "http://host:",
            "http://host:99999",
            "http://host:-1",
            "http://a%41b",
            "http://a,b",
            "http://[::1",
        ] {
            assert_eq!(Endpoint::parse(url), Err(InvalidEndpoint), "{url}");
        }
    }
}
