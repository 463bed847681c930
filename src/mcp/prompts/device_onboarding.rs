//! `device-onboarding`: looks over a device that was just added: reachability, facts, exposure, and what is missing.

use crate::mcp::prompts::{DEVICE, Prompt};

pub(super) const PROMPT: Prompt = Prompt {
    name: "device-onboarding",
    title: "Onboard a device",
    about: "Looks over a device that was just added: reachability, facts, exposure, and what is missing.",
    arguments: &[DEVICE],
    facts: &["device://{id}/capabilities", "device://{id}/health", "device://{id}/overview"],
    text: r#"
The device {device} has just been taken into care. Look it over before anybody relies on it.

1. device.check_connectivity: REST and SSH both answer, and the certificate is the pinned one. Without a pin, say that its operator should pin it (`routeros-mcp device pin`).
2. device.get: the granted capabilities are those its operator meant, `policies` of the login are no more than needed, `flagged` is false, the tags say where it stands.
3. system.get_packages and the version: is it current, are packages missing for what `can` lists?
4. ntp.get_status and system.get_clock: a wrong clock spoils logs and certificates.
5. security.audit: exposed services, weak users, an open resolver.
6. config.list_snapshots: whether a first snapshot of its configuration is kept.

Answer with a list of what is in order and what is not, each with its evidence.
Adding, pinning and granting is done by an operator at the appliance (`routeros-mcp device …`), never by you: give the person the exact commands to consider, and plan nothing yet.
"#,
};
