//! People at the admin API and its pages, by the bytes a browser would send.

use crate::http_rig::{Answer, Web};
use routeros_mcp::access::Role;
use routeros_mcp::base::secret::Secret;
use serde_json::{Value, json};

pub const API: &str = "/admin/api/v1";
pub const PASSWORD: &str = "correct-horse-71";

/// Somebody who is signed in.
pub struct Person<'w> {
    pub web: &'w Web,
    pub cookie: String,
}

/// One request with whatever headers.
pub async fn ask(web: &Web, method: &str, path: &str, headers: &str, body: Option<&Value>) -> Answer {
    let (kind, body) = match body {
        Some(body) => ("Content-Type: application/json\r\n", body.to_string()),
        None => ("", String::new()),
    };
    web.ask(method, &format!("{API}{path}"), &format!("{headers}{kind}"), &body).await
}

pub async fn sign_in(web: &Web, user: &str, password: &str, headers: &str) -> Answer {
    ask(web, "POST", "/session", headers, Some(&json!({"user": user, "password": password}))).await
}

pub fn cookie_of(answer: &Answer) -> String {
    let set = answer.header("set-cookie").unwrap_or_else(|| panic!("{answer:?}"));
    set.split(';').next().unwrap().to_owned()
}

pub fn document(answer: &Answer) -> Value {
    serde_json::from_str(&answer.body).unwrap_or_else(|_| panic!("{answer:?}"))
}

impl<'w> Person<'w> {
    pub async fn of(web: &'w Web, name: &str, role: Role) -> Person<'w> {
        web.site.app.dispatch.world().access.add(name, role, Secret::new(PASSWORD)).await.unwrap();
        let answer = sign_in(web, name, PASSWORD, "").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        Person { web, cookie: cookie_of(&answer) }
    }

    pub async fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        self.ask_with(method, path, "", body).await
    }

    pub async fn ask_with(&self, method: &str, path: &str, headers: &str, body: Option<&Value>) -> Answer {
        ask(self.web, method, path, &format!("Cookie: {}\r\n{headers}", self.cookie), body).await
    }
}

impl Person<'_> {
    /// A page.
    pub async fn page(&self, path: &str) -> Answer {
        self.web.ask("GET", path, &format!("Cookie: {}\r\n", self.cookie), "").await
    }

    /// A form, as a page of ours sends it.
    pub async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.form_from(path, "Sec-Fetch-Site: same-origin\r\n", fields).await
    }

    /// A form from wherever the headers say.
    pub async fn form_from(&self, path: &str, headers: &str, fields: &[(&str, &str)]) -> Answer {
        let headers = format!("Cookie: {}\r\nContent-Type: application/x-www-form-urlencoded\r\n{headers}", self.cookie);
        self.web.ask("POST", path, &headers, &encoded(fields)).await
    }
}

/// Fields as a form sends them.
pub fn encoded(fields: &[(&str, &str)]) -> String {
    let one = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    fields.iter().map(|(name, value)| format!("{name}={}", one(value))).collect::<Vec<_>>().join("&")
}
