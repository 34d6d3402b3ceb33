//! HTTP messages as inputs write them: a first line, headers, an empty line, a body.

use http::{HeaderName, HeaderValue, Response};

/// A message in its parts.
pub struct Message<'a> {
    pub first: &'a [u8],
    headers: Vec<(&'a [u8], &'a [u8])>,
    pub body: &'a [u8],
}

impl<'a> Message<'a> {
    /// Parses a message. Never fails: a line without a colon is ignored.
    pub fn read(data: &'a [u8]) -> Self {
        let end = data.windows(2).position(|two| two == b"\n\n");
        let (head, body) = match end {
            Some(end) => (&data[..end], &data[end + 2..]),
            None => (data, &[][..]),
        };
        let mut lines = head.split(|&byte| byte == b'\n');
        let first = lines.next().unwrap_or_default();
        let header = |line: &'a [u8]| {
            let colon = line.iter().position(|&byte| byte == b':')?;
            Some((&line[..colon], line[colon + 1..].trim_ascii()))
        };
        Self {
            first,
            headers: lines.filter_map(header).collect(),
            body,
        }
    }

    /// The value of the first header of this name, if it is UTF-8.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        let is = |(known, _): &&(&[u8], &[u8])| known.eq_ignore_ascii_case(name.as_bytes());
        std::str::from_utf8(self.headers.iter().find(is)?.1).ok()
    }

    /// The message as a response: its first line is the status, or 400 if it is not one.
    pub fn response(&self) -> Response<Vec<u8>> {
        let mut response = Response::new(self.body.to_vec());
        let status = http::StatusCode::from_bytes(self.first);
        *response.status_mut() = status.unwrap_or(http::StatusCode::BAD_REQUEST);
        for (name, value) in &self.headers {
            if let (Ok(name), Ok(value)) =
                (HeaderName::from_bytes(name), HeaderValue::from_bytes(value))
            {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}
