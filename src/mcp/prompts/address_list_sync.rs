//! `address-list-sync`: compares a firewall address list of one router with the others, or with the entries wanted.

use crate::mcp::prompts::{Argument, DEVICE, ENVIRONMENT, Prompt, Values, words};

pub(super) const PROMPT: Prompt = Prompt {
    name: "address-list-sync",
    title: "Compare address lists",
    about: "Compares a firewall address list of one router with the others, or with the entries wanted.",
    arguments: &[
        DEVICE,
        Argument { name: "list", about: "Name of the address list", is_required: true, values: Values::AddressList },
        ENVIRONMENT,
        words("entries", "Addresses wanted, with commas between; without them the named device is the pattern", false),
    ],
    facts: &["device://{id}/capabilities", "fleet://devices/{environment}"],
    text: r#"
Compare the firewall address list "{list}", beginning with the router {device}.
Compare with the devices of the environment {environment}.
The entries wanted: {entries}

1. firewall.list_address_lists on {device} with `list` "{list}": entries, comments, whether each is dynamic and when it times out.
2. The same on the other devices asked about; dynamic entries are made by rules or scripts and do not count as differences.
3. firewall.list_rules: which rules use the list, on each device. A list that no rule uses protects nothing; say so.
4. Check what the wanted entries would do: an address inside our own management networks in a list that is dropped would lock people out.

Answer with a table (device, missing, too many, dynamic), then the rules that use the list.
When the person wants it, config.plan_address_list_sync drafts one plan for all of them (lists named mcp-* on one device: firewall.update_address_list does it at once). A person approves it; then plan.apply, and plan.get for how it ended.
"#,
};
