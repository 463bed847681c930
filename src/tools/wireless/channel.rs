//! A channel as the drivers write it: `5180/ax/Ceee`, `5180/20-Ceee/ac(28dBm)`, `2437/20/gn(20dBm)`, `2412/n`, `5500/20-eC/ac/DP`.
//!
//! The first number is the control channel in MHz. A word of `C`, `e` and `X` has a letter for each 20 MHz of the width.

/// What a channel's text says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Channel<'a> {
    pub frequency_mhz: u32,
    pub width_mhz: Option<u32>,
    /// `ax`, `ac`, `gn`.
    pub standard: Option<&'a str>,
}

impl<'a> Channel<'a> {
    /// `None` when it does not begin with a frequency.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let mut words = text.split(['/', '-', '(', ')', ' ', ',']);
        let frequency_mhz: u32 = words.next()?.parse().ok().filter(|mhz| (700..=100_000).contains(mhz))?;
        let (mut width_mhz, mut standard, mut said) = (None, None, None);
        for word in words.filter(|word| !word.is_empty()) {
            if word.bytes().all(|b| matches!(b, b'C' | b'e' | b'X')) {
                width_mhz = Some(20 * word.len() as u32);
            } else if word.bytes().all(|b| b.is_ascii_digit()) {
                said = said.or(word.parse().ok());
            } else if standard.is_none() && word.len() <= 4 && word.bytes().all(|b| b.is_ascii_lowercase()) {
                standard = Some(word);
            }
        }
        // Without such a word a channel that names its standard is 20 MHz wide.
        Some(Channel { frequency_mhz, width_mhz: width_mhz.or(said).or(standard.map(|_| 20)), standard })
    }
}

/// `2ghz`, `5ghz` or `6ghz`.
pub(super) fn band(frequency_mhz: u32) -> Option<&'static str> {
    match frequency_mhz {
        2_300..=2_500 => Some("2ghz"),
        4_900..=5_924 => Some("5ghz"),
        5_925..=7_125 => Some("6ghz"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_of_every_driver_are_read() {
        for (text, frequency_mhz, width_mhz, standard) in [
            ("5180/ax/Ceee", 5180, Some(80), Some("ax")),
            ("5180/20-Ceee/ac(28dBm)", 5180, Some(80), Some("ac")),
            ("2437/20/gn(20dBm)", 2437, Some(20), Some("gn")),
            ("2412/n", 2412, Some(20), Some("n")),
            ("5500/20-eC/ac/DP", 5500, Some(40), Some("ac")),
            ("2462/20/gn(30dBm)", 2462, Some(20), Some("gn")),
            ("5955/be/Ceeeeeeeeeeeeeee", 5955, Some(320), Some("be")),
            ("5580", 5580, None, None),
            ("2412,2437x", 2412, None, None),
        ] {
            assert_eq!(Channel::parse(text), Some(Channel { frequency_mhz, width_mhz, standard }), "{text}");
        }
        for text in ["", "auto", "disabled", "1", "99999999999"] {
            assert_eq!(Channel::parse(text), None, "{text}");
        }
        assert_eq!((band(2412), band(5180), band(5955), band(60_480)), (Some("2ghz"), Some("5ghz"), Some("6ghz"), None));
    }
}
