//! `device bootstrap`: a RouterOS script for a person to paste: a group with no more than we need, a user in it, and
//! HTTPS for REST where there is none yet.
//!
//! Run twice it changes the password, and the rights where others are asked for. Values in `find` are quoted: RouterOS cuts bare ones at `/`.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/8978504/User>,
//! <https://help.mikrotik.com/docs/spaces/ROS/pages/2555969/Certificates>

use crate::base::fault::Fault;
use crate::base::ids::random;
use crate::base::secret::Secret;
use crate::cli::args::Bootstrap;
use crate::cli::output;
use crate::routeros::script::quote;
use serde_json::json;

/// What reading takes; `test` is for ping and its like. No `sensitive`: we never need a router's secrets.
const READS: &str = "read,test,api,rest-api";

/// Prints the script, with a password made for it.
pub fn run(arguments: &Bootstrap, as_json: bool) -> Result<(), Fault> {
    let password = Secret::new(data_encoding::BASE64URL_NOPAD.encode(&random::<24>()));
    let script = script(arguments, &password);
    if as_json {
        output::json(&json!({"username": arguments.username, "password": password.expose(), "script": script}));
        return Ok(());
    }
    output::text(&script);
    eprintln!("Paste the script into a terminal of the router as a full user. Then, here:");
    eprintln!("  routeros-mcp device add --name NAME --address ADDRESS --username {}", arguments.username);
    eprintln!("The password it asks for stands in the script, and nowhere else.");
    Ok(())
}

fn script(arguments: &Bootstrap, password: &Secret) -> String {
    let user = quote(&arguments.username);
    let group = quote(&format!("{}-group", arguments.username));
    let policy = if arguments.writes { format!("{READS},write") } else { READS.to_owned() };
    let from = arguments.from.as_deref().map(|from| format!(" address={}", quote(from))).unwrap_or_default();
    let password = quote(password.expose());
    format!(
        r#"# routeros-mcp: a user with the least rights, and HTTPS for REST. RouterOS 7.9 or newer.
{{
  :if ([:len [/user/group/find where name={group}]] = 0) do={{
    /user/group/add name={group} policy={policy}
  }} else={{
    /user/group/set [/user/group/find where name={group}] policy={policy}
  }}
  :if ([:len [/user/find where name={user}]] = 0) do={{
    /user/add name={user} group={group}{from} password={password} comment="routeros-mcp"
  }} else={{
    /user/set [/user/find where name={user}] group={group}{from} password={password}
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
  /ip/service/set www-ssl disabled=no
}}
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(username: &str, writes: bool, from: Option<&str>) -> String {
        script(&Bootstrap { username: username.into(), writes, from: from.map(str::to_owned) }, &Secret::new("s3cret"))
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
    }

    #[test]
    fn braces_balance_so_that_a_paste_ends() {
        let script = asked("mcp", true, Some("192.0.2.0/24"));
        assert_eq!(script.matches('{').count(), script.matches('}').count());
    }
}
