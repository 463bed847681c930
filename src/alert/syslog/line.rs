//! A message as a line of syslog. Whatever routers and callers wrote cannot end it, begin another, or leave its field.

use crate::alert::kind::Severity;
use crate::alert::message::{Message, Status, tidy};
use crate::base::clock::Wall;
use chrono::{DateTime, Local};

/// System daemons.
const FACILITY: u8 = 3;
/// The enterprise number of examples (RFC 5612): there is none of ours.
const DATA: &str = "alert@32473";
/// What every receiver takes over UDP (RFC 5424, 6.1), bytes.
const DATAGRAM: usize = 2_048;
/// Longest text, in characters.
const TEXT: usize = 600;

/// Who sends.
#[derive(Debug, Clone)]
pub struct Sender {
    host: String,
    process: u32,
}

impl Sender {
    /// This process on this machine.
    pub fn here() -> Sender {
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        Sender { host: header(host.trim(), 255), process: std::process::id() }
    }

    /// RFC 5424.
    pub fn line(&self, message: &Message) -> String {
        let subject = message.subjects.first();
        let data = [
            ("id", message.id.as_str()),
            ("kind", message.kind_word()),
            ("status", message.status.as_str()),
            ("severity", message.severity.as_str()),
            ("type", subject.map_or("", |one| one.what.as_str())),
            ("subject", subject.map_or("", |one| one.id.as_str())),
            ("name", subject.map_or("", |one| one.name.as_str())),
        ];
        let mut line = format!(
            "<{}>1 {} {} routeros-mcp {} {} [{DATA}",
            priority(message),
            message.at.rfc3339(),
            self.host,
            self.process,
            message.kind_word()
        );
        for (name, value) in data {
            line.push_str(&format!(" {name}=\"{}\"", escaped(value)));
        }
        line.push_str(&format!(" count=\"{}\"] ", message.count));
        let text = text(message);
        if !text.is_ascii() {
            // RFC 5424, 6.4: this says that it is UTF-8.
            line.push('\u{FEFF}');
        }
        line.push_str(&text);
        line
    }

    /// RFC 5424, no longer than every receiver takes.
    pub fn datagram(&self, message: &Message) -> String {
        let mut line = self.line(message);
        line.truncate(line.floor_char_boundary(DATAGRAM));
        line
    }

    /// As programs of this machine write to its own socket.
    pub fn local(&self, message: &Message, now: Wall) -> String {
        let time = DateTime::from_timestamp_millis(now.0).unwrap_or_default().with_timezone(&Local).format("%b %e %H:%M:%S");
        format!(
            "<{}>{time} routeros-mcp[{}]: {} {}: {}",
            priority(message),
            self.process,
            message.kind_word(),
            message.status.as_str(),
            text(message)
        )
    }
}

fn priority(message: &Message) -> u8 {
    let level = match (message.status, message.severity) {
        (Status::Test, _) => 6,
        (Status::Resolved, _) => 5,
        (_, Severity::Critical) => 2,
        (_, Severity::Warning) => 4,
        (_, Severity::Info) => 6,
    };
    FACILITY * 8 + level
}

fn text(message: &Message) -> String {
    let repeats = if message.repeats == 0 { String::new() } else { format!(" (and {} times before)", message.repeats) };
    let details = if message.details.is_empty() { String::new() } else { format!(": {}", message.details) };
    tidy(&format!("{}{repeats}{details}", message.summary), TEXT)
}

/// A field of the header: printable ASCII without spaces, `-` for nothing.
fn header(text: &str, most: usize) -> String {
    let text: String = text.chars().filter(|c| c.is_ascii_graphic()).take(most).collect();
    if text.is_empty() { "-".into() } else { text }
}

/// RFC 5424, 6.3.3: these three are escaped. Control characters are gone since the subject was made, and once more.
fn escaped(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars().filter(|c| !c.is_control()) {
        if matches!(c, '"' | '\\' | ']') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::kind::Kind;
    use crate::alert::message::Subject;

    const NOW: Wall = Wall(1_790_000_000_000);

    fn sender() -> Sender {
        Sender { host: "box".into(), process: 42 }
    }

    fn down(name: &str, details: &str) -> Message {
        Message {
            id: "msg_1".into(),
            kind: Some(Kind::DeviceDown),
            status: Status::Firing,
            severity: Severity::Critical,
            summary: Kind::DeviceDown.begins(&Subject::device("dev_1", name).name),
            details: details.into(),
            subjects: vec![Subject::device("dev_1", name)],
            ..Message::test(NOW)
        }
    }

    #[test]
    fn a_line_is_what_the_rfc_says() {
        assert_eq!(
            sender().line(&down("edge-7", "no answer within 5 s")),
            "<26>1 2026-09-21T14:13:20.000Z box routeros-mcp 42 device_down [alert@32473 id=\"msg_1\" kind=\"device_down\" status=\"firing\" \
             severity=\"critical\" type=\"device\" subject=\"dev_1\" name=\"edge-7\" count=\"1\"] edge-7 is down: no answer within 5 s"
        );
        let over = Message { status: Status::Resolved, ..down("büro", "") };
        let line = sender().line(&over);
        assert!(line.starts_with("<29>1 ") && line.contains("] \u{FEFF}büro"), "{line}");
        let local = sender().local(&down("edge-7", "x"), NOW);
        assert!(local.starts_with("<26>Sep ") && local.ends_with(" routeros-mcp[42]: device_down firing: edge-7 is down: x"), "{local}");
    }

    #[test]
    fn hostile_names_and_words_stay_where_they_belong() {
        let hostile = "x\" y=\"1\"] <0>1 evil\r\n<0>1 - - evil\u{0}\u{2028}\\";
        let line = sender().line(&down(hostile, hostile));
        assert!(!line.chars().any(|c| c.is_control() || c == '\u{2028}'), "{line}");
        let name = line.split(" name=\"").nth(1).unwrap();
        assert!(name.starts_with(r#"x\" y=\"1\"\] <0>1 evil"#), "{name}");
        // Whoever reads the data by the rules finds its end where it is.
        let (mut escaped, mut quoted, mut end) = (false, false, 0);
        for (at, c) in line.char_indices().skip(line.find('[').unwrap()) {
            match c {
                _ if escaped => escaped = false,
                '\\' if quoted => escaped = true,
                '"' => quoted = !quoted,
                ']' if !quoted => {
                    end = at;
                    break;
                }
                _ => {}
            }
        }
        assert!(line[..end].ends_with("count=\"1\"") && line[end..].starts_with("] "), "{line}");
        let local = sender().local(&down(hostile, hostile), NOW);
        assert!(!local.contains('\n') && !local.contains('\0'), "{local}");
    }

    #[test]
    fn the_longest_message_fits_where_it_must() {
        let long = "ä".repeat(5_000);
        let message = down(&long, &crate::alert::message::details(&long));
        assert!(sender().datagram(&message).len() <= DATAGRAM);
        assert!(sender().line(&message).len() < 4_096);
    }
}
