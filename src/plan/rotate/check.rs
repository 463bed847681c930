//! Whether a login can be changed: where its password lies, who vouches for the router, that it works now, and what our user may do.

use crate::base::fault::{Fault, Kind};
use crate::base::ids::DeviceId;
use crate::base::secret::Secret;
use crate::fleet::{Device, Fresh};
use crate::plan::hold::Core;
use crate::plan::rotate::Rotated;
use crate::routeros::{MenuPath, Query, Row};
use std::sync::Arc;

/// How the router is asked to take another password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum How {
    /// `/password`: every user's own, with the policy `password`.
    Own,
    /// Our row in `/user`, by its `.id`: with the policies `write` and `policy`.
    Row(String),
}

/// All that a rotation needs to know before it begins.
pub(super) struct Ready {
    pub device: Arc<Device>,
    pub old: Secret,
    pub how: How,
    pub services: Vec<&'static str>,
    /// The shortest password the router takes.
    pub shortest: usize,
}

impl Ready {
    /// As callers hear of it.
    pub fn told(&self, done: bool, old_refused: bool) -> Rotated {
        let how = match self.how {
            How::Own => "/password",
            How::Row(_) => "/user set",
        };
        Rotated { username: self.device.username.clone(), services: self.services.clone(), how, done, old_refused }
    }
}

/// Looks at everything; changes nothing.
pub(super) async fn check(core: &Core, id: &DeviceId) -> Result<Ready, Fault> {
    let device = core.fleet.get(id)?;
    let name = &device.name;
    let old = core.fleet.sealed_password(&device).await?;
    if !core.fleet.proves_rest(&device) {
        return Err(Fault::new(
            Kind::Conflict,
            format!("device \"{name}\": its REST has no verified TLS, and a new password could be read on the way"),
        )
        .hint("set up www-ssl with a certificate on the router and pin it: routeros-mcp device pin"));
    }
    let fresh = core.fleet.fresh_as(id, &old).await?;
    let how = how(&fresh, &device).await?;
    let mut services = vec!["rest"];
    if let Some(let_in) = fresh.knock_over_ssh().await {
        // What does not work with the old password cannot prove the new one.
        let_in.map_err(|fault| Fault { said: format!("over SSH: {}", fault.said), ..fault })?;
        services.push("ssh");
    }
    let shortest = shortest(&fresh).await;
    Ok(Ready { device, old, how, services, shortest })
}

/// How our user may change its password. Errs with `RouterDenied`, saying what its group lacks.
pub(super) async fn how(fresh: &Fresh, device: &Device) -> Result<How, Fault> {
    let users = fresh.rows(MenuPath::parse("/user")?, Query::new().eq("name", &device.username)).await?;
    // A user who may not look finds nothing; its own password it may still change.
    let Some(ours) = find(&users, &device.username) else { return Ok(How::Own) };
    let group = ours.get("group").unwrap_or_default();
    let groups = fresh.rows(MenuPath::parse("/user/group")?, Query::new().eq("name", group)).await?;
    let Some(policy) = find(&groups, group).and_then(|row| row.get("policy")) else { return Ok(How::Own) };
    let may = |word: &str| policy.split(',').any(|granted| granted.trim() == word);
    match ours.get(".id") {
        _ if may("password") => Ok(How::Own),
        Some(id) if may("policy") && may("write") => Ok(How::Row(id.to_owned())),
        _ => {
            let said = format!(
                "device \"{}\": user \"{}\" there may not change its own password: its group \"{}\" lacks the policy password",
                device.name,
                device.username,
                word(group)
            );
            let hint = format!("on the router: /user/group/set {} policy=password (it adds to those the group has)", word(group));
            Err(Fault::new(Kind::RouterDenied, said).hint(hint))
        }
    }
}

fn find<'a>(rows: &'a [Row], name: &str) -> Option<&'a Row> {
    rows.iter().find(|row| row.get("name") == Some(name))
}

/// A router's word in our sentence.
fn word(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || "._-".contains(*c)).take(64).collect()
}

/// Routers may ask for longer passwords; one that does not say takes any.
async fn shortest(fresh: &Fresh) -> usize {
    let Ok(path) = MenuPath::parse("/user/settings") else { return 0 };
    let rows = fresh.rows(path, Query::new()).await.unwrap_or_default();
    rows.first().and_then(|row| row.get("minimum-password-length")?.parse().ok()).unwrap_or(0)
}
