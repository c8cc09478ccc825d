//! Entries as text: `<ISO time> [<thread>] [<level>] [<tag>]…: <message>`. A message may span lines; an entry ends where
//! a line begins like another entry.

use super::Level;
use crate::value::iso_text;

/// The length of the time an entry begins with.
const TIME: usize = 24;
/// Longer messages are cut.
const LONGEST: usize = 64 << 10;

/// An entry of the log.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// ISO time, UTC, with milliseconds.
    pub timestamp: String,
    /// Who wrote it, such as `http/1`.
    pub thread: String,
    /// The level's name.
    pub level: String,
    /// The tags.
    pub tags: Vec<String>,
    /// What it says.
    pub message: String,
}

/// The text of an entry, with the end of its last line.
pub(super) fn format(now: f64, thread: &str, level: Level, tags: &[&str], message: &str) -> String {
    let mut line = iso_text(now).unwrap_or_default();
    line.reserve(message.len() + 48);
    for word in [thread, level.name()].iter().chain(tags) {
        line.push_str(" [");
        line.extend(word.chars().filter(|c| !matches!(c, '[' | ']' | '\n' | '\r')));
        line.push(']');
    }
    line.push_str(": ");
    let message = message.trim_end();
    let message = &message[..message.floor_char_boundary(LONGEST)];
    for (at, part) in message.split('\n').enumerate() {
        if at > 0 {
            line.push('\n');
            // Whatever a message quotes, it begins no other entry.
            if header(part.as_bytes()).is_some() {
                line.push(' ');
            }
        }
        line.push_str(part);
    }
    line.push('\n');
    line
}

/// The text of an entry without its time, as it goes to the standard streams.
pub(super) fn without_time(line: &str) -> &str {
    line.get(TIME + 1..).unwrap_or(line)
}

/// The beginning of an entry.
pub(super) struct Header<'l> {
    pub(super) timestamp: &'l str,
    words: &'l str,
    /// What follows in the first line.
    pub(super) rest: &'l [u8],
}

impl Header<'_> {
    /// The entry that begins here and ends with these further lines.
    pub(super) fn entry<'l>(&self, further: impl Iterator<Item = &'l [u8]>) -> Entry {
        let mut words = self.words.split("] [").map(str::to_owned);
        let (thread, level) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let mut message = String::from_utf8_lossy(self.rest).into_owned();
        for line in further {
            message.push('\n');
            message.push_str(&String::from_utf8_lossy(line));
        }
        message.truncate(message.trim_end().len());
        Entry { timestamp: self.timestamp.to_owned(), thread, level, tags: words.collect(), message }
    }
}

/// The beginning of an entry, if a line (without its end) is one.
pub(super) fn header(line: &[u8]) -> Option<Header<'_>> {
    let (time, rest) = line.split_at_checked(TIME)?;
    let shaped = time.iter().zip(b"0000-00-00T00:00:00.000Z").all(|(byte, form)| match form {
        b'0' => byte.is_ascii_digit(),
        other => byte == other,
    });
    let rest = rest.strip_prefix(b" [").filter(|_| shaped)?;
    let end = rest.windows(3).position(|window| window == b"]: ")?;
    let words = std::str::from_utf8(&rest[..end]).ok()?;
    Some(Header { timestamp: std::str::from_utf8(time).ok()?, words, rest: &rest[end + 3..] })
}
