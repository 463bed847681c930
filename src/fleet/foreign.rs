//! Seconds after its start a router may answer one question with another's answer: `/system/resource` where a table was asked for.
//!
//! Source: FACTS, from what others met with real routers.

use crate::base::fault::{Fault, Kind};
use crate::menus;
use crate::routeros::{MenuPath, Query, Row};

const RESOURCE: &str = "/system/resource";
/// Attributes of its row that no row of another menu has all of.
const OF_RESOURCE: [&str; 4] = ["uptime", "version", "free-memory", "cpu-load"];

/// Whether the first row is that of `/system/resource`, or has attributes and none that this menu is known for or that the query
/// names.
pub(super) fn is_of_another_menu(menu: &MenuPath, query: &Query, rows: &[Row]) -> bool {
    let Some(row) = rows.first() else { return false };
    // Packages have a version too, and boards a name.
    if menu.as_str() != RESOURCE && OF_RESOURCE.iter().all(|name| row.get(name).is_some()) {
        return true;
    }
    let Some(facts) = menus::find(menu.as_str()) else { return false };
    let mut names = row.attributes().map(|(name, _)| name).peekable();
    names.peek().is_some() && !facts.attrs.is_empty() && names.all(|name| facts.attr(name).is_none() && !query.has_column(name))
}

/// It did so again when it was asked again.
pub(super) fn of_another_menu(device: &str, menu: &MenuPath) -> Fault {
    let said = format!("device \"{device}\": the router answers {menu} with rows of another menu; it may be starting");
    Fault::new(Kind::Unreachable, said).hint("try again in half a minute")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routeros::row;

    #[test]
    fn an_answer_of_another_menu_is_told_from_its_own() {
        let resource = r#"{"uptime":"9s","version":"7.18","free-memory":"1","cpu-load":"3","board-name":"x"}"#;
        let (all, new) = (Query::new(), Query::new().columns(["new-in-some-version"]));
        for (menu, query, body, foreign) in [
            ("/ip/dns/static", &all, resource, true),
            ("/ip/dns/static", &all, r#"[{".id":"*1","address":"10.0.0.1","name":"a.lan"}]"#, false),
            ("/ip/dns/static", &all, "[]", false),
            ("/ip/dns/static", &new, r#"[{".id":"*1","new-in-some-version":"yes"}]"#, false),
            ("/ip/dns/static", &new, resource, true),
            ("/system/resource", &all, resource, false),
            ("/system/package", &all, resource, true),
            ("/system/package", &all, r#"[{".id":"*1","name":"routeros","version":"7.18"}]"#, false),
            ("/of/nobody", &all, resource, true),
            ("/of/nobody", &all, r#"[{".id":"*1","version":"7.18"}]"#, false),
        ] {
            let path = MenuPath::parse(menu).unwrap();
            assert_eq!(is_of_another_menu(&path, query, &row::rows(body).unwrap()), foreign, "{menu} {body}");
        }
    }
}
