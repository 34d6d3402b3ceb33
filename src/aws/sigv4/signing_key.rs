//! Signing key: derived once for all requests of a scope, which is a day, a region and a service.

use std::cell::RefCell;
use std::time::SystemTime;

use aws_sigv4::sign::v4::generate_signing_key;

/// The scope of a signature, as it stands in its credential:
/// `20150830/us-east-1/ecs/aws4_request`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::aws) struct Scope<'a> {
    pub(in crate::aws) time: SystemTime,
    pub(in crate::aws) region: &'a str,
    pub(in crate::aws) service: &'a str,
    pub(in crate::aws) text: String,
}

/// The signing key that was used last. Deriving one takes four HMACs, about half of a signature.
#[derive(Clone, Default)]
pub(in crate::aws) struct SigningKeyCache(RefCell<(String, Vec<u8>)>);

impl SigningKeyCache {
    /// The key that `secret` has in `scope`.
    pub(in crate::aws) fn key(&self, secret: &str, scope: &Scope<'_>) -> Vec<u8> {
        let mut last = self.0.borrow_mut();
        if last.0 != scope.text {
            let key = generate_signing_key(secret, scope.time, scope.region, scope.service);
            *last = (scope.text.clone(), key.as_ref().to_vec());
        }
        last.1.clone()
    }
}
