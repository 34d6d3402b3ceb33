//! Types: what the operations of ECS share.

use serde::{Deserialize, Serialize};

use crate::aws::lenient::{Lenient, Members, decoded_by_member};
use crate::json::Json;

/// The size of a page of a list.
pub(super) const MAX_RESULTS: u32 = 100;

/// Writes the members by which a request asks for a page.
pub(super) fn write_page(json: &mut Json, max_results: u32, next_token: Option<&str>) {
    json.raw("\"maxResults\":");
    json.number(Some(max_results));
    if let Some(token) = next_token {
        json.raw(",\"nextToken\":");
        json.string(token);
    }
}

/// One provider of a strategy.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct CapacityProviderStrategyItem {
    pub capacity_provider: Option<String>,
}

/// A tag. Its value may be absent.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Tag {
    pub key: Option<String>,
    pub value: Option<String>,
}

/// A resource that a describing operation could not describe.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs)]
pub struct Failure {
    pub arn: Option<String>,
    /// `MISSING` for a resource that does not exist any more.
    pub reason: Option<String>,
}

decoded_by_member!(CapacityProviderStrategyItem {
    "capacityProvider" => capacity_provider,
});

decoded_by_member!(Tag {
    "key" => key,
    "value" => value,
});

decoded_by_member!(Failure {
    "arn" => arn,
    "reason" => reason,
});

impl Lenient for CapacityProviderStrategyItem {
    fn from_members(members: &mut Members<'_>) -> Option<Self> {
        Some(Self {
            capacity_provider: members.word("capacityProvider"),
        })
    }
}

impl Lenient for Tag {
    fn from_members(members: &mut Members<'_>) -> Option<Self> {
        Some(Self {
            key: members.text("key"),
            value: members.text("value"),
        })
    }
}

impl Lenient for Failure {
    fn from_members(members: &mut Members<'_>) -> Option<Self> {
        Some(Self {
            arn: members.text("arn"),
            reason: members.word("reason"),
        })
    }
}
