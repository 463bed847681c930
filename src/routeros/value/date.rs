//! Dates on the router's clock: `2024-01-02 10:30:00` since about 7.10, `jan/02/2024 10:30:00` before; a log leaves out
//! the year (`sep/04 10:00:05`) or the day (`10:00:05`). No time zone is ever given.

use chrono::{Datelike, NaiveDate, NaiveTime};

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// What a date's text says; parts that it leaves out are not made up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Date {
    /// Day and time.
    At(NaiveDate, NaiveTime),
    /// A day.
    Day(NaiveDate),
    /// Month (1 to 12), day and time, of the current year.
    ThisYear(u32, u32, NaiveTime),
    /// A time of the current day.
    Today(NaiveTime),
}

impl Date {
    /// `YYYY-MM-DD HH:MM:SS` or `YYYY-MM-DD`, if the text was whole.
    pub fn normal(self) -> Option<String> {
        match self {
            Date::At(day, time) => Some(format!("{} {}", day.format("%Y-%m-%d"), time.format("%H:%M:%S"))),
            Date::Day(day) => Some(day.format("%Y-%m-%d").to_string()),
            Date::ThisYear(..) | Date::Today(_) => None,
        }
    }
}

/// Reads every form above; `T` may stand between day and time, and a fraction of a second is dropped.
pub fn date(text: &str) -> Option<Date> {
    let text = text.trim();
    if let Some(time) = time(text) {
        return Some(Date::Today(time));
    }
    let Some((first, second)) = text.split_once([' ', 'T']) else {
        return day(text).map(Date::Day);
    };
    let time = time(second.trim_start())?;
    if let Some(day) = day(first) {
        return Some(Date::At(day, time));
    }
    let (name, number) = first.split_once('/')?;
    let (month, number) = (month(name)?, two_digits(number)?);
    // 2000 had a 29th of February: a leap day is a day of some year.
    NaiveDate::from_ymd_opt(2000, month, number).map(|d| Date::ThisYear(d.month(), d.day(), time))
}

fn day(text: &str) -> Option<NaiveDate> {
    let (a, rest) = text.split_once(['-', '/'])?;
    let (b, c) = rest.split_once(['-', '/'])?;
    let year = |part: &str| if part.len() == 4 && all_digits(part) { part.parse().ok() } else { None };
    match month(a) {
        Some(month) => NaiveDate::from_ymd_opt(year(c)?, month, two_digits(b)?),
        None => NaiveDate::from_ymd_opt(year(a)?, two_digits(b)?, two_digits(c)?),
    }
}

fn month(name: &str) -> Option<u32> {
    let place = MONTHS.iter().position(|month| month.eq_ignore_ascii_case(name))?;
    u32::try_from(place + 1).ok()
}

fn two_digits(text: &str) -> Option<u32> {
    (matches!(text.len(), 1 | 2) && all_digits(text)).then(|| text.parse().ok())?
}

fn all_digits(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

fn time(text: &str) -> Option<NaiveTime> {
    let text = text.split_once('.').map_or(text, |(whole, part)| if all_digits(part) { whole } else { text });
    let mut parts = text.split(':').map(two_digits);
    let time = NaiveTime::from_hms_opt(parts.next()??, parts.next()??, parts.next()??)?;
    parts.next().is_none().then_some(time)
}
