//! A browser, as far as the admin API sees one: a cookie jar, and the headers that pages of ours send.

use crate::http_rig::{Answer, Web, request, talk};
use routeros_mcp::access::Role;
use routeros_mcp::base::secret::Secret;
use serde_json::{Value, json};
use tokio::net::TcpStream;

/// What a page of ours sends along.
pub const OURS: &str = "Sec-Fetch-Site: same-origin\r\n";

pub struct Browser {
    pub at: String,
    pub jar: Vec<(String, String)>,
}

impl Browser {
    pub fn of(web: &Web) -> Browser {
        Browser { at: web.at().to_string(), jar: Vec::new() }
    }

    /// Another site's browser.
    pub fn at(address: &str) -> Browser {
        Browser { at: address.into(), jar: Vec::new() }
    }

    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.jar.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// One request with the cookies of the jar; those that come back go into it.
    pub async fn send(&mut self, method: &str, path: &str, headers: &str, body: &str) -> Answer {
        let cookies: Vec<String> = self.jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies = if cookies.is_empty() { String::new() } else { format!("Cookie: {}\r\n", cookies.join("; ")) };
        let host = format!("Host: {}\r\n", self.at);
        let stream = TcpStream::connect(&self.at).await.unwrap();
        let answer = talk(stream, request(method, path, &format!("{host}{cookies}{headers}"), body).as_bytes()).await;
        for (_, value) in answer.headers.iter().filter(|(name, _)| name == "set-cookie") {
            let (name, value) = value.split(';').next().unwrap().split_once('=').unwrap();
            self.jar.retain(|(known, _)| known != name);
            if !value.is_empty() {
                self.jar.push((name.into(), value.into()));
            }
        }
        answer
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, OURS, "").await
    }

    /// As a page of ours does.
    pub async fn post(&mut self, path: &str, body: Value) -> Answer {
        self.send("POST", path, &format!("{OURS}Content-Type: application/json\r\n"), &body.to_string()).await
    }
}

/// What people here sign in with.
pub const PASSWORD: &str = "correct-horse-71";

/// Somebody new, signed in.
pub async fn signed_in(web: &Web, name: &str, role: Role) -> Browser {
    web.site.app.dispatch.world().access.add(name, role, Secret::new(PASSWORD)).await.unwrap();
    let mut browser = Browser::of(web);
    let answer = browser.post("/admin/api/v1/session", json!({"user": name, "password": PASSWORD})).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    browser
}

impl Browser {
    /// A form, as a page of ours sends it.
    pub async fn form(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.form_from(path, OURS, fields).await
    }

    /// A form from wherever the headers say.
    pub async fn form_from(&mut self, path: &str, headers: &str, fields: &[(&str, &str)]) -> Answer {
        let headers = format!("Content-Type: application/x-www-form-urlencoded\r\n{headers}");
        self.send("POST", path, &headers, &encoded(fields)).await
    }
}

/// Where an answer sends the browser on to.
pub fn where_to(answer: &Answer) -> &str {
    assert_eq!(answer.status, 303, "{answer:?}");
    answer.header("location").unwrap()
}

/// Fields as a form sends them.
pub fn encoded(fields: &[(&str, &str)]) -> String {
    let one = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    fields.iter().map(|(name, value)| format!("{name}={}", one(value))).collect::<Vec<_>>().join("&")
}
