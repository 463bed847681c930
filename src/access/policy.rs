//! May this principal do this to that: one pure function over plain facts.
//!
//! It is asked twice: before a tool runs (role, tier, switches, device) and again for every menu a tool touches
//! on a router, so that a generic tool has no more power than a specific one. The first no wins; everything not
//! listed is a no.

use crate::access::principal::Principal;
use crate::access::switches::{Switches, names};
use crate::base::selector::{Selector, Traits};
use crate::base::shared::Shared;
use crate::base::tier::{Effect, Environment, Tier};

/// The operator's switches: those of the configuration, and those set since. The stricter one wins.
#[derive(Debug, Clone)]
pub struct Rules {
    /// The appliance's environment; devices of another one are never touched.
    pub environment: Environment,
    /// Those of the configuration, as it was read last.
    pub file: Shared<Configured>,
    /// What people switched off while the appliance runs.
    pub switches: Switches,
}

/// The switches of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configured {
    /// Nothing changes a router, by any route.
    pub read_only: bool,
    /// Tiers that are on.
    pub tiers: Vec<Tier>,
    /// Tool names and `category.*` that are off.
    pub disabled: Vec<String>,
    /// Whether `plan.apply` is on.
    pub plan_apply: bool,
    /// Denied reads pass, but are logged and counted (never in prod).
    pub permissive_reads: bool,
}

impl Configured {
    /// Everything on, strictly judged: where tests start from.
    pub fn open() -> Self {
        Configured {
            read_only: false,
            tiers: vec![Tier::Free, Tier::Basic, Tier::Professional],
            disabled: Vec::new(),
            plan_apply: true,
            permissive_reads: false,
        }
    }
}

impl Rules {
    /// Whether nothing changes a router, by any route.
    pub fn is_read_only(&self) -> bool {
        self.file.get().read_only || self.switches.now().read_only
    }

    /// Whether plans are applied.
    pub fn applies_plans(&self) -> bool {
        self.file.get().plan_apply && !self.switches.now().no_plan_apply
    }

    /// Whether people switched off all tools of models.
    pub fn has_no_tools(&self) -> bool {
        self.switches.now().no_tools
    }

    /// Everything on, strictly judged: where tests start from.
    pub fn open(environment: Environment) -> Self {
        Rules { environment, file: Shared::new(Configured::open()), switches: Switches::default() }
    }
}

/// What is to be done.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// `category.action`.
    pub tool: &'a str,
    /// The set it is listed in.
    pub toolset: &'a str,
    /// What it asks of the caller.
    pub tier: Tier,
    /// What it does.
    pub effect: Effect,
    /// Whom it is for: only operators may call operator verbs.
    pub for_operators: bool,
    /// The device, once it is known.
    pub device: Option<Traits<'a>>,
    /// The menu and what is done to it, once a router is about to be asked.
    pub inner: Option<(&'a str, Verb)>,
}

/// What is done to a menu on a router.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// print, get, monitor once.
    Read,
    /// A command that neither reads rows nor changes configuration: ping, traceroute.
    Probe,
    /// add, set, remove, move, and commands that change something.
    Write,
}

/// Yes, or why not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Go on.
    Allow,
    /// A read that strict mode would refuse; log and count it, then go on.
    AllowLoosely(Refusal),
    /// Stop.
    Deny(Refusal),
}

/// Why not, for the caller, the log and the counters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// A short name for counters: `role`, `tier`, `device`, …
    pub reason: &'static str,
    /// For the caller.
    pub said: String,
    /// What would help.
    pub hint: Option<String>,
}

/// May `principal` do `target` under `rules`?
pub fn decide(principal: &Principal, target: &Target<'_>, rules: &Rules) -> Decision {
    if let Some(refusal) = switched_off(target, rules) {
        return Decision::Deny(refusal);
    }
    if let Some(refusal) = foreign(target, rules) {
        return Decision::Deny(refusal);
    }
    match refused(principal, target) {
        None => Decision::Allow,
        Some(refusal) if rules.file.get().permissive_reads && target.effect == Effect::Reads && !target.for_operators => {
            Decision::AllowLoosely(refusal)
        }
        Some(refusal) => Decision::Deny(refusal),
    }
}

/// The operator's switches bind everybody.
fn switched_off(target: &Target<'_>, rules: &Rules) -> Option<Refusal> {
    let (tool, file, set) = (target.tool, rules.file.get(), rules.switches.now());
    if names(&file.disabled, tool) {
        return no("switch", format!("tool {tool} is switched off here"), "the operator can take it out of mcp.disable_tools");
    }
    // Toolsets are for models; what operators do is not in one.
    if set.stops(tool, if target.for_operators { "" } else { target.toolset }) {
        return no("switch", format!("tool {tool} is switched off here"), "an administrator can switch it on again under Settings");
    }
    if tool == "plan.apply" && !file.plan_apply {
        return no("switch", "applying plans is switched off here", "the operator can set mcp.enable_plan_apply");
    }
    if tool == "plan.apply" && set.no_plan_apply {
        return no("switch", "applying plans is switched off here", "an administrator can switch it on again under Settings");
    }
    if !target.for_operators && !file.tiers.contains(&target.tier) {
        return no(
            "switch",
            format!("tools of tier {} are switched off here", target.tier.as_str()),
            "the operator can add the tier to mcp.tool_tiers",
        );
    }
    let writes =
        matches!(target.inner, Some((_, Verb::Write))) || matches!(target.effect, Effect::Changes | Effect::Plans | Effect::Decides);
    if writes && (file.read_only || set.read_only) {
        let hint =
            if file.read_only { "the operator can set read_only = false" } else { "an administrator can switch it off under Settings" };
        return no("read_only", "this appliance is set to read only; nothing here changes a router", hint);
    }
    None
}

/// A device of another environment is nobody's here.
fn foreign(target: &Target<'_>, rules: &Rules) -> Option<Refusal> {
    let device = target.device.filter(|device| device.environment != rules.environment)?;
    // Its own record may be looked at and mended; the router itself is not touched.
    if target.for_operators && target.inner.is_none() {
        return None;
    }
    no(
        "environment",
        format!("device \"{}\" belongs to {}, this appliance to {}", device.name, device.environment.as_str(), rules.environment.as_str()),
        "use the appliance of that environment",
    )
}

/// What the role and its limits say.
fn refused(principal: &Principal, target: &Target<'_>) -> Option<Refusal> {
    let role = principal.role;
    let category = target.tool.split('.').next().unwrap_or(target.tool);
    if !role.covers(target.effect, category) {
        return no(
            "role",
            format!("role {} does not cover {} ({})", role.as_str(), target.tool, target.effect.as_str()),
            "ask an administrator for another role",
        );
    }
    if !target.for_operators && !principal.limits.tiers.contains(&target.tier) {
        return no("tier", format!("your account does not include tier {}", target.tier.as_str()), "ask an administrator for the tier");
    }
    if let Some(toolsets) = &principal.limits.toolsets
        && !toolsets.iter().any(|set| set == target.toolset)
    {
        return no("toolset", format!("your account does not include toolset {}", target.toolset), "ask an administrator for the toolset");
    }
    if let Some(device) = target.device
        && !within(&principal.limits.devices, &device)
    {
        // The same words as for a device that does not exist: names of others' devices do not leak.
        return no("device", format!("no device \"{}\"", device.name), "device.list shows the devices you may use");
    }
    if target.effect == Effect::Reads && matches!(target.inner, Some((_, Verb::Write))) {
        return no("inner", format!("{} only reads", target.tool), "use a plan to change a router");
    }
    None
}

/// Whether the limits include the device; an empty list includes none.
pub fn within(devices: &[Selector], device: &Traits<'_>) -> bool {
    devices.iter().any(|selector| selector.matches(device))
}

fn no(reason: &'static str, said: impl Into<String>, hint: &str) -> Option<Refusal> {
    Some(Refusal { reason, said: said.into(), hint: Some(hint.into()) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::principal::Limits;
    use crate::access::role::Role;

    fn read<'a>() -> Target<'a> {
        Target {
            tool: "system.get_overview",
            toolset: "system",
            tier: Tier::Free,
            effect: Effect::Reads,
            for_operators: false,
            device: None,
            inner: None,
        }
    }

    fn reason(principal: &Principal, target: &Target<'_>, rules: &Rules) -> Option<&'static str> {
        match decide(principal, target, rules) {
            Decision::Allow => None,
            Decision::Deny(refusal) | Decision::AllowLoosely(refusal) => Some(refusal.reason),
        }
    }

    #[test]
    fn each_no_has_its_reason() {
        let lab = Rules::open(Environment::Lab);
        let ops = Principal::stdio(Role::OpsRw);
        let reader = Principal::stdio(Role::ReadOnly);
        let device = Traits { id: "dev_1", name: "edge", environment: Environment::Lab, tags: &[] };
        let prod = Traits { environment: Environment::Prod, ..device };
        let with = |file: Configured| Rules { file: Shared::new(file), ..lab.clone() };
        let off = with(Configured { disabled: vec!["system.*".into()], ..Configured::open() });
        let frozen = with(Configured { read_only: true, ..Configured::open() });
        let free_only = with(Configured { tiers: vec![Tier::Free], ..Configured::open() });
        let mut nobody = ops.clone();
        nobody.limits.devices.clear();
        let mut narrow = ops.clone();
        narrow.limits.toolsets = Some(vec!["core".into()]);
        let write = Target { tool: "system.set_identity", tier: Tier::Basic, effect: Effect::Changes, ..read() };
        let administer = Target { tool: "device.add", effect: Effect::Administers, for_operators: true, ..read() };
        let cases = [
            (&ops, read(), &lab, None),
            (&reader, read(), &lab, None),
            (&reader, write, &lab, Some("role")),
            (&ops, write, &lab, None),
            (&ops, write, &frozen, Some("read_only")),
            (&ops, read(), &frozen, None),
            (&ops, write, &free_only, Some("switch")),
            (&ops, read(), &off, Some("switch")),
            (&ops, administer, &lab, Some("role")),
            (&ops, Target { device: Some(device), ..read() }, &lab, None),
            (&ops, Target { device: Some(prod), ..read() }, &lab, Some("environment")),
            (&nobody, Target { device: Some(device), ..read() }, &lab, Some("device")),
            (&narrow, read(), &lab, Some("toolset")),
            (&ops, Target { inner: Some(("/ip/dns", Verb::Write)), ..read() }, &lab, Some("inner")),
            (&ops, Target { inner: Some(("/ip/dns", Verb::Read)), ..read() }, &lab, None),
        ];
        for (n, (principal, target, rules, expected)) in cases.iter().enumerate() {
            assert_eq!(reason(principal, target, rules), *expected, "case {n}: {} {}", principal.role.as_str(), target.tool);
        }
    }

    #[test]
    fn permissive_mode_lets_reads_pass_and_nothing_else() {
        let rules = Rules::open(Environment::Lab);
        rules.file.put(Configured { permissive_reads: true, ..Configured::open() });
        let mut nobody = Principal::stdio(Role::ReadOnly);
        nobody.limits = Limits { devices: vec![], toolsets: Some(vec![]), tiers: vec![] };
        assert!(matches!(decide(&nobody, &read(), &rules), Decision::AllowLoosely(_)));
        let write = Target { tool: "dns.flush_cache", tier: Tier::Basic, effect: Effect::Changes, ..read() };
        assert!(matches!(decide(&nobody, &write, &rules), Decision::Deny(_)));
        rules.file.put(Configured { permissive_reads: true, disabled: vec!["system.get_overview".into()], ..Configured::open() });
        assert!(matches!(decide(&nobody, &read(), &rules), Decision::Deny(_)), "a switch is not a role");
    }

    #[test]
    fn an_approver_sees_plans_and_audit_but_no_router() {
        let rules = Rules::open(Environment::Lab);
        let approver = Principal::stdio(Role::Approver);
        let audit = Target { tool: "audit.get_events", toolset: "core", ..read() };
        assert_eq!(reason(&approver, &audit, &rules), None);
        assert_eq!(reason(&approver, &read(), &rules), Some("role"));
    }
}
