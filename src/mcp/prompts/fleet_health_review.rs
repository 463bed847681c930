//! `fleet-health-review`: goes through all devices and says which need attention first, and why.

use crate::mcp::prompts::{ENVIRONMENT, Prompt};

pub(super) const PROMPT: Prompt = Prompt {
    name: "fleet-health-review",
    title: "Fleet health review",
    about: "Goes through all devices and says which need attention first, and why.",
    arguments: &[ENVIRONMENT],
    facts: &["fleet://summary", "fleet://devices/{environment}"],
    text: r#"
Review the health of the routers this appliance looks after.
Only the environment {environment}.

1. fleet.get_summary names the devices that need attention, worst first. device.list with `status` "unreachable" and "quarantined" names those that do not answer or show another key than the pinned one.
2. For each of the worst ten: system.get_health for the reasons and the trend. Ask one device once; do not read whole menus of all devices.
3. For those that cannot be reached: device.check_connectivity. A quarantined device shows another certificate or host key than it was pinned with: that is a question for its operator, never something to talk around.
4. Look for what several have in common: one version, one site tag, one board, one time in the trend.
5. Versions: name devices whose RouterOS is older than most of the fleet's.

Answer with a table (device, status, score, reason, since when), then common causes, then what to do first. Say how many devices you looked at, and how many you did not.
Change nothing.
"#,
};
