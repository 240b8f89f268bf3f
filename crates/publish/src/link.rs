//! Addresses that people are sent to: whether they lead anywhere.

use std::net::Ipv4Addr;

use url::{Host, Url};

/// What is wrong with a link, or with the address of a picture. An empty one is none.
pub(crate) fn flaw(link: &str) -> Option<&'static str> {
    if link.is_empty() {
        return None;
    }
    if link.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Some("holds white space: write it percent-encoded");
    }
    let Ok(url) = Url::parse(link) else {
        return Some("not an address: write it with https:// in front");
    };
    if url.scheme() != "https" {
        return Some("not https: use an https:// address");
    }
    // `Url` accepts `https:example.com`; Pinterest is given the text itself.
    if !link.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("https://")) {
        return Some("not an address: write it with https:// in front");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Some("holds a user name or password, which everybody could read: take it out");
    }
    if !is_reachable(&url) {
        return Some("leads to this machine or its own network, where nobody else gets: use an address on the web");
    }
    None
}

/// Whether people elsewhere could follow it, as far as the address tells.
fn is_reachable(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.').to_ascii_lowercase();
            // Names for no public use: RFC 6761, RFC 6762, RFC 8375, and ICANN's reservation of 2024.
            let local = [".localhost", ".local", ".home.arpa", ".internal"];
            name.contains('.') && !local.iter().any(|end| name.ends_with(end))
        }
        Some(Host::Ipv4(address)) => !is_local(address),
        Some(Host::Ipv6(address)) => match address.to_ipv4_mapped() {
            Some(address) => !is_local(address),
            None => {
                !address.is_loopback()
                    && !address.is_unspecified()
                    && !address.is_unique_local()
                    && !address.is_unicast_link_local()
            }
        },
        None => false,
    }
}

fn is_local(address: Ipv4Addr) -> bool {
    address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_unspecified()
        || address.is_broadcast()
}

#[cfg(test)]
mod tests {
    use super::flaw;

    #[test]
    fn links_are_https_and_lead_to_the_web() {
        for good in [
            "https://e.example",
            "HTTPS://e.example/a?b=c#d",
            "https://münchen.example/ü",
            "https://[2001:db8::1]/",
            "https://203.0.113.5:8443/",
            "https://localhost.example.",
        ] {
            assert_eq!(flaw(good), None, "{good}");
        }
        for bad in [
            "http://e.example",
            "e.example",
            "https:e.example",
            "https://",
            "https://e.example/a b",
            " https://e.example",
            "https://e.example/\n",
            "https://me:secret@e.example/",
            "javascript:alert(1)",
            "https://localhost/",
            "https://shop/",
            "https://nas.local/a",
            "https://127.0.0.1/",
            "https://192.168.1.5/",
            "https://0x7f000001/",
            "https://[::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://[fe80::1]/",
        ] {
            assert!(flaw(bad).is_some(), "{bad:?}");
        }
    }
}
