//! Endpoint: the address of a service in a region (AWS General Reference, "AWS service endpoints").

use http::Uri;
use http::uri::{Authority, Scheme};

/// The address of one AWS service in one region, always with a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint(Uri);

/// A URL that is not an endpoint. The URL itself is not repeated.
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
