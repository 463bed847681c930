//! Seconds after its start a router may answer one question with another's answer: `/system/resource` where a table was asked for.
//!
//! Source: FACTS, from what others met with real routers.

use crate::base::fault::{Fault, Kind};
use crate::fleet::device::Device;
use crate::menus;
use crate::routeros::Row;

const RESOURCE: &str = "/system/resource";
/// Attributes of its row that no row of another menu has all of.
const OF_RESOURCE: [&str; 4] = ["uptime", "version", "free-memory", "cpu-load"];

/// Whether the first row has attributes, and none of those this menu is known for; of a menu without facts, whether it is the
/// row of `/system/resource`. For answers with every attribute.
pub fn is_of_another_menu(menu: &str, rows: &[Row]) -> bool {
    let Some(row) = rows.first() else { return false };
    let Some(facts) = menus::find(menu) else {
        return menu != RESOURCE && OF_RESOURCE.iter().all(|name| row.get(name).is_some());
    };
    let mut names = row.attributes().map(|(name, _)| name).peekable();
    names.peek().is_some() && !facts.attrs.is_empty() && names.all(|name| facts.attr(name).is_none())
}

/// It did so again when it was asked again.
pub fn of_another_menu(device: &Device, menu: &str) -> Fault {
    let said = format!("device \"{}\": the router answers {menu} with rows of another menu; it may be starting", device.name);
    Fault::new(Kind::Unreachable, said).hint("try again in half a minute")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routeros::row;

    #[test]
    fn an_answer_of_another_menu_is_told_from_its_own() {
        let resource = r#"{"uptime":"9s","version":"7.18","free-memory":"1","cpu-load":"3","board-name":"x"}"#;
        for (menu, body, foreign) in [
            ("/ip/dns/static", resource, true),
            ("/ip/dns/static", r#"[{".id":"*1","address":"10.0.0.1","name":"a.lan"}]"#, false),
            ("/ip/dns/static", "[]", false),
            ("/system/resource", resource, false),
            ("/of/nobody", resource, true),
            ("/of/nobody", r#"[{".id":"*1","version":"7.18"}]"#, false),
        ] {
            assert_eq!(is_of_another_menu(menu, &row::rows(body).unwrap()), foreign, "{menu} {body}");
        }
    }
}
