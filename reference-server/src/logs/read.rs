//! Reading the file with filters, as little of it as the question needs.

use super::line::{self, Entry};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::ops::ControlFlow;
use std::path::Path;

/// Entries of several threads may be this much out of order, in milliseconds.
const DISORDER: f64 = 5_000.0;
/// How much is read at once from the end, and how exactly the beginning of a period is searched for.
const PIECE: u64 = 64 << 10;

/// In which order entries are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Oldest first.
    Ascending,
    /// Newest first.
    Descending,
}

/// What to look for.
#[derive(Clone, Debug)]
pub struct Query {
    /// The level's name.
    pub level: Option<String>,
    /// Epoch milliseconds of the earliest entry, inclusive.
    pub from: Option<f64>,
    /// Epoch milliseconds of the latest entry, inclusive.
    pub to: Option<f64>,
    /// A text that the entry holds.
    pub filter: Option<String>,
    /// How many matching entries to skip.
    pub start: usize,
    /// How many entries at most.
    pub limit: usize,
    /// The order; that of the file without.
    pub order: Option<Order>,
}

/// The entries of a file. Matches are counted from the oldest, or from the newest when the newest are asked for first
/// and no period is given. A file that does not exist has none.
///
/// # Errors
/// When the file cannot be read.
pub fn read(path: &Path, query: &Query) -> io::Result<Vec<Entry>> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        file => file?,
    };
    let mut page = Page { query, skipped: 0, entries: Vec::new() };
    if query.order == Some(Order::Descending) && query.from.is_none() && query.to.is_none() {
        backwards(&mut file, |entry| page.visit(entry))?;
        return Ok(page.entries);
    }
    if let Some(from) = query.from {
        skip_to(&mut file, from - DISORDER)?;
    }
    forwards(file, |entry| page.visit(entry))?;
    let mut entries = page.entries;
    if query.order.is_some() {
        entries.sort_by(|a, b| a.timestamp.cmp(&b.timestamp));
    }
    if query.order == Some(Order::Descending) {
        entries.reverse();
    }
    Ok(entries)
}

/// The entries found so far.
struct Page<'q> {
    query: &'q Query,
    skipped: usize,
    entries: Vec<Entry>,
}

impl Page<'_> {
    fn visit(&mut self, entry: Entry) -> ControlFlow<()> {
        let time = instant(&entry.timestamp);
        if self.query.to.is_some_and(|to| time > to + DISORDER) {
            return ControlFlow::Break(());
        }
        if self.matches(&entry, time) {
            if self.skipped < self.query.start {
                self.skipped += 1;
            } else {
                self.entries.push(entry);
            }
        }
        match self.entries.len() >= self.query.limit {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }

    fn matches(&self, entry: &Entry, time: f64) -> bool {
        let query = self.query;
        let holds = |text: &String| {
            let words = [&entry.timestamp, &entry.thread, &entry.level, &entry.message];
            words.into_iter().chain(&entry.tags).any(|word| word.contains(text.as_str()))
        };
        query.level.as_ref().is_none_or(|level| *level == entry.level)
            && query.from.is_none_or(|from| time >= from)
            && query.to.is_none_or(|to| time <= to)
            && query.filter.as_ref().is_none_or(holds)
    }
}

fn instant(timestamp: &str) -> f64 {
    crate::query::date_text(timestamp).unwrap_or(f64::NAN)
}

/// Visits the entries from where the file is.
fn forwards(file: File, mut visit: impl FnMut(Entry) -> ControlFlow<()>) -> io::Result<()> {
    let mut reader = BufReader::with_capacity(PIECE as usize, file);
    // The lines of the entry that is not finished yet.
    let mut lines: Vec<Vec<u8>> = Vec::new();
    loop {
        let mut line = Vec::new();
        let end = reader.read_until(b'\n', &mut line)? == 0;
        let line = without_end(line);
        if end || line::header(&line).is_some() {
            if let Some(entry) = entry_of(&lines)
                && visit(entry).is_break()
            {
                return Ok(());
            }
            lines.clear();
        }
        if end {
            return Ok(());
        }
        lines.push(line);
    }
}

/// Visits the entries from the last to the first.
fn backwards(file: &mut File, mut visit: impl FnMut(Entry) -> ControlFlow<()>) -> io::Result<()> {
    let mut at = file.metadata()?.len();
    // The beginning of a line whose own beginning was not read yet, and the lines of an entry likewise, last first.
    let mut open = Vec::new();
    let mut lines: Vec<Vec<u8>> = Vec::new();
    while at > 0 {
        let length = at.min(PIECE);
        at -= length;
        file.seek(SeekFrom::Start(at))?;
        let mut piece = vec![0; length as usize];
        file.read_exact(&mut piece)?;
        piece.append(&mut open);
        let mut parts: Vec<&[u8]> = piece.split(|byte| *byte == b'\n').collect();
        let first = parts.remove(0).to_vec();
        for line in parts.into_iter().rev() {
            lines.push(without_end(line.to_vec()));
            if finished(&mut lines, &mut visit).is_break() {
                return Ok(());
            }
        }
        open = first;
    }
    lines.push(without_end(open));
    let _ = finished(&mut lines, &mut visit);
    Ok(())
}

/// Visits the entry whose first line was just found, if it was.
fn finished(lines: &mut Vec<Vec<u8>>, visit: &mut impl FnMut(Entry) -> ControlFlow<()>) -> ControlFlow<()> {
    if lines.last().is_none_or(|line| line::header(line).is_none()) {
        return ControlFlow::Continue(());
    }
    lines.reverse();
    let entry = entry_of(lines);
    lines.clear();
    entry.map_or(ControlFlow::Continue(()), visit)
}

fn entry_of(lines: &[Vec<u8>]) -> Option<Entry> {
    let (first, further) = lines.split_first()?;
    Some(line::header(first)?.entry(further.iter().map(Vec::as_slice)))
}

fn without_end(mut line: Vec<u8>) -> Vec<u8> {
    for end in [b'\n', b'\r'] {
        if line.last() == Some(&end) {
            line.pop();
        }
    }
    line
}

/// Moves to an entry before which none is as late as `time`. Entries lie about in the order of their times.
fn skip_to(file: &mut File, time: f64) -> io::Result<()> {
    let (mut low, mut high) = (0, file.metadata()?.len());
    while high - low > PIECE {
        let middle = low + (high - low) / 2;
        match entry_after(file, middle, high)? {
            Some((at, timestamp)) if instant(&timestamp) < time => low = at,
            _ => high = middle,
        }
    }
    file.seek(SeekFrom::Start(low))?;
    Ok(())
}

/// Where the first entry between two places begins, with its time. The first line counts only when the place is known
/// to be a line's beginning, which it is not.
fn entry_after(file: &mut File, from: u64, to: u64) -> io::Result<Option<(u64, String)>> {
    file.seek(SeekFrom::Start(from))?;
    let mut reader = BufReader::new(file);
    let mut at = from + reader.read_until(b'\n', &mut Vec::new())? as u64;
    while at < to {
        let mut line = Vec::new();
        let length = reader.read_until(b'\n', &mut line)? as u64;
        if length == 0 {
            break;
        }
        if let Some(header) = line::header(&without_end(line)) {
            return Ok(Some((at, header.timestamp.to_owned())));
        }
        at += length;
    }
    Ok(None)
}
