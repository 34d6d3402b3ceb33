//! Response bodies of ECS. The input is a body, which is decoded as that of every operation.

use std::fmt::Debug;
use std::ops::RangeInclusive;

use ecs_status::aws::ecs::{DescribeClusters, DescribeServices, ListClusters, ListServices};
use ecs_status::aws::lenient::{self, Lenient};
use ecs_status::aws::protocol::{EcsOperation, Operation};
use serde::de::IgnoredAny;

/// The start of an array that is skipped.
const SKIPPED: &[u8] = b"\"events\":[";

/// Neither skipping a part of a body nor reading it member by member changes the result of a body
/// without oddities; only JSON is decoded; and a malformed body is refused, unless only the skipped
/// part is malformed.
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
    let json = str::from_utf8(body).ok();
    let whole = json.and_then(|json| lenient::decode_whole::<O::Output>(json).ok());
    let mut usual = whole.filter(|whole| is_object && whole.is_usual());
    if let Some(usual) = &mut usual {
        let by_member: O::Output = lenient::decode_by_member(body).expect("it is JSON");
        assert_eq!(format!("{usual:?}"), format!("{by_member:?}"));
        O::complete(usual, body);
    }
    match (usual, O::decode(body)) {
        (Some(usual), Ok(decoded)) => assert_eq!(format!("{usual:?}"), format!("{decoded:?}")),
        (Some(usual), Err(error)) => panic!("{error}: {usual:?}"),
        (None, Ok(decoded)) => {
            assert!(is_object);
            let text = String::from_utf8_lossy(body);
            if let Err(error) = serde_json::from_str::<IgnoredAny>(&text) {
                let at = offset(text.as_bytes(), error.line(), error.column());
                assert!(
                    skipped(text.as_bytes())
                        .iter()
                        .any(|skipped| skipped.contains(&at)),
                    "{error}: {decoded:?}"
                );
            }
        }
        (None, Err(error)) => {
            // The error repeats nothing of the body.
            assert!(error.to_string().len() < 64, "{error}");
        }
    }
}

/// The index of a byte by its line and column, as `serde_json` counts them.
fn offset(body: &[u8], line: usize, column: usize) -> usize {
    let lines = body.split_inclusive(|&byte| byte == b'\n');
    lines.take(line - 1).map(<[u8]>::len).sum::<usize>() + column.saturating_sub(1)
}

/// The range from the opening to the closing bracket of every array that is skipped, found byte by
/// byte.
fn skipped(body: &[u8]) -> Vec<RangeInclusive<usize>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(start) = (from..body.len()).find(|&at| body[at..].starts_with(SKIPPED)) {
        from = start + SKIPPED.len();
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
            // Outside of a string too, where it is no JSON: then it is only a question of where that ends.
            (b'\\', _) => at += 1,
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
