//! Forms and queries: names and values in percent-encoding.

use crate::base::fault::Fault;
use crate::http::admin::page;
use crate::http::fault::Refusal;
use crate::http::{Edge, intake};
use hyper::Request;
use hyper::body::Incoming;

/// The most fields.
const MOST_FIELDS: usize = 64;

/// Fields by name. Of one name the first counts.
#[derive(Debug, Default)]
pub struct Form(Vec<(String, String)>);

impl Form {
    /// From `a=1&b=2`; nothing when that cannot be read.
    pub fn read(text: &str) -> Option<Form> {
        let parts: Vec<&str> = text.split('&').filter(|part| !part.is_empty()).collect();
        if parts.len() > MOST_FIELDS {
            return None;
        }
        let field = |part: &str| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            Some((decoded(&name.replace('+', " "))?, decoded(&value.replace('+', " "))?))
        };
        parts.into_iter().map(field).collect::<Option<Vec<_>>>().map(Form)
    }

    /// A field; empty when it is not there.
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// A field that has to be there.
    pub fn need(&self, name: &str) -> Result<&str, Fault> {
        match self.get(name) {
            "" => Err(Fault::bad_input(format!("{name} is missing")).hint("fill it in and send again")),
            value => Ok(value),
        }
    }
}

/// The fields of a form that was sent.
pub async fn body(request: Request<Incoming>, edge: &Edge) -> Result<Form, Refusal> {
    let (parts, incoming) = request.into_parts();
    let limits = &edge.settings.limits;
    let bytes = intake::of_kind("application/x-www-form-urlencoded", &parts.headers, incoming, limits.body_bytes, limits.body).await?;
    let text = std::str::from_utf8(&bytes).ok();
    text.and_then(Form::read).ok_or_else(|| Fault::bad_input("the form cannot be read").into())
}

/// Percent-encoding undone, once; nothing for what is no text, or holds control characters.
pub fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = [rest.next()?, rest.next()?];
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
    }
    String::from_utf8(bytes).ok().filter(|text| !text.chars().any(char::is_control))
}

/// A value as it stands in a query.
pub fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// Where to go afterwards: a page of ours, or the first one.
pub fn next(given: &str) -> &str {
    page::local(given).unwrap_or(page::HOME)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_decoded_and_the_first_of_a_name_counts() {
        let form = Form::read("user=an%20na&password=a+b%2Bc&user=eve&empty=").unwrap();
        assert_eq!((form.get("user"), form.get("password"), form.get("empty"), form.get("none")), ("an na", "a b+c", "", ""));
        assert!(form.need("empty").is_err());
        assert!(Form::read("a=%zz").is_none() && Form::read(&"a=1&".repeat(65)).is_none());
    }

    #[test]
    fn what_is_encoded_is_decoded_to_the_same() {
        for text in ["", "a b", "ä&=?#%", "plan-1/x"] {
            assert_eq!(decoded(&encoded(text)).as_deref(), Some(text));
        }
    }
}
