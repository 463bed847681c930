//! `wireless.get_capsman`: the access points this router manages, and who manages this router's own radios.
//!
//! Two generations of CAPsMAN: `/interface/wifi/capsman` for the newer driver, `/caps-man` for the older one.

use super::stack::{self, CAPS_MAN, Stacks, WIRELESS};
use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::tools::columns::{self, Columns, put_some};
use crate::tools::context::Cx;
use crate::tools::list::{ListArgs, Rows};
use crate::tools::router::{FRESH, Router, Seen, View};
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub(super) const TOOL: Tool = Tool {
    name: "wireless.get_capsman",
    title: "CAPsMAN",
    about: "Access points a wireless controller (CAPsMAN, old and new) manages, whether the controller is on, and which controller manages this router.",
    toolset: "wireless",
    tier: Tier::Free,
    effect: Effect::Reads,
    audience: Audience::Model,
    timeout: Span::secs(30),
    paths: &[
        "/interface/wifi/capsman",
        "/interface/wifi/capsman/remote-cap",
        "/interface/wifi/cap",
        "/interface/wireless/cap",
        "/caps-man/manager",
        "/caps-man/remote-cap",
        "/system/package",
    ],
    untrusted: &[
        "/rows/*/identity",
        "/rows/*/common_name",
        "/rows/*/name",
        "/rows/*/board",
        "/rows/*/version",
        "/rows/*/serial",
        "/managed_by/*/controller_identity",
    ],
    input: schema::input::<Args>,
    output: schema::output::<Answer>,
    run: run!(run),
};

const COLUMNS: Columns = Columns::of(
    &["stack", "identity", "address", "state", "board", "version", "base_mac", "radios", "connected_seconds", "uptime_seconds"],
    &["serial", "common_name", "name"],
)
.quiet_flags()
.bytes(8_600);

/// Requests of one call.
const MOST_REQUESTS: usize = 3;

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// Id or name.
    #[schemars(length(min = 1))]
    device: String,
    #[serde(flatten)]
    list: ListArgs,
}

#[derive(Serialize, JsonSchema)]
struct Answer {
    #[serde(flatten)]
    page: Rows,
    /// Controllers on this router.
    controllers: Vec<Controller>,
    /// Controllers elsewhere that this router's own radios obey.
    managed_by: Vec<Managed>,
    /// Where no stack answered: the menus this router lacks, with the package that brings each.
    absent: Vec<String>,
}

#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
struct Controller {
    /// wifi or capsman.
    stack: &'static str,
    enabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    interfaces: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upgrade_policy: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Managed {
    /// wifi or wireless.
    stack: &'static str,
    enabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    controller_address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    controller_identity: Option<String>,
}

async fn run(cx: &Cx, args: Args) -> Result<Answer, Fault> {
    let router = cx.router(&args.device)?;
    let scope = format!("wireless.get_capsman {}", router.device.id);
    COLUMNS.check(&args.list, &scope)?;
    let stacks = stack::stacks(&router).await?;
    let mut found = Found { left: MOST_REQUESTS, ..Found::default() };
    let wifi = found.wifi(&router, stacks).await?;
    let caps = found.caps(&router, stacks).await?;
    found.managed(&router, stacks).await?;
    let key = |row: &Map<String, Value>| columns::key(row, &["stack", "base_mac", "identity", "address"]);
    let page = COLUMNS.pick(cx, &scope, &args.list, found.points, key, Map::clone)?;
    let absent = stack::absent(&[(stack::wifi_menu(stacks), wifi), (CAPS_MAN, caps)]);
    Ok(Answer { page, controllers: found.controllers, managed_by: found.managed, absent })
}

#[derive(Default)]
struct Found {
    left: usize,
    points: Vec<Map<String, Value>>,
    controllers: Vec<Controller>,
    managed: Vec<Managed>,
}

impl Found {
    async fn ask(&mut self, router: &Router<'_>, menu: &str) -> Result<Option<Seen>, Fault> {
        self.left = self.left.saturating_sub(1);
        router.all_if_there(menu, FRESH).await
    }

    /// The newer controller; whether its menu is there.
    async fn wifi(&mut self, router: &Router<'_>, stacks: Stacks) -> Result<bool, Fault> {
        let Some(menu) = stacks.wifi else { return Ok(false) };
        let Some(seen) = self.ask(router, &format!("{menu}/capsman")).await? else { return Ok(false) };
        let settings = seen.first();
        let enabled = settings.and_then(|row| row.flag("enabled")) == Some(true);
        self.controllers.push(Controller {
            stack: "wifi",
            enabled,
            interfaces: settings.and_then(|row| row.string("interfaces")),
            upgrade_policy: settings.and_then(|row| row.string("upgrade-policy")),
        });
        // One that is off manages nobody.
        if enabled && let Some(points) = self.ask(router, &format!("{menu}/capsman/remote-cap")).await? {
            self.points.extend(points.iter().map(|row| point("wifi", row)));
        }
        Ok(true)
    }

    /// The older controller; whether its menu is there.
    async fn caps(&mut self, router: &Router<'_>, stacks: Stacks) -> Result<bool, Fault> {
        if !stacks.wireless {
            return Ok(false);
        }
        let Some(points) = self.ask(router, "/caps-man/remote-cap").await? else { return Ok(false) };
        self.points.extend(points.iter().map(|row| point("capsman", row)));
        // Who manages somebody is on; only silence is looked into.
        let settings = if points.is_empty() && self.left > 0 { self.ask(router, "/caps-man/manager").await? } else { None };
        let settings = settings.as_ref().and_then(Seen::first);
        let enabled = !points.is_empty() || settings.and_then(|row| row.flag("enabled")) == Some(true);
        let upgrade_policy = settings.and_then(|row| row.string("upgrade-policy"));
        self.controllers.push(Controller { stack: "capsman", enabled, interfaces: None, upgrade_policy });
        Ok(true)
    }

    /// Whether somebody else manages our radios, if a request is left.
    async fn managed(&mut self, router: &Router<'_>, stacks: Stacks) -> Result<(), Fault> {
        let menus = [stacks.wifi.map(|menu| ("wifi", menu)), stacks.wireless.then_some(("wireless", WIRELESS))];
        for (stack, menu) in menus.into_iter().flatten() {
            if self.left == 0 {
                return Ok(());
            }
            let Some(seen) = self.ask(router, &format!("{menu}/cap")).await? else { continue };
            let Some(row) = seen.first() else { continue };
            self.managed.push(Managed {
                stack,
                enabled: row.is("enabled"),
                controller_address: row.string("current-caps-man-address").or_else(|| row.string("caps-man-addresses")),
                controller_identity: row.string("current-caps-man-identity"),
            });
        }
        Ok(())
    }
}

/// One managed access point, as answered.
fn point(stack: &str, row: View<'_>) -> Map<String, Value> {
    let mut out = Map::new();
    out.insert("stack".into(), stack.into());
    put_some(&mut out, "identity", row.string("identity"));
    put_some(&mut out, "address", row.string("address"));
    put_some(&mut out, "state", row.string("state"));
    put_some(&mut out, "board", row.string("board-name").or_else(|| row.string("board")));
    put_some(&mut out, "version", row.string("version"));
    put_some(&mut out, "base_mac", row.string("base-mac"));
    put_some(&mut out, "radios", row.count("radios"));
    put_some(&mut out, "connected_seconds", row.seconds("connected-time"));
    put_some(&mut out, "uptime_seconds", row.seconds("uptime"));
    put_some(&mut out, "serial", row.string("serial"));
    put_some(&mut out, "common_name", row.string("common-name"));
    put_some(&mut out, "name", row.string("name"));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn both_generations_tell_an_access_point_in_one_shape() {
        let new = Seen::answered(
            "/interface/wifi/capsman/remote-cap",
            r#"[{"address":"10.0.0.5","base-mac":"48:A9:8A:00:00:01","board-name":"cAP ax","identity":"hall","serial":"HGX","state":"Ok","uptime":"1d","connected-time":"2h","version":"7.20.5"}]"#,
        );
        let row = Value::Object(point("wifi", new.first().unwrap()));
        assert_eq!((&row["board"], &row["connected_seconds"], &row["uptime_seconds"]), (&json!("cAP ax"), &json!(7200), &json!(86_400)));
        let old = Seen::answered(
            "/caps-man/remote-cap",
            r#"[{"address":"10.0.0.6:51234","identity":"attic","board":"RBcAPGi-5acD2nD","state":"Run","radios":"2","base-mac":"48:A9:8A:00:00:02","name":"[48:A9:8A:00:00:02]"}]"#,
        );
        let row = Value::Object(point("capsman", old.first().unwrap()));
        assert_eq!((&row["board"], &row["radios"], &row["state"]), (&json!("RBcAPGi-5acD2nD"), &json!(2), &json!("Run")));
        assert!(row.get("uptime_seconds").is_none());
    }
}
