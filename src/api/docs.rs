//! `/docs`: the `OpenAPI` description as a page.

/// The page.
pub(super) fn page(_filter_keys: &[String]) -> String {
    String::new()
}
