//! Denial: a batch that is denied because of some of its resources is split until it is known which.

use serde::{Deserialize, Serialize};

use crate::aws::arn::name_of;
use crate::aws::error::{Error, ServiceError};
use crate::aws::protocol::OperationName;
use crate::fleet::model::cause::Cause;

/// The denials without any success after which batches of a group are not split any more. A batch of
/// ten services takes at most 19 calls, so that it never meets this limit alone.
const DENIALS_MAX: usize = 20;

/// The denials without any success after which the rest of a batch is halved, where AWS named a
/// resource: before, a few exceptions are assumed, and one more call suffices.
const EXCEPTIONS_MAX: usize = 3;

/// The denials in a group of resources: the clusters of a target, or the services of a cluster.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Denials {
    is_any_allowed: bool,
    count: usize,
}

/// The result of a denial.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Split {
    /// Nothing in the group is allowed, as far as it is known.
    Whole(Vec<String>),
    Parts {
        /// The resources that are denied.
        denied: Vec<String>,
        /// The batches to try.
        batches: Vec<Vec<String>>,
    },
}

impl Denials {
    /// Notes that a batch of the group was described.
    pub(super) fn allow(&mut self) {
        self.is_any_allowed = true;
    }

    /// Splits `batch`, which was denied by `error`: by the resources that its message names, else in
    /// halves. Of *n* resources one of which is denied, *k* are told by at most *k* + 1 calls if AWS
    /// names them. No batch of *n* ever takes more than 2 *n* - 1 calls.
    pub(super) fn split(&mut self, batch: Vec<String>, error: &ServiceError) -> Split {
        self.count = self.count.saturating_add(1);
        if batch.len() > 1 && !self.is_any_allowed && self.count >= DENIALS_MAX {
            return Split::Whole(batch);
        }
        if batch.len() == 1 {
            return Split::Parts {
                denied: batch,
                batches: Vec::new(),
            };
        }
        let named: Vec<&str> = arns(&error.message).collect();
        let is_named = |arn: &String| named.iter().any(|named| is_same(named, arn));
        let (denied, rest): (Vec<_>, Vec<_>) = batch.into_iter().partition(is_named);
        let is_exception =
            !denied.is_empty() && (self.is_any_allowed || self.count <= EXCEPTIONS_MAX);
        let batches = if is_exception {
            vec![rest]
        } else {
            let middle = rest.len().div_ceil(2);
            rest.chunks(middle.max(1)).map(<[_]>::to_vec).collect()
        };
        let batches = batches.into_iter().filter(|batch| !batch.is_empty());
        Split::Parts {
            denied,
            batches: batches.collect(),
        }
    }
}

/// The response of AWS and its cause, if it denies an operation.
pub(super) fn denial(error: &Error, operation: OperationName) -> Option<(&ServiceError, Cause)> {
    match (error, Cause::of(error, operation)) {
        (Error::Service(response), cause @ Cause::NotAllowed(..)) => Some((response, cause)),
        _ => None,
    }
}

/// The ARNs in a message such as "User: … is not authorized to perform: ecs:DescribeServices on
/// resource: … because …".
fn arns(message: &str) -> impl Iterator<Item = &str> {
    let is_end = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '"' | '\'' | '(' | ')');
    let words = message.split(is_end);
    words
        .map(|word| word.trim_end_matches(['.', ':']))
        .filter(|word| word.starts_with("arn:"))
}

/// Whether two ARNs name the same resource of a batch, whatever their format.
fn is_same(arn: &str, other: &str) -> bool {
    let kind = |arn: &str| arn.split(':').nth(5)?.split('/').next().map(str::to_owned);
    kind(arn) == kind(other) && name_of(arn) == name_of(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PREFIX: &str = "arn:aws:ecs:us-east-1:123456789012";

    fn arns(names: &[&str]) -> Vec<String> {
        let arn = |name: &&str| format!("{PREFIX}:service/web/{name}");
        names.iter().map(arn).collect()
    }

    fn error(message: &str) -> ServiceError {
        ServiceError {
            message: message.to_owned(),
            ..ServiceError::default()
        }
    }

    fn parts(denied: &[&str], batches: &[&[&str]]) -> Split {
        Split::Parts {
            denied: arns(denied),
            batches: batches.iter().map(|names| arns(names)).collect(),
        }
    }

    #[test]
    fn the_resource_that_aws_names_is_split_off() {
        for resource in ["service/web/b", "service/b"] {
            for end in ["", ".", " because no identity-based policy allows it", "\""] {
                let message = format!(
                    "User: arn:aws:iam::123456789012:user/a is not authorized to perform: \
                     ecs:DescribeServices on resource: {PREFIX}:{resource}{end}"
                );
                let split = Denials::default().split(arns(&["a", "b", "bc"]), &error(&message));
                assert_eq!(split, parts(&["b"], &[&["a", "bc"]]), "{message}");
            }
        }
    }

    #[test]
    fn a_batch_is_halved_where_aws_names_none_of_it() {
        for message in [
            "",
            "User: arn:aws:iam::123456789012:user/a may not, on resource: *",
            "on resource: arn:aws:ecs:us-east-1:123456789012:service/web/other",
            "on resource: arn:aws:ecs:us-east-1:123456789012:cluster/a",
        ] {
            let split = Denials::default().split(arns(&["a", "b", "c"]), &error(message));
            assert_eq!(split, parts(&[], &[&["a", "b"], &["c"]]), "{message}");
        }
    }

    #[test]
    fn splitting_ends_where_nothing_is_allowed() {
        let mut denials = Denials::default();
        for _ in 1..DENIALS_MAX {
            let split = denials.split(arns(&["a", "b"]), &error(""));
            assert_eq!(split, parts(&[], &[&["a"], &["b"]]));
        }
        let batch = arns(&["a", "b"]);
        assert_eq!(
            denials.split(batch.clone(), &error("")),
            Split::Whole(batch.clone())
        );
        denials.allow();
        assert_eq!(
            denials.split(batch, &error("")),
            parts(&[], &[&["a"], &["b"]])
        );
    }
}
