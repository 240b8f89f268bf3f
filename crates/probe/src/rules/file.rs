//! The file as a whole: format, length, wholeness, and advice about `moov` and private metadata.

use super::{advises, fails, listed};
use crate::finding::{Finding, Remedy, RuleId};
use crate::info::{Anomaly, MediaInfo, PrivateTag};
use crate::spec::{ContainerRule, Spec};

pub(super) fn check(info: &MediaInfo, spec: &Spec, findings: &mut Vec<Finding>) {
    if let Some(rule) = &spec.container {
        findings.extend(container(info, rule));
    }
    if let Some(rule) = spec.file_size
        && info.size_bytes > rule.max_bytes
    {
        let required = format!("at most {} bytes", grouped(rule.max_bytes));
        let measured = format!("{} bytes", grouped(info.size_bytes));
        findings.push(fails(RuleId::FileSize, None, measured, required, Remedy::EncodeVideo));
    }
    findings.extend(info.anomalies.iter().filter_map(integrity));
    if info.faststart == Some(false) {
        findings.push(advises(
            RuleId::Faststart,
            None,
            "moov after mdat".to_owned(),
            "moov first, so that playing can begin before all is loaded".to_owned(),
            Remedy::Remux,
        ));
    }
    let private = info.private_tags();
    if !private.is_empty() {
        let kinds: Vec<_> = private.iter().map(|tag| private_name(*tag)).collect();
        findings.push(advises(
            RuleId::Privacy,
            None,
            format!("{} metadata", kinds.join(" and ")),
            "none in what is published".to_owned(),
            Remedy::Remux,
        ));
    }
}

/// A format that is not allowed fails, and its name is told when it says another; an allowed one under a foreign name
/// passes, but software that goes by names will not take it.
fn container(info: &MediaInfo, rule: &ContainerRule) -> Option<Finding> {
    let name = info.container.name();
    let extension = info.anomalies.iter().find_map(|anomaly| match anomaly {
        Anomaly::Misnamed { extension } => Some(extension.as_deref()),
        _ => None,
    });
    let allowed = rule.allowed.iter().any(|allowed| allowed == name);
    let measured = match extension {
        Some(Some(extension)) => format!("{name}, named .{extension}"),
        Some(None) if allowed => format!("{name}, named without an extension"),
        Some(None) | None => name.to_owned(),
    };
    if !allowed {
        return Some(fails(RuleId::Container, None, measured, listed(&rule.allowed), Remedy::Remux));
    }
    let usual = info.container.usual_extension()?;
    extension.map(|_| advises(RuleId::Container, None, measured, format!("a name in .{usual}"), Remedy::Rename))
}

fn integrity(anomaly: &Anomaly) -> Option<Finding> {
    const WHOLE: &str = "a whole file";
    let rule = RuleId::Integrity;
    Some(match anomaly {
        // The rule of containers tells it.
        Anomaly::Misnamed { .. } => return None,
        Anomaly::Truncated { whole } => {
            let reach = whole.map_or_else(|| "nothing is whole".to_owned(), |time| format!("whole up to {time}"));
            fails(rule, None, format!("cut off, {reach}"), WHOLE.to_owned(), Remedy::Replace)
        }
        Anomaly::CorruptPackets { count, first } => {
            let place = first.map_or_else(String::new, |time| format!(", the first at {time}"));
            fails(rule, None, format!("{count} damaged packets{place}"), WHOLE.to_owned(), Remedy::Replace)
        }
        Anomaly::Undecodable { stream, medium, partly, faults, first } => {
            let measured = match (partly, *faults, first) {
                (false, ..) => "nothing can be decoded".to_owned(),
                (true, 1, Some(time)) => format!("1 fault, at {time}"),
                (true, 1, None) => "1 fault".to_owned(),
                (true, faults, Some(time)) => format!("{faults} faults, the first at {time}"),
                (true, faults, None) => format!("{faults} faults"),
            };
            let required = "every packet to decode".to_owned();
            fails(rule, Some(*stream), format!("{medium}: {measured}"), required, Remedy::Replace)
        }
        Anomaly::OddDisplayMatrix { stream } => advises(
            rule,
            Some(*stream),
            "a display matrix that is no quarter turn".to_owned(),
            "a turn by 0, 90, 180 or 270 degrees".to_owned(),
            Remedy::EncodeVideo,
        ),
        Anomaly::Disagreement { what, first, second } => {
            advises(rule, None, format!("{what}: {first} against {second}"), "one answer".to_owned(), Remedy::Remux)
        }
        Anomaly::UnevenStreams { video, audio } => advises(
            rule,
            None,
            format!("the picture lasts {video}, the sound {audio}"),
            "picture and sound of one length".to_owned(),
            Remedy::None,
        ),
    })
}

const fn private_name(tag: PrivateTag) -> &'static str {
    match tag {
        PrivateTag::Location => "location",
        PrivateTag::Device => "device",
    }
}

/// `2,000,000,000`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn thousands_are_grouped() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_000), "1,000");
        assert_eq!(grouped(2_000_000_001), "2,000,000,001");
    }
}
