use super::*;
use chrono::NaiveTime;
use proptest::prelude::*;
use serde_json::json;

#[test]
fn lengths_of_time_in_every_spelling() {
    for (text, us) in [
        ("1w2d3h4m5s", 788_645_000_000u64),
        ("90s", 90_000_000),
        ("10ms", 10_000),
        ("551us", 551),
        ("12ms345us", 12_345),
        ("1s500ms", 1_500_000),
        ("3m", 180_000_000),
        ("0s", 0),
        ("15", 15_000_000),
        ("0", 0),
        ("1.5", 1_500_000),
        ("0.25s", 250_000),
        ("00:00:15", 15_000_000),
        ("26:00:00", 93_600_000_000),
        ("00:00:00.551", 551_000),
        ("1d00:00:00", 86_400_000_000),
        ("1d 00:00:00", 86_400_000_000),
        ("1w00:00:00", 604_800_000_000),
        ("1w2d03:04:05", 788_645_000_000),
        ("1w 2d 03:04:05", 788_645_000_000),
        ("5m 30s", 330_000_000),
    ] {
        assert_eq!(span(text).map(|d| d.as_micros()), Some(u128::from(us)), "{text}");
    }
    assert_eq!(span_ms("12ms345us"), Some(12));
    assert_eq!(typed(Kind::Span, "1w"), json!(604_800));
    assert_eq!(typed(Kind::Span, "551us"), json!(0.000_551));
    assert_eq!(typed(Kind::Span, "1s500ms"), json!(1.5));
}

#[test]
fn words_in_place_of_time_stay_words() {
    for text in [
        "never",
        "none",
        "auto",
        "unlimited",
        "disabled",
        "inherit",
        "",
        "-5s",
        "5x",
        "s",
        "5s3m",
        "3m3m",
        "1:2",
        "00:60:00",
        "00:00:60",
        "00:00:15x",
        "1d-1s",
        "5 5",
        "1..5s",
        ".5s",
        "5.s",
        "99999999999999999999w",
        "40000w",
        "startup",
        "1d12",
    ] {
        assert_eq!(span(text), None, "{text}");
        assert_eq!(typed(Kind::Span, text), json!(text));
    }
}

#[test]
fn sizes() {
    for (text, n) in [
        ("0", 0),
        ("1073741824", 1_073_741_824),
        ("512.0MiB", 536_870_912),
        ("2450.9KiB", 2_509_722),
        ("1GiB", 1 << 30),
        ("1.5TiB", 3 << 39),
        ("12 KiB", 12_288),
        ("17B", 17),
        ("18446744073709551615", u64::MAX),
    ] {
        assert_eq!(bytes(text), Some(n), "{text}");
    }
    for text in ["", "10M", "64k", "KiB", "-1", "1.5", "1e3", "99999999999TiB", "18446744073709551616"] {
        assert_eq!(bytes(text), None, "{text}");
    }
}

#[test]
fn speeds_and_their_pairs() {
    for (text, n) in [
        ("0", 0),
        ("10000000", 10_000_000),
        ("10M", 10_000_000),
        ("64k", 64_000),
        ("1.5M", 1_500_000),
        ("1Gbps", 1_000_000_000),
        ("2.5Gbps", 2_500_000_000),
        ("18.4kbps", 18_400),
        ("0bps", 0),
        ("866.7Mbps-80MHz/2S", 866_700_000),
        ("1G-baseT-full", 1_000_000_000),
        ("100M-baseT-half", 100_000_000),
        ("6Mbps", 6_000_000),
    ] {
        assert_eq!(rate(text), Some(n), "{text}");
    }
    for text in ["", "unlimited", "auto", "10X", "M", "-1M", "1.5", "10M/10M", "Mbps", "1e6"] {
        assert_eq!(rate(text), None, "{text}");
    }
    assert_eq!(pair("0/0"), Some((0, 0)));
    assert_eq!(pair("10M/2M"), Some((10_000_000, 2_000_000)));
    assert_eq!(pair("10000000/64k"), Some((10_000_000, 64_000)));
    assert_eq!(pair("10M"), None);
    assert_eq!(pair("0s/0s"), None);
    assert_eq!(typed(Kind::RatePair, "10M/unlimited"), json!("10M/unlimited"));
    assert_eq!(typed(Kind::RatePair, "1M/2M"), json!([1_000_000, 2_000_000]));
}

#[test]
fn dates_old_and_new() {
    for (text, normal) in [
        ("2024-01-02 10:30:00", Some("2024-01-02 10:30:00")),
        ("jan/02/2024 10:30:00", Some("2024-01-02 10:30:00")),
        ("Dec/24/2022 00:00:00", Some("2022-12-24 00:00:00")),
        ("2026-11-25T02:53:14", Some("2026-11-25 02:53:14")),
        ("2026-11-25 02:53:14.123", Some("2026-11-25 02:53:14")),
        ("2023-12-03", Some("2023-12-03")),
        ("nov/11/2025", Some("2025-11-11")),
        ("sep/04 10:00:05", None),
        ("feb/29 10:00:05", None),
        ("10:00:05", None),
    ] {
        let read = date(text).unwrap_or_else(|| panic!("{text}"));
        assert_eq!(read.normal().as_deref(), normal, "{text}");
        assert_eq!(typed(Kind::Time, text), json!(normal.unwrap_or(text)));
    }
    let time = NaiveTime::from_hms_opt(10, 0, 5).unwrap();
    assert_eq!(date("sep/04 10:00:05"), Some(Date::ThisYear(9, 4, time)));
    assert_eq!(date("10:00:05"), Some(Date::Today(time)));
    for text in [
        "",
        "never",
        "startup",
        "2024-13-01",
        "2024-02-30 10:00:00",
        "feb/30 10:00:00",
        "foo/01/2024",
        "24:00:00",
        "10:00",
        "2024-1-",
        "1h2m",
    ] {
        assert_eq!(date(text), None, "{text}");
    }
}

#[test]
fn flags_numbers_lists_and_the_rest() {
    for (kind, text, value) in [
        (Kind::Flag, "true", json!(true)),
        (Kind::Flag, "no", json!(false)),
        (Kind::Flag, "", json!(true)),
        (Kind::Flag, "maybe", json!("maybe")),
        (Kind::Int, "-65", json!(-65)),
        (Kind::Int, "010", json!("010")),
        (Kind::Int, "1-10", json!("1-10")),
        (Kind::Int, "-", json!("-")),
        (Kind::Int, "auto", json!("auto")),
        (Kind::Count, "18446744073709551615", json!(u64::MAX)),
        (Kind::Count, "-1", json!("-1")),
        (Kind::Real, "24.1", json!(24.1)),
        (Kind::Real, "24.0", json!(24)),
        (Kind::Real, "inf", json!("inf")),
        (Kind::Percent, "12%", json!(12)),
        (Kind::Percent, "0.5%", json!(0.5)),
        (Kind::Percent, "7", json!(7)),
        (Kind::Percent, "%", json!("%")),
        (Kind::List, "22,8291,1000-2000", json!(["22", "8291", "1000-2000"])),
        (Kind::List, "", json!([])),
        (Kind::Set, "read,!write", json!(["read", "!write"])),
        (Kind::Set, "!established,related", json!(["!established", "related"])),
        (Kind::Address, "fe80::1%ether1", json!("fe80::1%ether1")),
        (Kind::Mac, "AA:BB:CC:00:11:22", json!("AA:BB:CC:00:11:22")),
        (Kind::Id, "*0", json!("*0")),
        (Kind::Any, "true", json!("true")),
        (Kind::Enum(&["no"]), "no", json!("no")),
    ] {
        assert_eq!(typed(kind, text), value, "{kind:?} {text}");
    }
}

const KINDS: [Kind; 21] = [
    Kind::Text,
    Kind::Name,
    Kind::Flag,
    Kind::Int,
    Kind::Count,
    Kind::Real,
    Kind::Span,
    Kind::Bytes,
    Kind::Rate,
    Kind::RatePair,
    Kind::Address,
    Kind::Prefix,
    Kind::Mac,
    Kind::List,
    Kind::Set,
    Kind::Enum(&[]),
    Kind::Time,
    Kind::Percent,
    Kind::Script,
    Kind::Id,
    Kind::Any,
];

proptest! {
    #[test]
    fn any_text_has_a_value_of_every_kind(text in prop_oneof![any::<String>(), "[0-9.:/wdhmsukMGTbpiB% -]{0,24}"]) {
        for kind in KINDS {
            let value = typed(kind, &text);
            prop_assert!(!value.is_null() && !value.is_object(), "{kind:?} {text:?}");
        }
        let _ = date(&text);
    }

    #[test]
    fn any_length_of_time_survives_restful_spelling(seconds in 0u64..40_000_000) {
        let mut text = String::new();
        let mut left = seconds;
        for (unit, size) in [("w", 604_800), ("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)] {
            if left >= size {
                text += &format!("{}{unit}", left / size);
                left %= size;
            }
        }
        let text = if text.is_empty() { "0s".into() } else { text };
        prop_assert_eq!(span(&text).map(|d| d.as_secs()), Some(seconds));
        let clock = format!("{}d{:02}:{:02}:{:02}", seconds / 86_400, seconds % 86_400 / 3_600, seconds % 3_600 / 60, seconds % 60);
        prop_assert_eq!(span(&clock).map(|d| d.as_secs()), Some(seconds));
    }
}
