//! Where a service answers (AWS General Reference, "AWS service endpoints").

use http::Uri;
use http::uri::{Authority, Scheme};

/// The address of one AWS service in one region, always with a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint(Uri);

/// What is no endpoint; the value itself is not repeated.
#[derive(Debug, PartialEq, Eq)]
pub struct InvalidEndpoint;

impl Endpoint {
    /// The public endpoint of `service` in `region`, in whichever partition the region is.
    ///
    /// # Errors
    /// If `region` cannot be part of a host name.
    pub fn of(service: &str, region: &str) -> Result<Self, InvalidEndpoint> {
        let suffix = match region {
            r if r.starts_with("cn-") => "amazonaws.com.cn",
            r if r.starts_with("eusc-") => "amazonaws.eu",
            r if r.starts_with("us-iso-") => "c2s.ic.gov",
            r if r.starts_with("us-isob-") => "sc2s.sgov.gov",
            r if r.starts_with("us-isof-") => "csp.hci.ic.gov",
            r if r.starts_with("eu-isoe-") => "cloud.adc-e.uk",
            _ => "amazonaws.com",
        };
        Self::parse(&format!("https://{service}.{region}.{suffix}"))
    }

    /// An override, as in `AWS_ENDPOINT_URL_ECS`.
    ///
    /// # Errors
    /// If `url` is not an absolute http or https URL without user information and query.
    pub fn parse(url: &str) -> Result<Self, InvalidEndpoint> {
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
        if authority.as_str().contains('@') || authority.host().is_empty() {
            return Err(InvalidEndpoint);
        }
        // The host is signed, and HTTP clients leave the scheme's own port out of the Host header.
        parts.authority = Some(if authority.port_u16() == Some(default_port) {
            Authority::try_from(authority.host()).map_err(|_| InvalidEndpoint)?
        } else {
            authority
        });
        if parts
            .path_and_query
            .as_ref()
            .is_some_and(|p| p.query().is_some())
        {
            return Err(InvalidEndpoint);
        }
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

    #[test]
    fn a_default_port_is_left_out_and_another_is_kept() {
        for (url, uri) in [
            ("https://ecs.example:443", "https://ecs.example/"),
            ("http://127.0.0.1:80/", "http://127.0.0.1/"),
            ("http://127.0.0.1:5000", "http://127.0.0.1:5000/"),
            ("http://[::1]:5000/ecs", "http://[::1]:5000/ecs"),
        ] {
            assert_eq!(Endpoint::parse(url).unwrap().uri().to_string(), uri);
        }
    }

    #[test]
    fn what_is_no_http_url_is_refused() {
        for url in [
            "",
            "127.0.0.1:5000",
            "/ecs",
            "ftp://host",
            "http://",
            "https://u:p@host",
            "http://h/?a=b",
            "http://a b",
        ] {
            assert_eq!(Endpoint::parse(url), Err(InvalidEndpoint), "{url}");
        }
    }
}
