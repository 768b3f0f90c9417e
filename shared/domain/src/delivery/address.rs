//! Which addresses a dealer's URL may lead to.
//!
//! A rulebook names URLs, and we dial them from inside our own network: without this, a rulebook could
//! read the cloud's metadata service or a neighbour's database. What is written is checked here; what a
//! name resolves to is checked by [`Reach::of`] at the moment it is dialled, and the checked address is
//! the dialled one.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

use crate::error::Invalid;
use crate::limits;

/// Checks a dealer's URL as it is written, and gives it back parsed.
///
/// HTTPS, a public host, port 443 or one from 1024 up, no user name or password, at most
/// [`limits::DEALER_URL_BYTES`]. With `allow_loopback` (one machine only) loopback is allowed as well, there
/// over `http://` too and on any port. Only literal addresses can be judged here; a name is judged again
/// when it is resolved.
pub fn check_url(text: &str, allow_loopback: bool) -> Result<Url, Invalid> {
    if text.len() > limits::DEALER_URL_BYTES {
        return Err(Invalid::new("a dealer's URL is at most 512 bytes"));
    }
    // The parser drops tabs and newlines and turns '\' around: what we check must be what is meant.
    if text.chars().any(|c| c.is_whitespace() || c.is_control() || c == '\\') {
        return Err(Invalid::new("a dealer's URL has no spaces, control characters or backslashes"));
    }
    let url = Url::parse(text).map_err(|_| Invalid::new("a dealer's URL is written https://host/path"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Invalid::new("a dealer's URL carries no user name or password"));
    }
    let reach = match url.host() {
        Some(Host::Ipv4(ip)) => Reach::of(ip.into()),
        Some(Host::Ipv6(ip)) => Reach::of(ip.into()),
        Some(Host::Domain(name)) => reach_of_name(name),
        None => Reach::Neither,
    };
    match (url.scheme(), reach) {
        ("http" | "https", Reach::Loopback) if allow_loopback => Ok(url),
        ("https", Reach::Public) => {
            if url.port().is_none_or(|port| port >= 1_024) {
                Ok(url)
            } else {
                Err(Invalid::new("a dealer's URL uses port 443 or one from 1024 to 65535"))
            }
        }
        ("https", Reach::Loopback | Reach::Neither) => {
            Err(Invalid::new("a dealer's URL names a host of the public internet, not a private address"))
        }
        _ => Err(Invalid::new("a dealer's URL begins with https://")),
    }
}

/// Whether a name means this machine by itself (RFC 6761, 6.3): `localhost`, `demo.localhost`.
pub fn is_localhost_name(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

/// A name as far as it can be judged without resolving it. A name without a dot, or under a zone of
/// private networks (`.local`, RFC 6762; `.internal`, reserved by ICANN in 2024; `.home.arpa`, RFC 8375),
/// is a neighbour's, not a dealer's.
fn reach_of_name(name: &str) -> Reach {
    if is_localhost_name(name) {
        return Reach::Loopback;
    }
    let name = name.strip_suffix('.').unwrap_or(name);
    let private = [".local", ".internal", ".home.arpa"].iter().any(|zone| name.ends_with(zone));
    if private || !name.contains('.') { Reach::Neither } else { Reach::Public }
}

/// Where an address leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The public internet.
    Public,
    /// This machine: 127.0.0.0/8 or ::1, and no other notation of them.
    Loopback,
    /// Neither: private, link-local, shared, multicast, reserved, documentation, benchmark, metadata.
    Neither,
}

impl Reach {
    /// Where this address leads, by the IANA special-purpose address registries (RFC 6890 and its
    /// successors).
    pub fn of(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(ip) if ip.is_loopback() => Self::Loopback,
            IpAddr::V6(ip) if ip.is_loopback() => Self::Loopback,
            IpAddr::V4(ip) if is_public_v4(ip) => Self::Public,
            IpAddr::V6(ip) if is_public_v6(ip) => Self::Public,
            IpAddr::V4(_) | IpAddr::V6(_) => Self::Neither,
        }
    }

    /// Whether it may be dialled.
    pub const fn is_allowed(self, allow_loopback: bool) -> bool {
        match self {
            Self::Public => true,
            Self::Loopback => allow_loopback,
            Self::Neither => false,
        }
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let special = match (a, b, c) {
        (0 | 10 | 127 | 224..=255, _, _) // this network, private, loopback, multicast, reserved, broadcast
        | (100, 64..=127, _) // shared, behind a carrier's NAT (RFC 6598); Alibaba's metadata
        | (169, 254, _) // link-local; the metadata of AWS, Google and Azure
        | (172, 16..=31, _) // private
        | (192, 0, 0 | 2) // protocol assignments, Oracle's metadata; documentation
        | (192, 88, 99) // 6to4 relays, withdrawn (RFC 7526)
        | (192, 168, _) // private
        | (198, 18 | 19, _) // benchmark
        | (198, 51, 100) // documentation
        | (203, 0, 113) => true, // documentation
        _ => false,
    };
    // Azure's own host, at a public address that leads nowhere else.
    !special && ip != Ipv4Addr::new(168, 63, 129, 16)
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let segments = ip.segments();
    match segments {
        // IPv4 through NAT64 (RFC 6052), as a network without IPv4 has it: judged by what is inside.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
            is_public_v4(Ipv4Addr::new(a, b, c, d))
        }
        [0x2001, 0..=0x1ff | 0xdb8, ..] // protocol assignments (Teredo, benchmark, ORCHID); documentation
        | [0x2002, ..] // 6to4, withdrawn; could hold any IPv4
        | [0x3fff, 0..=0xfff, ..] => false, // documentation (RFC 9637)
        // Only this eighth of the space is handed out. Outside it: IPv4-mapped and -compatible, unique
        // local (with AWS's metadata at fd00:ec2::254), link-local, site-local, multicast.
        [0x2000..=0x3fff, ..] => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_public_internet_is_dialled() {
        for public in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "198.17.0.1",
            "198.20.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450::1",
            "64:ff9b::1.1.1.1",
        ] {
            assert_eq!(Reach::of(public.parse().unwrap()), Reach::Public, "{public}");
        }
        for not in [
            "0.0.0.0",
            "10.0.0.1",
            "100.64.0.1",
            "100.100.100.200",
            "127.0.0.1",
            "127.255.255.254",
            "168.63.129.16",
            "169.254.169.254",
            "169.254.170.2",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.1.1.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "::ffff:1.1.1.1",
            "64:ff9b::127.0.0.1",
            "64:ff9b::169.254.169.254",
            "64:ff9b:1::1.1.1.1",
            "100::1",
            "2001::1",
            "2001:2::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:a9fe:a9fe::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert_ne!(Reach::of(not.parse().unwrap()), Reach::Public, "{not}");
        }
    }

    #[test]
    fn loopback_has_one_notation() {
        assert_eq!(Reach::of("127.0.0.53".parse().unwrap()), Reach::Loopback);
        assert_eq!(Reach::of("::1".parse().unwrap()), Reach::Loopback);
        for other in ["::ffff:127.0.0.1", "::7f00:1", "64:ff9b::7f00:1", "0.0.0.0"] {
            assert_eq!(Reach::of(other.parse().unwrap()), Reach::Neither, "{other}");
        }
    }

    #[test]
    fn a_dealers_url_is_https_on_a_public_host() {
        for good in [
            "https://hooks.example.com/leads?token=x",
            "https://hooks.example.com:8443/",
            "https://hooks.example.com:443/",
            "https://1.1.1.1/",
            "https://[2606:4700::1111]/hook",
            "https://münchen.example/hook",
        ] {
            assert!(check_url(good, false).is_ok() && check_url(good, true).is_ok(), "{good}");
        }
        for bad in [
            "",
            "hooks.example.com",
            "http://hooks.example.com/",
            "ftp://hooks.example.com/",
            "file:///etc/passwd",
            "https://",
            "https://user:secret@hooks.example.com/",
            "https://user@hooks.example.com/",
            "https://hooks.example.com:22/",
            "https://hooks.example.com:0/",
            "https://hooks.example.com:65536/",
            "https://intranet/",
            "https://printer.local/",
            "https://metadata.google.internal/",
            "https://metadata.google.internal./",
            "https://10.0.0.1/",
            "https://169.254.169.254/latest/meta-data/",
            "https://[fd00:ec2::254]/",
            "https://[::ffff:127.0.0.1]/",
            "https://hooks.example.com/ x",
            "https:\\\\hooks.example.com\\",
            "https://hooks.exam\tple.com/",
            &format!("https://hooks.example.com/{}", "x".repeat(512)),
        ] {
            assert!(check_url(bad, false).is_err(), "{bad}");
            assert!(check_url(bad, true).is_err(), "{bad}");
        }
    }

    #[test]
    fn loopback_is_for_one_machine_in_whatever_notation() {
        for loopback in [
            "http://127.0.0.1:8080/hook",
            "https://127.0.0.1/",
            "http://localhost/",
            "http://localhost./",
            "http://demo.localhost:80/",
            "http://[::1]:9/",
            // The parser reads these as 127.0.0.1, and so does what dials.
            "http://0x7f000001/",
            "http://2130706433/",
            "http://0177.0.0.1/",
            "http://127.1/",
            "http://127.0.0.1./",
            "http://①②⑦.0.0.1/",
        ] {
            assert!(check_url(loopback, true).is_ok(), "{loopback}");
            assert!(check_url(loopback, false).is_err(), "{loopback}");
            assert!(check_url(&loopback.replacen("http:", "https:", 1), false).is_err(), "{loopback}");
        }
    }

    #[test]
    fn a_refused_url_is_not_repeated() {
        let error = check_url("https://user:secret@example.com/", false).unwrap_err();
        assert!(!error.to_string().contains("secret"));
    }
}
