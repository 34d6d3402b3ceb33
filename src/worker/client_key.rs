//! Client key: the part of a client's address that the rate limit counts by.

use std::net::{IpAddr, Ipv6Addr};

/// The bits of an IPv6 address that belong to the network: providers assign a /64 to a customer, who
/// can send each request from another address in it.
const NETWORK: u128 = !0 << 64;

/// The key of the client at `address`: an IPv4 address as a whole, and the /64 of an IPv6 address.
/// An IPv4 address inside an IPv6 address is the IPv4 address. What is no address is its own key.
pub(super) fn of(address: &str) -> String {
    match address
        .parse()
        .map(|address: IpAddr| address.to_canonical())
    {
        Ok(IpAddr::V6(address)) => {
            let network = Ipv6Addr::from_bits(address.to_bits() & NETWORK);
            format!("{network}/64")
        }
        Ok(IpAddr::V4(address)) => address.to_string(),
        Err(_) => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_key_is_an_ipv4_address_or_the_network_of_an_ipv6_address() {
        for (address, key) in [
            ("192.0.2.7", "192.0.2.7"),
            ("192.0.2.8", "192.0.2.8"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("2001:DB8:1:2::", "2001:db8:1:2::/64"),
            ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("::ffff:c000:207", "192.0.2.7"),
            ("", ""),
            ("unknown", "unknown"),
        ] {
            assert_eq!(of(address), key, "{address}");
        }
    }

    proptest! {
        #[test]
        fn addresses_of_one_network_and_no_others_share_a_key(a: u64, b: u64, host_a: u64, host_b: u64) {
            let address = |network: u64, host: u64| {
                Ipv6Addr::from_bits(u128::from(network) << 64 | u128::from(host)).to_string()
            };
            // A network of zeros holds the IPv4-mapped addresses.
            prop_assume!(a != 0 && b != 0);
            prop_assert_eq!(of(&address(a, host_a)), of(&address(a, host_b)));
            prop_assert_eq!(of(&address(a, host_a)) == of(&address(b, host_b)), a == b);
        }
    }
}
