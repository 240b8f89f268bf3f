//! Texts with places for the name of each video: `{words}, part {n}`.

use std::borrow::Cow;
use std::fmt;
use std::path::Path;
use std::str::FromStr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// All but what RFC 3986 §2.3 leaves unreserved.
pub(crate) const IN_A_SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What can stand in braces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Name {
    /// The file's name without its ending.
    Stem,
    /// The same with `_` and `-` as spaces: the title of a video that has none.
    Words,
    /// The name of the folder that it lies in.
    Parent,
    /// Its place among the videos of the run, from 1.
    Number,
}

impl Name {
    const ALL: [(&'static str, Self); 4] =
        [("stem", Self::Stem), ("words", Self::Words), ("parent", Self::Parent), ("n", Self::Number)];
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Name(Name),
}

/// A text in which `{stem}`, `{words}`, `{parent}` and `{n}` stand for what they are of each video; `{{` and `}}` are
/// braces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    source: String,
    parts: Vec<Part>,
}

/// A video as templates name it.
#[derive(Debug, Clone, Copy)]
pub struct Named<'a> {
    /// The file.
    pub video: &'a Path,
    /// Its place among the videos of the run, from 1.
    pub number: usize,
}

/// A text that is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}, at character {column}")]
pub struct TemplateError {
    /// Where, in characters from 1.
    pub column: usize,
    reason: String,
}

impl FromStr for Template {
    type Err = TemplateError;

    fn from_str(source: &str) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut text = String::new();
        let mut rest = source;
        while let Some(brace) = rest.find(['{', '}']) {
            text.push_str(&rest[..brace]);
            let at = &rest[brace..];
            let error = |reason: String| {
                let before = source.len() - at.len();
                TemplateError { column: source[..before].chars().count() + 1, reason }
            };
            if let Some(after) = at.strip_prefix("{{").or_else(|| at.strip_prefix("}}")) {
                text.push_str(&at[..1]);
                rest = after;
            } else if let Some(inside) = at.strip_prefix('{') {
                let end = inside.find(['{', '}']).filter(|end| inside[*end..].starts_with('}'));
                let end = end.ok_or_else(|| error("a { that is not closed: write {{ for a brace".to_owned()))?;
                let name = inside[..end].trim();
                let known = Name::ALL.iter().find(|(known, _)| *known == name);
                let (_, known) = known.ok_or_else(|| error(unknown(name)))?;
                if !text.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut text)));
                }
                parts.push(Part::Name(*known));
                rest = &inside[end + 1..];
            } else {
                return Err(error("a } without its {: write }} for a brace".to_owned()));
            }
        }
        text.push_str(rest);
        if !text.is_empty() {
            parts.push(Part::Text(text));
        }
        Ok(Self { source: source.to_owned(), parts })
    }
}

fn unknown(name: &str) -> String {
    let names = Name::ALL.map(|(known, _)| format!("{{{known}}}")).join(", ");
    format!("unknown name {{{name}}}: there are {names}, and {{{{ for a brace")
}

impl Template {
    /// The text for one video.
    #[must_use]
    pub fn fill(&self, named: Named<'_>) -> String {
        self.filled(named, |value| Cow::Borrowed(value))
    }

    /// The address for one video: what is put in is percent-encoded, so that it stays within its segment.
    #[must_use]
    pub fn fill_address(&self, named: Named<'_>) -> String {
        self.filled(named, |value| utf8_percent_encode(value, IN_A_SEGMENT).into())
    }

    fn filled(&self, named: Named<'_>, write: impl Fn(&str) -> Cow<'_, str>) -> String {
        let mut filled = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => filled.push_str(text),
                Part::Name(name) => filled.push_str(&write(&named.value(*name))),
            }
        }
        filled
    }

    /// A template that is this text for every video.
    #[must_use]
    pub fn escape(text: &str) -> String {
        text.replace('{', "{{").replace('}', "}}")
    }
}

/// As it was written.
impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

impl Named<'_> {
    fn value(self, name: Name) -> String {
        match name {
            Name::Stem => self.video.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            Name::Words => words(self.video),
            Name::Parent => self.parent(),
            Name::Number => self.number.to_string(),
        }
    }

    fn parent(self) -> String {
        // `clip.mp4` and `../clip.mp4` lie in folders that have names too.
        let whole = std::path::absolute(self.video).unwrap_or_else(|_| self.video.to_owned());
        let folder = whole.parent().map(Path::to_owned).unwrap_or_default();
        let folder = if folder.file_name().is_none() { folder.canonicalize().unwrap_or(folder) } else { folder };
        folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }
}

/// The name of a video without its ending, `_` and `-` as spaces.
pub(crate) fn words(video: &Path) -> String {
    let stem = video.file_stem().unwrap_or_default().to_string_lossy().replace(['_', '-'], " ");
    stem.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn clip() -> Named<'static> {
        Named { video: Path::new("/raw/my day/a_b--c d.mov"), number: 7 }
    }

    fn error(text: &str) -> String {
        text.parse::<Template>().unwrap_err().to_string()
    }

    #[test]
    fn names_stand_for_what_they_are_of_each_video() {
        let filled = |text: &str| text.parse::<Template>().unwrap().fill(clip());
        assert_eq!(filled("{stem}|{words}|{parent}|{n}"), "a_b--c d|a b c d|my day|7");
        assert_eq!(filled("{{stem}} { n }{n}"), "{stem} 77");
        assert_eq!(filled("no names"), "no names");
        assert_eq!(filled(""), "");
    }

    #[test]
    fn what_is_put_into_an_address_stays_in_its_segment() {
        let template: Template = "https://x.example/{stem}?in={parent}".parse().unwrap();
        assert_eq!(template.fill_address(clip()), "https://x.example/a_b--c%20d?in=my%20day");
    }

    #[test]
    fn mistakes_have_a_place() {
        let names = "there are {stem}, {words}, {parent}, {n}, and {{ for a brace";
        assert_eq!(error("ü {stm}"), format!("unknown name {{stm}}: {names}, at character 3"));
        assert_eq!(error("{}"), format!("unknown name {{}}: {names}, at character 1"));
        assert_eq!(error("a {stem"), "a { that is not closed: write {{ for a brace, at character 3");
        assert_eq!(error("a {st{em}"), "a { that is not closed: write {{ for a brace, at character 3");
        assert_eq!(error("{n} a}"), "a } without its {: write }} for a brace, at character 6");
    }

    proptest! {
        #[test]
        fn any_text_is_a_template_once_it_is_escaped(text in "[a{}ü \n]{0,40}") {
            let template: Template = Template::escape(&text).parse().unwrap();
            prop_assert_eq!(template.fill(clip()), text);
        }

        #[test]
        fn templates_can_be_joined(texts in prop::collection::vec(("[a{}]{0,8}", 0_usize..5), 0..6)) {
            // Each value stands where its name was, whatever is around it.
            let (mut source, mut wanted) = (String::new(), String::new());
            for (text, name) in &texts {
                source += &Template::escape(text);
                wanted += text;
                if let Some((name, value)) = [("stem", "a_b--c d"), ("words", "a b c d"), ("n", "7")].get(*name) {
                    source += &format!("{{{name}}}");
                    wanted += value;
                }
            }
            // A brace that is escaped and one that opens a name are three in a row, and read from the left.
            let template: Template = source.parse().unwrap();
            prop_assert_eq!(template.fill(clip()), wanted);
            prop_assert_eq!(template.to_string(), source);
        }

        #[test]
        fn a_mistake_is_where_a_brace_is(text in "[{}sn]{0,12}") {
            if let Err(error) = text.parse::<Template>() {
                let at = text.chars().nth(error.column - 1);
                prop_assert!(matches!(at, Some('{' | '}')), "{}: {:?}", error, at);
            }
        }
    }
}
