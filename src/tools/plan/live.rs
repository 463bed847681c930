//! Works drafts out on the routers as they are now, with the policy of the tool they come from.

use crate::access::policy::Rules;
use crate::access::principal::Principal;
use crate::base::clock::Clock;
use crate::base::fault::Fault;
use crate::fleet::Fleet;
use crate::plan::draft::{self, Drafting};
use crate::plan::edit::Check;
use crate::plan::record::Draft;
use crate::plan::{Ask, Drafter, secrets};
use crate::store::{Store, Vault};
use crate::tools;
use futures_util::future::BoxFuture;
use std::time::Duration;

/// What drafts are worked out with.
pub struct Live {
    /// The devices and the lanes to them.
    pub fleet: Fleet,
    /// Where what routers say of their menus is kept.
    pub store: Store,
    /// Time.
    pub clock: Clock,
    /// The operator's switches.
    pub rules: Rules,
    /// Secrets for routers.
    pub vault: Vault,
}

impl Live {
    fn desk<'a>(&'a self, author: &'a Principal, origin: &'a str, begun: Option<Duration>) -> Drafting<'a> {
        Drafting {
            fleet: &self.fleet,
            store: &self.store,
            clock: &self.clock,
            rules: &self.rules,
            author,
            origin,
            toolset: tools::find(origin).map_or("core", |tool| tool.toolset),
            begun,
            // What is shown of a draft is marked by what it is, not by what was read on the way.
            hear: &|_| {},
        }
    }
}

impl Drafter for Live {
    fn draft<'a>(&'a self, ask: Ask<'a>) -> BoxFuture<'a, Result<Draft, Fault>> {
        Box::pin(async move {
            let draft = draft::draft(&self.desk(ask.author, ask.origin, ask.begun), ask.plan, ask.device, ask.edits).await?;
            secrets::check(&self.vault, ask.device, &draft)?;
            Ok(draft)
        })
    }

    fn check(&self, author: &Principal, checks: &[Check]) -> Result<(), Fault> {
        draft::verify_list(&self.desk(author, "plan.create", None), checks)
    }
}
