//! Canonical request: the parts of a request as Signature Version 4 signs them (AWS IAM User Guide,
//! "Create a signed AWS API request").
//!
//! `aws-sigv4` can build it too, but derives the signing key anew for every request; here the key is
//! derived once a day (see `signing_key.rs`), which `bench/TRIED.md` has the figures for.
//!
//! The parts are not inlined: their loops would make V8 optimize all of the signing during the first report.

use http::header::ToStrError;
use http::{HeaderMap, HeaderName, Uri};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::order::{sort, sort_by};

/// Encodes all but the unreserved characters of RFC 3986.
pub const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// The characters that are encoded in a path: it is encoded for the second time, so percent signs too.
const PATH: &AsciiSet = &UNRESERVED.remove(b'/');

/// The lines of all headers, sorted by name, and the names joined by `;`.
#[inline(never)]
pub(super) fn headers(headers: &HeaderMap) -> Result<(String, String), ToStrError> {
    let mut names: Vec<&HeaderName> = headers.keys().collect();
    sort_by(&mut names, |a, b| a.as_str().cmp(b.as_str()));
    let mut lines = String::with_capacity(1_024);
    for name in &names {
        lines.push_str(name.as_str());
        let mut separator = ':';
        for value in headers.get_all(*name) {
            lines.push(separator);
            separator = ',';
            for (index, word) in value.to_str()?.split_ascii_whitespace().enumerate() {
                if index > 0 {
                    lines.push(' ');
                }
                lines.push_str(word);
            }
        }
        lines.push('\n');
    }
    let names: Vec<&str> = names.into_iter().map(HeaderName::as_str).collect();
    Ok((lines, names.join(";")))
}

/// The path without `.`, `..` and empty segments, and encoded once more.
#[inline(never)]
pub(super) fn path(uri: &Uri) -> String {
    let mut segments = Vec::new();
    for segment in uri.path().split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            segment => segments.push(segment),
        }
    }
    let mut path = format!("/{}", segments.join("/"));
    if uri.path().ends_with('/') && path.len() > 1 {
        path.push('/');
    }
    utf8_percent_encode(&path, PATH).to_string()
}

/// The query's parameters, sorted by name and value, each encoded anew.
#[inline(never)]
pub(super) fn query(uri: &Uri) -> String {
    let encoded = |text: &str| {
        let decoded = percent_decode_str(text).decode_utf8_lossy();
        utf8_percent_encode(&decoded, UNRESERVED).to_string()
    };
    let parameters = uri.query().unwrap_or_default().split('&');
    let mut parameters: Vec<_> = parameters
        .filter(|parameter| !parameter.is_empty())
        .map(|parameter| parameter.split_once('=').unwrap_or((parameter, "")))
        .map(|(name, value)| (encoded(name), encoded(value)))
        .collect();
    sort(&mut parameters);
    let parameters = parameters
        .iter()
        .map(|(name, value)| format!("{name}={value}"));
    parameters.collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_no_empty_or_dotted_segments_and_keeps_the_slash_at_its_end() {
        for (given, canonical) in [
            ("/", "/"),
            ("/a", "/a"),
            ("/a/", "/a/"),
            ("//a/./b/../c//", "/a/c/"),
            ("/..", "/"),
            ("/%20", "/%2520"),
        ] {
            assert_eq!(path(&Uri::from_static(given)), canonical, "{given}");
        }
    }
}
