//! A menu of each family, of one or of both.

use crate::base::fault::Fault;
use crate::tools::family::Family;
use crate::tools::router::{FRESH, Router, Seen};

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
