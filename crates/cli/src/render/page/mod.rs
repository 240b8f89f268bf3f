//! What the pages for people share. Nothing is loaded from anywhere, and `maud` escapes every text: file names are
//! hostile.

pub(super) mod facts;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{Markup, PreEscaped, html};
use pinpress_probe::{Finding, Severity};

use crate::output::clean;

const STYLE: &str = include_str!("style.css");

/// The head of a page that may do what `policy` says, with its own `style` after what all pages have.
pub(super) fn head(title: &str, policy: &str, style: &str) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta http-equiv="Content-Security-Policy" content=(policy);
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            meta name="generator" content=(concat!("pinpress ", env!("CARGO_PKG_VERSION")));
            title { (title) }
            style { (PreEscaped(STYLE)) (PreEscaped(style)) }
        }
    }
}

/// One choice, which says how many it shows. What it hides is in the style sheet.
pub(super) fn choice(id: &str, label: &str, count: usize, checked: bool) -> Markup {
    html! {
        input type="radio" name="show" id={ "show-" (id) } checked[checked];
        label.(id) for={ "show-" (id) } { span.count { (count) } " " (label) }
    }
}

/// A picture in the page itself.
pub(super) fn inlined(jpeg: &[u8]) -> String {
    format!("data:image/jpeg;base64,{}", STANDARD.encode(jpeg))
}

/// One finding, as an entry of a list.
pub(super) fn finding(finding: &Finding) -> Markup {
    let Finding { rule, measured, required, remedy, severity, .. } = finding;
    let advice = *severity == Severity::Advice;
    html! {
        li.advice[advice] {
            code { (rule) }
            div {
                span.measured { (clean(measured)) @if advice { " " span.word { "advice" } } }
                span.rest {
                    @if !required.is_empty() { (if advice { "better " } else { "required " }) (clean(required)) " " }
                    b { "→ " (remedy) }
                }
            }
        }
    }
}
