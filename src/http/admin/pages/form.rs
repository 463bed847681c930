//! What a form or an address of a page says.

use crate::base::fault::Fault;
use crate::http::fault::Refusal;
use crate::http::inflow::Inflow;
use crate::http::{Edge, intake, query};
use hyper::Request;

/// Fields by name. Of one name the first counts.
#[derive(Debug, Default)]
pub struct Form(Fields);

impl Form {
    /// From `a=1&b=2`; nothing when that cannot be read.
    pub fn read(text: &str) -> Option<Form> {
        query::fields(text).map(Form)
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

    /// Whether a box is ticked.
    pub fn is_on(&self, name: &str) -> bool {
        matches!(self.get(name), "on" | "yes" | "true")
    }

    /// A port, where one is given.
    pub fn port(&self, name: &str) -> Result<Option<u16>, Fault> {
        match self.get(name).trim() {
            "" => Ok(None),
            text => text.parse().map(Some).map_err(|_| Fault::bad_input(format!("{name}: a port is a number from 1 to 65535"))),
        }
    }

    /// The tags of a device.
    pub fn tags(&self) -> Vec<&str> {
        words_of(self.get("tags"))
    }
}

/// `site=north rack=2`, or with commas between.
pub fn words_of(text: &str) -> Vec<&str> {
    text.split([',', ' ']).filter(|word| !word.is_empty()).collect()
}

/// The fields of a form that was sent.
pub async fn body(request: Request<Inflow>, edge: &Edge) -> Result<Form, Refusal> {
    sent(request, edge, edge.settings.limits.body_bytes, query::fields).await
}

/// The same with lines in its values, up to a size of its own.
pub async fn long_body(request: Request<Inflow>, edge: &Edge, most: usize) -> Result<Form, Refusal> {
    sent(request, edge, most, query::long_fields).await
}

type Fields = Vec<(String, String)>;

async fn sent(request: Request<Inflow>, edge: &Edge, most: usize, read: fn(&str) -> Option<Fields>) -> Result<Form, Refusal> {
    let (parts, incoming) = request.into_parts();
    let bytes = intake::of_kind("application/x-www-form-urlencoded", &parts.headers, incoming, most, edge.settings.limits.body).await?;
    let fields = std::str::from_utf8(&bytes).ok().and_then(read);
    fields.map(Form).ok_or_else(|| Fault::bad_input("the form cannot be read").into())
}

/// Where people go on when nothing else was asked for.
pub const HOME: &str = "/admin/";

/// A page of ours that somebody may be sent on to: nothing that a browser could take for another site.
pub fn local(path: &str) -> Option<&str> {
    let plain = path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-_.~?=&%#".contains(&byte));
    (path.starts_with(HOME) && plain && !path.contains("//") && path.len() <= 512).then_some(path)
}

/// Where to go afterwards: a page of ours, or the first one.
pub fn next(given: &str) -> &str {
    local(given).unwrap_or(HOME)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_decoded_and_the_first_of_a_name_counts() {
        let form = Form::read("user=an%20na&password=a+b%2Bc&user=eve&empty=").unwrap();
        assert_eq!((form.get("user"), form.get("password"), form.get("empty"), form.get("none")), ("an na", "a b+c", "", ""));
        assert!(form.need("empty").is_err());
        let form = Form::read("box=on&tags=site%3Dnorth,%20rack%3D2&ssh_port=%2022&rest_port=x").unwrap();
        assert_eq!((form.is_on("box"), form.is_on("tags"), form.tags()), (true, false, vec!["site=north", "rack=2"]));
        assert_eq!((form.port("ssh_port").unwrap(), form.port("none").unwrap()), (Some(22), None));
        assert!(form.port("rest_port").is_err());
        assert!(Form::read("a=%zz").is_none());
    }

    #[test]
    fn people_are_sent_on_to_pages_of_ours_only() {
        for good in ["/admin/", "/admin/plans/plan-1", "/admin/audit?limit=5&device=x#last"] {
            assert_eq!(local(good), Some(good));
        }
        let long = format!("/admin/{}", "a".repeat(600));
        for bad in [
            "",
            "/",
            "/mcp",
            "/admin",
            "//evil.example/admin/",
            "/admin//evil.example",
            "https://evil.example/admin/",
            "/admin/\\evil",
            "/admin/\"><script>",
            "/admin/a b",
            "/admin/\n",
            "javascript:alert(1)",
            &long,
        ] {
            assert_eq!(local(bad), None, "{bad}");
        }
    }
}
