//! URIs of resources: `scheme://segment/segment`, each segment percent-encoded, at most one of them a variable.
//!
//! Pure. What does not look like one of ours is no resource, whatever else it may be: no query, no fragment, no user, no
//! port, no empty segment. Ids and names come in percent-encoded and are compared decoded.
//!
//! Source: RFC 3986 sections 2 and 3, RFC 6570 section 3.2.2 (what clients make of a template).

/// Longest URI that is looked at, in bytes: the longest name, encoded whole, is below 200.
const MOST_BYTES: usize = 512;

/// A URI taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uri {
    scheme: String,
    segments: Vec<String>,
}

impl Uri {
    /// Takes it apart; `None` for what cannot be one of ours.
    pub fn parse(text: &str) -> Option<Uri> {
        if text.len() > MOST_BYTES || text.contains(['?', '#']) {
            return None;
        }
        let (scheme, rest) = text.split_once("://")?;
        // A library that normalises URIs may end one with a slash.
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let segments = rest.split('/').map(decoded).collect::<Option<Vec<_>>>()?;
        Some(Uri { scheme: scheme.to_ascii_lowercase(), segments })
    }

    /// What the template's variable stands for here, empty if it has none; `None` when the URI is not of this template.
    pub fn fits(&self, template: &str) -> Option<String> {
        let (scheme, rest) = template.split_once("://")?;
        let parts: Vec<&str> = rest.split('/').collect();
        if scheme != self.scheme || parts.len() != self.segments.len() {
            return None;
        }
        let mut value = String::new();
        for (part, segment) in parts.iter().zip(&self.segments) {
            if variable(part).is_some() {
                value.clone_from(segment);
            } else if part != segment {
                return None;
            }
        }
        Some(value)
    }
}

/// `id` of `{id}` somewhere in a template.
pub fn variable(template: &str) -> Option<&str> {
    let (_, rest) = template.split_once('{')?;
    rest.split_once('}').map(|(name, _)| name)
}

/// The template with its variable filled in, percent-encoded.
pub fn filled(template: &str, value: &str) -> String {
    match variable(template) {
        Some(name) => template.replace(&format!("{{{name}}}"), &encoded(value)),
        None => template.to_owned(),
    }
}

/// Everything but RFC 3986's unreserved characters as `%XX`.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// A segment's text; `None` when it is empty, no UTF-8, badly encoded or has characters nobody sees.
fn decoded(segment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let digit = |byte: u8| char::from(byte).to_digit(16);
                let (high, low) = (digit(rest.next()?)?, digit(rest.next()?)?);
                bytes.push((high * 16 + low) as u8);
            }
            _ => bytes.push(byte),
        }
    }
    let text = String::from_utf8(bytes).ok()?;
    (!text.is_empty() && !text.chars().any(char::is_control)).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn id(uri: &str) -> Option<String> {
        Uri::parse(uri)?.fits("device://{id}/health")
    }

    #[test]
    fn names_come_out_decoded_and_other_uris_do_not_fit() {
        for (uri, value) in [
            ("device://edge-7/health", Some("edge-7")),
            ("DEVICE://edge-7/health/", Some("edge-7")),
            ("device://north%20caf%C3%A9%2f7/health", Some("north café/7")),
            ("device://edge-7/overview", None),
            ("device://edge-7", None),
            ("device:///health", None),
            ("device://edge-7/health/more", None),
            ("device://edge-7//health", None),
            ("device://edge-7/health?x=1", None),
            ("device://edge-7/health#x", None),
            ("device://edge%7/health", None),
            ("device://edge%zz/health", None),
            ("device://edge%ff/health", None),
            ("device://edge%0A/health", None),
            ("device:edge-7/health", None),
            ("http://edge-7/health", None),
            ("", None),
        ] {
            assert_eq!(id(uri).as_deref(), value, "{uri}");
        }
        assert_eq!(id(&format!("device://{}/health", "x".repeat(MOST_BYTES))), None);
        assert_eq!(Uri::parse("fleet://summary").and_then(|uri| uri.fits("fleet://summary")).as_deref(), Some(""));
    }

    proptest! {
        #[test]
        fn every_name_survives_a_template(name in "[^\\p{Cc}]{1,40}") {
            let uri = filled("device://{id}/health", &name);
            prop_assert!(uri.is_ascii());
            prop_assert_eq!(id(&uri), Some(name));
        }

        #[test]
        fn no_text_is_too_odd(text in "(?s).{0,80}") {
            let _ = id(&text);
            let _ = id(&format!("device://{text}/health"));
        }
    }
}
