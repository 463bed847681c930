//! What a principal would be allowed, for edges that list, complete and announce: none of it is a call, none of it
//! reaches a router, and none of it replaces the judging of the call itself.

use crate::access::policy::{self, Decision, Target};
use crate::access::principal::Principal;
use crate::dispatch::Dispatch;
use crate::fleet::{Device, Status};
use crate::plan::record::PlanId;
use crate::tools;
use std::sync::Arc;

impl Dispatch {
    /// Whether a call of `tool`, on `device` if it takes one, would pass policy. Names this build lacks would not.
    pub fn may(&self, principal: &Principal, tool: &str, device: Option<&Device>) -> bool {
        let Some(tool) = tools::find(tool) else { return false };
        let target = Target { device: device.map(Device::traits), ..tool.target() };
        let passes = matches!(policy::decide(principal, &target, &self.world().rules), Decision::Allow | Decision::AllowLoosely(_));
        passes && device.is_none_or(|device| sees(principal, device))
    }

    /// The devices this principal may see and the appliance may ask, by name.
    pub fn devices(&self, principal: &Principal) -> Vec<Arc<Device>> {
        let ours = self.world().rules.environment;
        let mut devices = self.world().fleet.list();
        devices.retain(|device| sees(principal, device) && device.environment == ours && device.status != Status::Decommissioned);
        devices
    }

    /// Whether there is such a plan, and this principal may see it.
    pub fn sees_plan(&self, principal: &Principal, id: &str) -> bool {
        let plan = self.world().plans.plan(&PlanId(id.to_owned()));
        plan.is_ok_and(|(plan, _)| tools::plan::is_visible(&self.world().fleet, principal, &plan))
    }

    /// The device of that id or name, if this principal may see it; another's is none at all.
    pub fn device(&self, principal: &Principal, wanted: &str) -> Option<Arc<Device>> {
        self.world().fleet.find_among(wanted, |device| sees(principal, device)).ok()
    }
}

fn sees(principal: &Principal, device: &Device) -> bool {
    policy::within(&principal.limits.devices, &device.traits())
}
