//! Which addresses the server may fetch files from.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A rule for the addresses that files may be fetched from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Addresses {
    /// Any address.
    #[default]
    All,
    /// Those of the public internet: not this machine's, not those of private networks.
    Public,
    /// None.
    Nobody,
    /// Those of some networks.
    Networks(Vec<Network>),
}

/// A network: an address and how many of its bits count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u32,
}

impl Addresses {
    /// Reads `all`, `public`, `none`, or networks between commas such as `10.0.0.0/8`.
    ///
    /// # Errors
    /// Why the text is none of these.
    pub fn parse(text: &str) -> Result<Addresses, String> {
        match text.trim() {
            "all" => return Ok(Addresses::All),
            "public" => return Ok(Addresses::Public),
            "none" | "null" | "" => return Ok(Addresses::Nobody),
            _ => {}
        }
        let networks = text.split(',').map(|network| network.trim()).map(|network| {
            Network::parse(network).ok_or_else(|| {
                format!("'{network}' is neither all, public, none nor a network such as 10.0.0.0/8")
            })
        });
        networks.collect::<Result<_, _>>().map(Addresses::Networks)
    }

    /// Whether an address may be fetched from.
    pub fn allow(&self, address: IpAddr) -> bool {
        // An IPv4 address in IPv6 clothes is judged as what it is.
        let address = address.to_canonical();
        match self {
            Addresses::All => true,
            Addresses::Public => is_public(address),
            Addresses::Nobody => false,
            Addresses::Networks(networks) => networks.iter().any(|network| network.contains(address)),
        }
    }
}

impl Network {
    fn parse(text: &str) -> Option<Network> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address.parse::<IpAddr>().ok()?, Some(bits.parse::<u32>().ok()?)),
            None => (text.parse::<IpAddr>().ok()?, None),
        };
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(most);
        (bits <= most).then_some(Network { address, bits })
    }

    fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let shift = 32 - self.bits;
                network.to_bits().checked_shr(shift) == address.to_bits().checked_shr(shift)
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let shift = 128 - self.bits;
                network.to_bits().checked_shr(shift) == address.to_bits().checked_shr(shift)
            }
            _ => false,
        }
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let reserved = a == 0
        || a >= 240
        || (a == 100 && (b & 0xc0) == 64)
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (b & 0xfe) == 18);
    !(reserved
        || address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_documentation()
        || address.is_broadcast()
        || address.is_multicast())
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    // Only what is handed out at all, and none that lead into IPv4 networks.
    let global = (segments[0] & 0xe000) == 0x2000;
    let tunnel = segments[0] == 0x2002 || (segments[0] == 0x2001 && segments[1] < 0x200);
    let documentation = segments[0] == 0x2001 && segments[1] == 0xdb8;
    global && !tunnel && !documentation
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(rule: &str, address: &str) -> bool {
        Addresses::parse(rule).unwrap().allow(address.parse().unwrap())
    }

    #[test]
    fn public_leaves_out_everything_inside() {
        for inside in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "::ffff:127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001:db8::1",
        ] {
            assert!(!allows("public", inside), "{inside}");
        }
        for outside in ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:93.184.216.34"] {
            assert!(allows("public", outside), "{outside}");
        }
    }

    #[test]
    fn networks_and_words() {
        assert!(allows("all", "127.0.0.1") && !allows("none", "93.184.216.34"));
        assert!(allows("10.0.0.0/8, ::1", "10.255.0.1") && allows("10.0.0.0/8,::1", "::1"));
        assert!(!allows("10.0.0.0/8", "11.0.0.1") && !allows("10.0.0.1", "10.0.0.2"));
        assert!(allows("0.0.0.0/0", "1.2.3.4") && !allows("0.0.0.0/0", "2001::1"));
        for wrong in ["localhost", "10.0.0.0/33", "10.0.0.0/x", "10.0.0.0/8,"] {
            assert!(Addresses::parse(wrong).is_err(), "{wrong}");
        }
    }
}
