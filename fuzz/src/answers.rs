//! Bodies of ECS's answers. The input is one, and it is read as every operation's.

use std::fmt::Debug;
use std::ops::RangeInclusive;

use ecs_status::aws::ecs::{DescribeClusters, DescribeServices, ListClusters, ListServices};
use ecs_status::aws::operation::{EcsOperation, Operation};

/// What opens an array that nobody reads.
const UNREAD: &[u8] = b"\"events\":[";

/// What is taken out before an answer is parsed changes nothing of what is read, and what is
/// refused otherwise is refused still, unless only what was taken out was malformed.
pub fn check(body: &[u8]) {
    compare::<ListClusters>(body);
    compare::<DescribeClusters>(body);
    compare::<ListServices>(body);
    compare::<DescribeServices>(body);
}

fn compare<O: EcsOperation>(body: &[u8])
where
    O::Output: Debug,
{
    let is_object = body.trim_ascii_start().starts_with(b"{");
    let whole = serde_json::from_slice::<O::Output>(body);
    match (whole, O::decode(body)) {
        (Ok(whole), Ok(decoded)) => {
            assert!(is_object);
            assert_eq!(format!("{whole:?}"), format!("{decoded:?}"));
        }
        (Ok(whole), Err(error)) => assert!(!is_object, "{error}: {whole:?}"),
        (Err(error), Ok(decoded)) => {
            let at = offset(body, error.line(), error.column());
            assert!(
                unread(body).iter().any(|unread| unread.contains(&at)),
                "{error}: {decoded:?}"
            );
        }
        (Err(_), Err(error)) => {
            // It repeats nothing of the body.
            assert!(error.to_string().len() < 64, "{error}");
        }
    }
}

/// The index of a byte by its line and column, as `serde_json` counts them.
fn offset(body: &[u8], line: usize, column: usize) -> usize {
    let lines = body.split_inclusive(|&byte| byte == b'\n');
    lines.take(line - 1).map(<[u8]>::len).sum::<usize>() + column.saturating_sub(1)
}

/// From the opening bracket to the closing one, of every array that nobody reads, a byte after the
/// other.
fn unread(body: &[u8]) -> Vec<RangeInclusive<usize>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(start) = (from..body.len()).find(|&at| body[at..].starts_with(UNREAD)) {
        from = start + UNREAD.len();
        if start > 0 && body[start - 1] == b'\\' {
            continue;
        }
        let Some(end) = end(body, from) else {
            break;
        };
        found.push(from - 1..=end);
        from = end;
    }
    found
}

fn end(body: &[u8], from: usize) -> Option<usize> {
    let (mut depth, mut in_string, mut at) = (1, false, from);
    while let Some(&byte) = body.get(at) {
        match (byte, in_string) {
            (b'\\', true) => at += 1,
            (b'"', _) => in_string = !in_string,
            (b'[', false) => depth += 1,
            (b']', false) => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
        at += 1;
    }
    None
}
