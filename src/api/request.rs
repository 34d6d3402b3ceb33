//! Request: the parts of an HTTP request that its response depends on.

/// An HTTP request, as an edge hands it over.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The HTTP method.
    pub method: String,
    /// Scheme and authority, such as `https://ecs-status.example.workers.dev`.
    pub origin: String,
    /// The path, percent-encoded as received.
    pub path: String,
    /// The query string without the `?`, percent-encoded as received.
    pub query: Option<String>,
    /// The `Accept` header.
    pub accept: Option<String>,
    /// The `Authorization` header.
    pub authorization: Option<String>,
    /// The `If-None-Match` header.
    pub if_none_match: Option<String>,
    /// The `If-Modified-Since` header.
    pub if_modified_since: Option<String>,
    /// The `Prefer` header.
    pub prefer: Option<String>,
    /// The `X-Prometheus-Scrape-Timeout-Seconds` header.
    pub scrape_timeout: Option<String>,
    /// Whether the client has exceeded the rate limit.
    pub is_over_limit: bool,
    /// The request's id, for the log and the response.
    pub id: String,
}
