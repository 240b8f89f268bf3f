//! Where metrics are served.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, ToSocketAddrs as _};
use std::str::FromStr;

/// An address to listen on: `127.0.0.1:9464`, `localhost:9464`, or `:9464` for all of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenAddress {
    /// Empty for all.
    host: String,
    port: u16,
}

/// A text that is no such address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("write HOST:PORT, such as 127.0.0.1:9464, or :9464 for all addresses of this machine")]
pub struct NotAnAddress;

impl FromStr for ListenAddress {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        let (host, port) = text.rsplit_once(':').ok_or(NotAnAddress)?;
        // An IPv6 address has its colons in brackets.
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let is_host = match bare {
            Some(host) => host.parse::<Ipv6Addr>().is_ok(),
            None => host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte)),
        };
        let port = port.parse().map_err(|_| NotAnAddress)?;
        if is_host { Ok(Self { host: host.to_owned(), port }) } else { Err(NotAnAddress) }
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl ListenAddress {
    /// Takes the port.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn bind(&self) -> io::Result<TcpListener> {
        if !self.host.is_empty() {
            return TcpListener::bind(self.to_string().to_socket_addrs()?.collect::<Vec<_>>().as_slice());
        }
        // Where the system has IPv6, this takes both.
        match TcpListener::bind(SocketAddr::from((Ipv6Addr::UNSPECIFIED, self.port))) {
            Err(error) if error.kind() != io::ErrorKind::AddrInUse => {
                TcpListener::bind(SocketAddr::from((Ipv4Addr::UNSPECIFIED, self.port)))
            }
            bound => bound,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_a_port_and_may_have_a_host() {
        for text in ["127.0.0.1:9464", ":9464", "localhost:0", "[::1]:80", "metrics-1.example.org:9464"] {
            assert_eq!(text.parse::<ListenAddress>().map(|address| address.to_string()).as_deref(), Ok(text));
        }
        for bad in
            ["", "9464", "127.0.0.1", ":", ":port", ":65536", "::1:80", "[x]:80", "a b:80", "http://a:80", "a/b:8"]
        {
            assert_eq!(bad.parse::<ListenAddress>(), Err(NotAnAddress), "{bad}");
        }
    }

    #[test]
    fn all_addresses_are_those_of_this_machine() {
        let all: ListenAddress = ":0".parse().unwrap();
        let listener = all.bind().unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok());
        assert_eq!(ListenAddress { port, ..all }.bind().unwrap_err().kind(), io::ErrorKind::AddrInUse);
    }
}
