//! IPv4, IPv6 or both.

use crate::base::fault::Fault;
use crate::tools::router::{FRESH, Router, Seen};
use schemars::JsonSchema;
use serde::Deserialize;

/// Which addresses are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Family {
    Ipv4,
    Ipv6,
}

/// Two menus at once, each only if it is wanted; a router without IPv6 has no such menu.
pub(super) async fn both(
    router: &Router<'_>,
    family: Option<Family>,
    four: &str,
    six: &str,
) -> Result<(Option<Seen>, Option<Seen>), Fault> {
    futures_util::try_join!(
        async { if family == Some(Family::Ipv6) { Ok(None) } else { router.all(four, FRESH).await.map(Some) } },
        async { if family == Some(Family::Ipv4) { Ok(None) } else { router.all_if_there(six, FRESH).await } },
    )
}
