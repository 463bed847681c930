//! Which wireless menus a router has.
//!
//! | stack | menus | since | brought by |
//! |---|---|---|---|
//! | `wifi` | `/interface/wifi`, with its own CAPsMAN | 7.13; before as `/interface/wifiwave2` | the system, radios by `wifi-qcom` and its like |
//! | `wireless` | `/interface/wireless` | always; a package of its own since 7.13 | `wireless` |
//! | `capsman` | `/caps-man` | as `wireless` | `wireless` |
//!
//! The capability probe remembers what is there, so that a router is not asked for menus it lacks. It may be of yesterday:
//! where it found none, the packages are looked at again.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/224559120/WiFi>

use crate::base::fault::Fault;
use crate::fleet::Wifi;
use crate::fleet::absent;
use crate::tools::router::{Router, STEADY};

/// Menus of the newer driver.
const WIFI: &str = "/interface/wifi";
/// What they were called before 7.13.
const WAVE2: &str = "/interface/wifiwave2";
/// The menus of the older driver.
pub(super) const WIRELESS: &str = "/interface/wireless";
/// Its controller.
pub(super) const CAPS_MAN: &str = "/caps-man";

/// The stacks worth asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Stacks {
    /// Where the newer driver's menus begin.
    pub wifi: Option<&'static str>,
    /// The older driver and its controller.
    pub wireless: bool,
}

/// By the probe; by the packages where it found nothing.
pub(super) async fn stacks(router: &Router<'_>) -> Result<Stacks, Fault> {
    let facts = &router.device.facts;
    // A probe that was refused an answer knows nothing.
    let refused = facts.unanswered.iter().any(|line| line.starts_with(WIFI) || line.starts_with(WIRELESS));
    if facts.version.is_none() || refused {
        return Ok(Stacks { wifi: Some(WIFI), wireless: true });
    }
    let named: Vec<&str> = facts.packages.iter().map(|package| package.name.as_str()).collect();
    let mut stacks = of_packages(&named);
    match facts.can.wifi {
        Wifi::Wifi => stacks.wifi = Some(WIFI),
        Wifi::Wireless => stacks.wireless = true,
        Wifi::None => {}
    }
    if stacks != Stacks::default() {
        return Ok(stacks);
    }
    let now = router.all_if_there("/system/package", STEADY).await?;
    let enabled = |name: &str| {
        now.iter().flat_map(|seen| seen.iter()).any(|row| row.text("name") == Some(name) && !row.is("disabled") && !row.is("available"))
    };
    let there: Vec<&str> = PACKAGES.iter().copied().filter(|name| enabled(name)).collect();
    Ok(of_packages(&there))
}

/// Packages that bring wireless menus.
const PACKAGES: [&str; 5] = ["wifi-qcom", "wifi-qcom-ac", "wifi-mediatek", "wifiwave2", "wireless"];

fn of_packages(names: &[&str]) -> Stacks {
    let has = |name: &str| names.contains(&name);
    let wifi = if names.iter().any(|name| name.starts_with("wifi-")) {
        Some(WIFI)
    } else if has("wifiwave2") {
        Some(WAVE2)
    } else {
        None
    };
    Stacks { wifi, wireless: has("wireless") }
}

/// `/caps-man (package wireless)`, for a menu that is not there.
pub(super) fn missing(menu: &str) -> String {
    match absent::package(menu) {
        Some(package) => format!("{menu} (package {package})"),
        None => menu.to_owned(),
    }
}

/// The menus of these that are not there, with what would bring them; no news where another answered.
pub(super) fn absent(answered: &[(&str, bool)]) -> Vec<String> {
    if answered.iter().any(|(_, there)| *there) {
        return Vec::new();
    }
    answered.iter().map(|(menu, _)| missing(menu)).collect()
}

/// The word for the newer driver's menus, wherever they begin.
pub(super) fn wifi_menu(stacks: Stacks) -> &'static str {
    stacks.wifi.unwrap_or(WIFI)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_tell_the_stacks() {
        assert_eq!(of_packages(&["routeros", "wifi-qcom-ac"]), Stacks { wifi: Some(WIFI), wireless: false });
        assert_eq!(of_packages(&["wireless"]), Stacks { wifi: None, wireless: true });
        assert_eq!(of_packages(&["wifiwave2"]), Stacks { wifi: Some(WAVE2), wireless: false });
        assert_eq!(of_packages(&["routeros"]), Stacks::default());
        assert_eq!(missing(CAPS_MAN), "/caps-man (package wireless)");
        assert!(missing(WIFI).contains("wifi-qcom"));
    }
}
