//! Link rates of wireless clients: `866.7Mbps-80MHz/2S/SGI`, `144.4Mbps-20MHz/2S/SGI`, `54Mbps`, `1200000000`.
//!
//! After the hyphen stand the channel's width, the number of spatial streams and, for older standards, the short guard
//! interval; words unknown here are left out.

use super::rate;

/// What a link rate says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WifiRate {
    /// The rate itself.
    pub bits_per_second: u64,
    /// Width of the channel.
    pub width_mhz: Option<u16>,
    /// Spatial streams.
    pub streams: Option<u8>,
    /// Short guard interval.
    pub short_guard: bool,
}

/// Reads a link rate; `None` when it does not begin with one.
pub fn wifi_rate(text: &str) -> Option<WifiRate> {
    let text = text.trim();
    let bits_per_second = rate(text)?;
    let mut found = WifiRate { bits_per_second, width_mhz: None, streams: None, short_guard: false };
    let (_, about) = text.split_once('-').unwrap_or((text, ""));
    for word in about.split('/') {
        if let Some(width) = word.strip_suffix("MHz").and_then(|n| n.parse().ok()) {
            found.width_mhz = Some(width);
        } else if let Some(streams) = word.strip_suffix('S').and_then(|n| n.parse().ok()) {
            found.streams = Some(streams);
        } else if word == "SGI" {
            found.short_guard = true;
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_of_every_generation_are_read() {
        for (text, bits_per_second, width_mhz, streams, short_guard) in [
            ("866.7Mbps-80MHz/2S/SGI", 866_700_000, Some(80), Some(2), true),
            ("144.4Mbps-20MHz/2S/SGI", 144_400_000, Some(20), Some(2), true),
            ("1200.9Mbps-80MHz/2S/HE", 1_200_900_000, Some(80), Some(2), false),
            ("130Mbps-20MHz/2S", 130_000_000, Some(20), Some(2), false),
            ("5.5Mbps", 5_500_000, None, None, false),
            ("1200000000", 1_200_000_000, None, None, false),
            ("2.4Gbps-160MHz/2S", 2_400_000_000, Some(160), Some(2), false),
        ] {
            assert_eq!(wifi_rate(text), Some(WifiRate { bits_per_second, width_mhz, streams, short_guard }), "{text}");
        }
        for text in ["", "fast", "-80MHz", "HE-MCS9"] {
            assert_eq!(wifi_rate(text), None, "{text}");
        }
    }
}
