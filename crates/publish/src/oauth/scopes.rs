//! What a token may do.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Scopes of a token, in the order they were given, each once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Scopes(Vec<String>);

impl Scopes {
    /// The names.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Those that are not in `granted`.
    #[must_use]
    pub fn missing_in<'a>(&'a self, granted: &Self) -> Vec<&'a str> {
        self.iter().filter(|scope| !granted.0.iter().any(|had| had == scope)).collect()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Default for Scopes {
    /// What publishing needs by either source: the card's three, those that `POST /pins` and `GET /user_account` list.
    /// Secret boards need more.
    fn default() -> Self {
        let all = ["boards:read", "boards:write", "pins:read", "pins:write", "user_accounts:read"];
        Self(all.map(str::to_owned).to_vec())
    }
}

impl FromStr for Scopes {
    type Err = Infallible;

    /// Pinterest writes them with commas in the authorize address and with spaces in answers. Whether a name is one is
    /// for Pinterest to say: new ones come.
    fn from_str(text: &str) -> Result<Self, Infallible> {
        let mut scopes: Vec<String> = Vec::new();
        for scope in text.split(|c: char| c == ',' || c.is_whitespace()).filter(|scope| !scope.is_empty()) {
            if !scopes.iter().any(|had| had == scope) {
                scopes.push(scope.to_owned());
            }
        }
        Ok(Self(scopes))
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_and_spaces_separate_and_nothing_comes_twice() {
        let scopes: Scopes = " pins:read, boards:read pins:read,,".parse().unwrap();
        assert_eq!(scopes.to_string(), "pins:read,boards:read");
        assert_eq!(Scopes::default().missing_in(&scopes), ["boards:write", "pins:write", "user_accounts:read"]);
        assert!(" , ".parse::<Scopes>().unwrap().is_empty());
    }
}
