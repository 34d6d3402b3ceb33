//! Header line: `name: value`, as headers cross between wasm and JavaScript.

use http::{HeaderName, HeaderValue};

/// Adds a header as a line. `None` if its value is no text.
pub(super) fn push(lines: &mut String, name: &HeaderName, value: &HeaderValue) -> Option<()> {
    let value = value.to_str().ok()?;
    if !lines.is_empty() {
        lines.push('\n');
    }
    for part in [name.as_str(), ": ", value] {
        lines.push_str(part);
    }
    Some(())
}
