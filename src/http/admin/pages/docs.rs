//! The built-in documentation, as pages.

use super::frame::Frame;
use super::{Desk, html};
use crate::base::fault::Fault;
use crate::docs::{PAGES, page as find};
use crate::http::Body;
use crate::http::fault::Refusal;
use askama::Template;
use hyper::Response;

#[derive(Template)]
#[template(path = "docs.html", config = "assets/ui/askama.toml")]
struct Docs {
    frame: Frame,
    title: &'static str,
    current: &'static str,
    pages: Vec<(&'static str, &'static str)>,
    /// HTML made of our own Markdown.
    text: String,
}

/// A page of the documentation; the first one unless named.
pub fn page(desk: &Desk<'_>, name: Option<&str>) -> Result<Response<Body>, Refusal> {
    let found = match name {
        Some(name) => find(name.strip_suffix(".md").unwrap_or(name)),
        None => PAGES.first(),
    };
    let Some(found) = found else { return Err(Fault::not_found("there is no such page").into()) };
    let options = pulldown_cmark::Options::ENABLE_TABLES;
    let mut text = String::new();
    pulldown_cmark::html::push_html(&mut text, pulldown_cmark::Parser::new_ext(&found.text(), options));
    // What scrolls sideways can be scrolled with the keyboard.
    let text = text.replace("<pre>", "<pre tabindex=\"0\">");
    // Nothing inline is drawn (our own CSP): columns of figures are for the style sheet. In texts these quotes are escaped.
    let text = text.replace(" style=\"text-align: ", " class=\"");
    let pages = PAGES.iter().map(|page| (page.name, page.title)).collect();
    html(&Docs { frame: desk.frame(), title: found.title, current: found.name, pages, text })
}
