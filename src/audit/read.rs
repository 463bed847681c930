//! Reading the trail backwards, with a filter and bounded work.

use crate::audit::Audit;
use crate::audit::chain::Frame;
use crate::audit::error::AuditError;
use crate::audit::index::Index;
use crate::audit::record::{self, Stored};
use crate::audit::segment;
use crate::base::clock::Wall;
use std::io;
use std::sync::{PoisonError, RwLockReadGuard};

/// Which records somebody wants to see. Empty: all.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only records of the principal with this subject.
    pub principal: Option<String>,
    /// Only who has this in their name or subject, in any case.
    pub who: Option<String>,
    /// Only records about this device, by id or by name.
    pub device: Option<String>,
    /// Only this tool or operation, or those of `category.*`.
    pub tool: Option<String>,
    /// Only this outcome: `ok`, `denied` or a kind of fault.
    pub outcome: Option<String>,
    /// Only what went wrong.
    pub failed: bool,
    /// Only this call.
    pub correlation_id: Option<String>,
    /// Only from this time on.
    pub since: Option<Wall>,
    /// Only before this time.
    pub until: Option<Wall>,
}

impl Filter {
    /// Whether the record is wanted.
    pub fn matches(&self, stored: &Stored) -> bool {
        let record = &stored.record;
        let is = |wanted: &Option<String>, has: &str| wanted.as_deref().is_none_or(|w| w == has);
        let device = |wanted: &str| record.device.as_deref() == Some(wanted) || record.device_name.as_deref() == Some(wanted);
        let tool = |wanted: &str| match wanted.strip_suffix(".*") {
            Some(category) => record.tool.split('.').next() == Some(category),
            None => record.tool == wanted,
        };
        let who = |wanted: &str| [&record.principal.name, &record.principal.subject].iter().any(|name| has(name, wanted));
        is(&self.principal, &record.principal.subject)
            && is(&self.outcome, &record.outcome)
            && is(&self.correlation_id, &record.correlation_id)
            && !(self.failed && matches!(record.outcome.as_str(), "ok" | "intent"))
            && self.tool.as_deref().is_none_or(tool)
            && self.who.as_deref().is_none_or(who)
            && self.device.as_deref().is_none_or(device)
            && self.since.is_none_or(|since| stored.time >= since)
            && self.until.is_none_or(|until| stored.time < until)
    }
}

/// Whether a text has another in it, in any case.
fn has(text: &str, wanted: &str) -> bool {
    text.to_lowercase().contains(&wanted.to_lowercase())
}

/// The record of a frame, where it is wanted and can be read.
fn wanted(frame: &Frame, filter: &Filter) -> Option<Stored> {
    // Most of a trail is others': theirs is not read whole.
    if let Some(principal) = &filter.principal
        && record::subject(&frame.payload).is_some_and(|who| who != principal)
    {
        return None;
    }
    record::decode(frame.seq, &frame.payload).ok().filter(|stored| filter.matches(stored))
}

/// Some of the trail, newest first.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// The records.
    pub rows: Vec<Stored>,
    /// Where to go on (as `before`); `None` at the beginning of the trail, after what was archived. There may be more even when `rows` is short
    /// of the limit: a call looks at 10,000 records at most.
    pub next: Option<u64>,
    /// Records looked at, whether or not they matched.
    pub looked_at: usize,
}

/// Records one call looks at; about 4 MB from the disk.
const MAX_LOOKED_AT: usize = 10_000;

impl Audit {
    /// Records that match, newest first, from before a sequence number (`None`: the newest). Bounded work: see
    /// [`Page::next`]. Records that cannot be read are left out; [`verify`](crate::audit::verify) names them.
    pub fn page(&self, filter: &Filter, before: Option<u64>, limit: usize) -> Result<Page, AuditError> {
        let mut older = self.older();
        let mut page = Page { rows: Vec::new(), next: Some(before.unwrap_or(u64::MAX)), looked_at: 0 };
        while let Some(before) = page.next
            && page.rows.len() < limit
            && page.looked_at < MAX_LOOKED_AT
        {
            let block = self.index().block_before(before, &mut older)?;
            let Some(block) = block else {
                page.next = None;
                break;
            };
            let frames = match segment::stretch(&block.path, block.from, block.to) {
                Ok(frames) => frames,
                // Archived in this very moment: the trail begins after it now.
                Err(error) if error.kind() == io::ErrorKind::NotFound && self.index().first() > block.first => {
                    page.next = None;
                    break;
                }
                Err(error) => return Err(AuditError::io("reading")(error)),
            };
            page.next = Some(block.first);
            for frame in frames.iter().rev().filter(|frame| frame.seq < before) {
                page.looked_at += 1;
                page.rows.extend(wanted(frame, filter));
                if page.rows.len() == limit {
                    page.next = Some(frame.seq);
                    break;
                }
            }
        }
        let first = self.index().first();
        page.next = page.next.filter(|next| *next > first);
        Ok(page)
    }

    /// The rows of [`page`](Audit::page), looking on until the limit, the beginning of the trail or 20 pages.
    pub fn recent(&self, filter: &Filter, before: Option<u64>, limit: usize) -> Result<Vec<Stored>, AuditError> {
        let mut page = self.page(filter, before, limit)?;
        let mut rows = std::mem::take(&mut page.rows);
        for _ in 1..20 {
            if rows.len() >= limit || page.next.is_none() {
                break;
            }
            page = self.page(filter, page.next, limit - rows.len())?;
            rows.append(&mut page.rows);
        }
        Ok(rows)
    }

    pub(super) fn index(&self) -> RwLockReadGuard<'_, Index> {
        self.shared().index.read().unwrap_or_else(PoisonError::into_inner)
    }
}
