//! A RouterOS script for a person to paste: a group with no more than we need, a user in it, and HTTPS for REST where there
//! is none yet.
//!
//! Run twice it changes the password, and the rights where others are asked for. Values in `find` are quoted: RouterOS cuts
//! bare ones at `/`.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/8978504/User>,
//! <https://help.mikrotik.com/docs/spaces/ROS/pages/2555969/Certificates>

use crate::base::fault::Fault;
use crate::base::ids::random;
use crate::base::secret::Secret;
use crate::fleet::enroll::check_username;
use crate::routeros::script::quote;
use ipnet::IpNet;
use std::net::IpAddr;

/// What reading takes; `test` is for ping and its like. No `sensitive`: we never need a router's secrets.
const READS: &str = "read,test,api,rest-api";

/// What the user is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bootstrap {
    /// The RouterOS user to make.
    pub username: String,
    /// Also for changes: the policy `write`.
    pub writes: bool,
    /// It may change its own password: the policy `password`.
    pub rotates: bool,
    /// It may log in over SSH too: the policy `ssh`.
    pub ssh: bool,
    /// Only from this address or range: the appliance's own.
    pub from: Option<String>,
}

/// A password for it: nothing in it needs quotes anywhere.
pub fn password() -> Secret {
    Secret::new(data_encoding::BASE64URL_NOPAD.encode(&random::<24>()))
}

impl Bootstrap {
    /// Errs with `BadInput` for a user or an address that no router takes: the script would end half-way there.
    pub fn check(&self) -> Result<(), Fault> {
        check_username(&self.username)?;
        let is_address = |text: &str| text.parse::<IpAddr>().is_ok() || text.parse::<IpNet>().is_ok();
        match &self.from {
            Some(from) if !is_address(from) => {
                Err(Fault::bad_input("from is no address and no range").hint("such as 192.0.2.9 or 192.0.2.0/24, the appliance's own"))
            }
            _ => Ok(()),
        }
    }

    /// The policies of its group.
    pub fn policy(&self) -> String {
        let more = [(self.writes, ",write"), (self.rotates, ",password"), (self.ssh, ",ssh")];
        more.iter().filter(|(wanted, _)| *wanted).fold(READS.to_owned(), |policy, (_, word)| policy + word)
    }

    /// Its group.
    pub fn group(&self) -> String {
        format!("{}-group", self.username)
    }

    /// The whole script.
    pub fn script(&self, password: &Secret) -> String {
        let steps = self.steps(password);
        format!("# routeros-mcp: a user with the least rights, and HTTPS for REST. RouterOS 7.9 or newer.\n{{\n{steps}}}\n")
    }

    /// What the script does, without the braces around it.
    pub(super) fn steps(&self, password: &Secret) -> String {
        let (user, group, policy) = (quote(&self.username), quote(&self.group()), self.policy());
        let from = self.from.as_deref().map(|from| format!(" address={}", quote(from))).unwrap_or_default();
        let password = quote(password.expose());
        let taken = quote(&format!("{} is a full user of somebody's and is left alone: choose another name", self.username));
        // Where it was off nobody else needs it: it is opened for us alone.
        let www = match &self.from {
            Some(from) => {
                format!("  :if ([/ip/service/get www-ssl disabled]) do={{ /ip/service/set www-ssl disabled=no address={} }}", quote(from))
            }
            None => "  /ip/service/set www-ssl disabled=no".to_owned(),
        };
        format!(
            r#"  :if ([:len [/user/group/find where name={group}]] = 0) do={{
    /user/group/add name={group} policy={policy}
  }} else={{
    /user/group/set [/user/group/find where name={group}] policy={policy}
  }}
  :if ([:len [/user/find where name={user} and group="full"]] > 0) do={{
    :put {taken}
  }} else={{
    :if ([:len [/user/find where name={user}]] = 0) do={{
      /user/add name={user} group={group}{from} password={password} comment="{OURS}"
    }} else={{
      /user/set [/user/find where name={user}] group={group}{from} password={password}
    }}
  }}
  :if ([:len [/ip/service/find where name="www-ssl" and certificate="none"]] > 0) do={{
    /certificate/add name="rest-ca" common-name="rest-ca" key-usage=key-cert-sign,crl-sign days-valid=3650
    /certificate/sign "rest-ca"
    :delay 3s
    /certificate/add name="rest-tls" common-name=[/system/identity/get name] key-usage=digital-signature,key-encipherment,tls-server days-valid=3650
    /certificate/sign "rest-tls" ca="rest-ca"
    :delay 3s
    /ip/service/set www-ssl certificate="rest-tls"
  }}
{www}
"#
        )
    }

    /// The script of a registration: the same, and then the router says what it shows, by itself or to whoever pasted it.
    ///
    /// The report is lines of `key value`. Our certificate is not checked: what is sent opens nothing (see `registration.rs`).
    pub(super) fn registering(&self, password: &Secret, url: &str, token: &Secret) -> String {
        let (steps, url, token) = (self.steps(password), quote(url), quote(&format!("token {}\n", token.expose())));
        format!(
            r#"# routeros-mcp: a user with the least rights, HTTPS for REST, and a report of its certificate. RouterOS 7.9 or newer.
{{
{steps}  :local seen [/certificate/get [/certificate/find where name=[/ip/service/get www-ssl certificate]] fingerprint]
  :local serial "-"
  :do {{ :set serial [/system/routerboard/get serial-number] }} on-error={{}}
  :local report ("fingerprint " . $seen . "\nport " . [/ip/service/get www-ssl port] . "\nserial " . $serial . "\nboard " . [/system/resource/get board-name] . "\nversion " . [/system/resource/get version] . "\nidentity " . [/system/identity/get name] . "\n")
  :do {{
    /tool/fetch url={url} http-method=post http-header-field="Content-Type: text/plain" http-data=({token} . $report) check-certificate=no output=none
    :put "Reported. In the page, compare the fingerprint with this one:"
  }} on-error={{
    :put "It could not report itself. Paste these lines into the page:"
    :put $report
  }}
  :put ("sha256:" . $seen)
}}
"#
        )
    }

    /// Undoes what the script made of users, and of nobody else: for a router that is not looked after any more.
    pub fn farewell(username: &str) -> String {
        let (user, group) = (quote(username), quote(&format!("{username}-group")));
        format!(
            "/user/remove [/user/find where name={user} and comment=\"{OURS}\"]\n/user/group/remove [/user/group/find where name={group}]\n"
        )
    }
}

/// The comment of users that the script made.
pub const OURS: &str = "routeros-mcp";

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(username: &str, writes: bool, from: Option<&str>) -> String {
        let asked = Bootstrap { username: username.into(), writes, rotates: false, ssh: false, from: from.map(str::to_owned) };
        asked.script(&Secret::new("s3cret"))
    }

    #[test]
    fn a_reader_gets_no_write_and_nobody_gets_policy_or_sensitive() {
        assert!(asked("mcp", false, None).contains("policy=read,test,api,rest-api\n"));
        let writer = asked("mcp", true, None);
        assert!(writer.contains("policy=read,test,api,rest-api,write\n"));
        assert!(!writer.contains("sensitive") && !writer.contains(",policy"));
    }

    #[test]
    fn a_name_cannot_leave_its_quotes() {
        let script = asked("a\"; /user/remove admin; \"", false, Some("192.0.2.10"));
        assert!(script.contains(r#"name="a\"; /user/remove admin; \"""#), "{script}");
        assert_eq!(script.matches("; /user/remove").count(), script.matches(r#"\"; /user/remove"#).count());
        assert!(script.contains("address=\"192.0.2.10\""));
        assert!(Bootstrap::farewell("a\"; :quit").contains(r#""a\"; :quit""#));
    }

    #[test]
    fn a_registration_says_what_the_router_shows_and_never_the_password() {
        let user = Bootstrap { username: "mcp".into(), writes: false, rotates: false, ssh: false, from: Some("192.0.2.9".into()) };
        let script = user.registering(&Secret::new("s3cret"), "https://box/$(x)\"", &Secret::new("rmcpreg_abc"));
        let report = &script[script.find("/tool/fetch").unwrap()..];
        assert!(!report.contains("s3cret") && report.contains(r#"url="https://box/\$(x)\"""#), "{report}");
        assert_eq!(script.matches("rmcpreg_abc").count(), 1);
        assert_eq!(script.matches('{').count(), script.matches('}').count());
        assert!(script.contains(r#"disabled=no address="192.0.2.9""#));
    }

    #[test]
    fn braces_balance_so_that_a_paste_ends() {
        let script = asked("mcp", true, Some("192.0.2.0/24"));
        assert_eq!(script.matches('{').count(), script.matches('}').count());
    }
}
