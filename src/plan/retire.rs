//! Our account on a router that is not looked after any more: removed by itself, where that can be.
//!
//! A user of least rights cannot remove anybody, and that is as it should be: then the router is left as it is, and whoever
//! asked gets the lines to paste. Where our user manages users, only an account that our own script made is removed; the
//! router's answer is not believed, a fresh login that is refused is.

use crate::base::fault::{Fault, Kind};
use crate::base::ids::DeviceId;
use crate::fleet::bootstrap::{Bootstrap, OURS};
use crate::fleet::{Ask, Write};
use crate::plan::engine::Engine;
use crate::plan::hold::Core;
use crate::routeros::{Denial, MenuPath, Query};

/// What became of the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The router was seen to refuse it.
    pub removed: bool,
    /// Why it is still there.
    pub why: Option<String>,
    /// What removes it, for a full user to paste there.
    pub script: String,
}

impl Engine {
    /// Removes our account on a router, where our user may and the account is ours alone.
    ///
    /// # Errors
    /// `Conflict` while something else changes the device; `UnknownOutcome` when it cannot be said whether it is gone.
    pub async fn retire(&self, id: &DeviceId) -> Result<Account, Fault> {
        // Whatever becomes of the caller: it is found out whether the account is gone.
        let (engine, id) = (self.clone(), id.clone());
        let done = self.core.tasks.spawn(async move { engine.retire_now(&id).await });
        done.await.map_err(Fault::bug)?
    }

    async fn retire_now(&self, id: &DeviceId) -> Result<Account, Fault> {
        let core = &self.core;
        let device = core.fleet.get(id)?;
        let script = Bootstrap::farewell(&device.username);
        let stays = |why: &str| Ok(Account { removed: false, why: Some(why.to_owned()), script: script.clone() });
        if core.rules.is_read_only() {
            return stays("this appliance is set to read only; nothing here changes a router");
        }
        let granted = device.facts.policies.clone().unwrap_or_default();
        if !["write", "policy"].iter().all(|policy| granted.iter().any(|one| one == policy)) {
            return stays("our user may not manage users there, which is as it should be");
        }
        if !core.fleet.proves_rest(&device) {
            return stays("its REST has no verified TLS: a forged answer could say anything");
        }
        let _hold = core.hold(id)?;
        self.unsettled_on(std::slice::from_ref(id), None)?;
        if let Some(epoch) = &self.epoch {
            epoch.advance().await?;
        }
        match gone(core, id, &device.username).await? {
            None => Ok(Account { removed: true, why: None, script }),
            Some(why) => stays(why),
        }
    }
}

/// Removes it; why not, where it stays.
async fn gone(core: &Core, id: &DeviceId, username: &str) -> Result<Option<&'static str>, Fault> {
    let users = MenuPath::parse("/user")?;
    let fresh = match core.fleet.fresh(id).await {
        Ok(fresh) => fresh,
        Err(_) => return Ok(Some("the router does not answer, or does not let us in")),
    };
    let Ok(rows) = fresh.rows(users.clone(), Query::new().eq("name", username)).await else {
        return Ok(Some("the router does not answer, or does not let us in"));
    };
    let Some(row) = rows.iter().find(|row| row.get("name") == Some(username)) else { return Ok(Some("no such user is seen there")) };
    if row.get("comment") != Some(OURS) {
        return Ok(Some("the user was not made by our script, and may be somebody else's too"));
    }
    let Some(number) = row.get(".id").map(str::to_owned) else { return Ok(Some("the router does not say which row it is")) };
    let removed = fresh.over_rest(Ask::Write(Write::Remove { path: users, id: number })).await;
    if let Err(Fault { kind: Kind::Rejected | Kind::RouterDenied, .. }) = removed {
        return Ok(Some("the router refused to remove it"));
    }
    // Whatever the answer was: a login over a new connection says what is so.
    drop(fresh);
    let knocked = async { core.fleet.fresh(id).await?.rows(MenuPath::parse("/system/identity")?, Query::new()).await };
    match knocked.await {
        Ok(_) => Ok(Some("the router still lets it in")),
        // Only that: a user whose rights were cut is refused too, and is there.
        Err(fault) if Denial::Login.is_why(&fault) => Ok(None),
        Err(fault) if fault.kind == Kind::RouterDenied => Ok(Some("the router still knows it, and lets it do less than before")),
        Err(fault) => Err(Fault::new(Kind::UnknownOutcome, "it is not known whether our user was removed: the router does not answer")
            .hint("look at /user there; then decommission without removing the account")
            .cause(fault)),
    }
}
