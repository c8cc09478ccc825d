//! Changing single lines of a YAML text in block style. Nothing here is sure of its result: [`super::document`] reads
//! it and falls back to [`whole`].

use super::document::at;
use crate::value::{Object, Value, number_text};
use std::fmt::Write;
use std::ops::Range;

/// How much further in a section's keys stand.
const STEP: usize = 2;

/// The text with the value at `path` as `tree` has it; `None` when the place cannot be told.
pub(super) fn set(text: &str, tree: &Object, path: &[&str]) -> Option<String> {
    let lines: Vec<&str> = text.lines().collect();
    let mut section = Section::root(&lines);
    for depth in 1..=path.len() {
        let (key, value) = (path[depth - 1], at(tree, &path[..depth])?);
        let Some(entry) = section.entry(&lines, key) else {
            let added = printed(&key_text(key), value, section.indent, "");
            return Some(splice(&lines, section.end(&lines)..section.end(&lines), &added));
        };
        match entry.section {
            Some(inner) if depth < path.len() && inner.is_mapping(&lines) => section = inner,
            _ => {
                let added = printed(entry.key, value, section.indent, entry.comment);
                return Some(splice(&lines, entry.lines, &added));
            }
        }
    }
    None
}

/// The text without the value at `path`, which `tree` has no more; `None` when the place cannot be told.
pub(super) fn remove(text: &str, tree: &Object, path: &[&str]) -> Option<String> {
    let (last, sections) = path.split_last()?;
    if !sections.is_empty() && at(tree, sections).and_then(Value::as_object).is_some_and(Object::is_empty) {
        return set(text, tree, sections);
    }
    let lines: Vec<&str> = text.lines().collect();
    let mut section = Section::root(&lines);
    for key in sections {
        section = section.entry(&lines, key)?.section?;
    }
    let entry = section.entry(&lines, last)?;
    Some(splice(&lines, entry.lines, ""))
}

/// The whole tree printed anew, below the comment that the text begins with.
pub(super) fn whole(text: &str, tree: &Object) -> String {
    let mut out = String::new();
    for line in text.lines().take_while(|line| line.starts_with('#')) {
        out.push_str(line);
        out.push('\n');
    }
    for (key, value) in tree {
        out.push_str(&printed(&key_text(key), value, 0, ""));
    }
    out
}

/// The lines of a mapping's entries.
struct Section {
    lines: Range<usize>,
    /// How many blanks stand before each key.
    indent: usize,
}

/// A key with its value.
struct Entry<'l> {
    /// From the key's line to the last line of the value.
    lines: Range<usize>,
    /// The key as it is written.
    key: &'l str,
    /// The comment behind the key or the value, with its `#`.
    comment: &'l str,
    /// What stands below the key, when nothing stands beside it.
    section: Option<Section>,
}

impl Section {
    fn root(lines: &[&str]) -> Section {
        Section { lines: 0..lines.len(), indent: 0 }
    }

    fn is_mapping(&self, lines: &[&str]) -> bool {
        lines[self.lines.clone()].iter().find(|line| has_content(line)).is_some_and(|line| !is_item(line))
    }

    /// The line behind the last one with content.
    fn end(&self, lines: &[&str]) -> usize {
        let within = &lines[self.lines.clone()];
        let content = within.iter().rposition(|line| has_content(line));
        self.lines.start + content.map_or(within.len(), |last| last + 1)
    }

    fn entry<'l>(&self, lines: &[&'l str], key: &str) -> Option<Entry<'l>> {
        let start = self.lines.clone().find(|at| {
            indent_of(lines[*at]) == self.indent
                && split_key(lines[*at].trim_start_matches(' ')).is_some_and(|(_, name, _)| name == key)
        })?;
        let (written, _, rest) = split_key(lines[start].trim_start_matches(' '))?;
        let mut end = start + 1;
        for (line, number) in lines[start + 1..self.lines.end].iter().zip(start + 1..) {
            if !has_content(line) {
                continue;
            }
            // The items of a list may stand below its key without blanks before them.
            let least = if is_item(line) { self.indent } else { self.indent + 1 };
            if indent_of(line) < least {
                break;
            }
            end = number + 1;
        }
        let (value, comment) = split_comment(rest);
        let below = start + 1..end;
        let first = lines[below.clone()].iter().find(|line| has_content(line));
        let section = first
            .filter(|_| value.trim().is_empty())
            .map(|line| Section { indent: indent_of(line), lines: below });
        Some(Entry { lines: start..end, key: written, comment, section })
    }
}

fn indent_of(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

fn has_content(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && !line.starts_with('#') && line != "---"
}

fn is_item(line: &str) -> bool {
    let line = line.trim();
    line == "-" || line.starts_with("- ")
}

/// The key as written, what it says, and the rest of the line behind the colon.
fn split_key(line: &str) -> Option<(&str, String, &str)> {
    let end = match line.chars().next()? {
        quote @ ('"' | '\'') => 1 + line.get(1..)?.find(quote)? + 1,
        '#' | '{' | '[' | '?' | '&' | '*' | '!' | '|' | '>' | '%' | '@' | '`' => return None,
        _ => plain_key_end(line)?,
    };
    let (written, rest) = line.split_at_checked(end)?;
    let rest = rest.trim_start_matches(' ').strip_prefix(':')?;
    if !(rest.is_empty() || rest.starts_with([' ', '\t'])) {
        return None;
    }
    let written = written.trim_end();
    let name = yaml_serde::from_str::<yaml_serde::Value>(written).ok()?;
    let name = name.as_str().map_or_else(|| written.to_owned(), str::to_owned);
    Some((written, name, rest))
}

fn plain_key_end(line: &str) -> Option<usize> {
    line.match_indices(':').map(|(at, _)| at).find(|at| {
        let rest = &line[at + 1..];
        rest.is_empty() || rest.starts_with([' ', '\t'])
    })
}

/// A value and the comment behind it.
fn split_comment(rest: &str) -> (&str, &str) {
    let mut quote = None;
    let mut before = ' ';
    for (at, c) in rest.char_indices() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if matches!(c, '"' | '\'') && !before.is_alphanumeric() => quote = Some(c),
            None if c == '#' && before.is_whitespace() => return rest.split_at(at),
            None => {}
        }
        before = c;
    }
    (rest, "")
}

/// The lines of a key with its value.
fn printed(key: &str, value: &Value, indent: usize, comment: &str) -> String {
    let blanks = " ".repeat(indent);
    let comment = if comment.is_empty() { String::new() } else { format!(" {}", comment.trim_end()) };
    match value {
        Value::Array(items) if !items.is_empty() => {
            let mut out = format!("{blanks}{key}:{comment}\n");
            push_items(&mut out, items, indent + STEP);
            out
        }
        Value::Object(members) if !members.is_empty() => {
            let mut out = format!("{blanks}{key}:{comment}\n");
            push_members(&mut out, members, indent + STEP);
            out
        }
        scalar => format!("{blanks}{key}: {}{comment}\n", scalar_text(scalar)),
    }
}

fn push_members(out: &mut String, members: &Object, indent: usize) {
    for (key, value) in members {
        out.push_str(&printed(&key_text(key), value, indent, ""));
    }
}

fn push_items(out: &mut String, items: &[Value], indent: usize) {
    for item in items {
        let blanks = " ".repeat(indent);
        let mut inner = String::new();
        match item {
            Value::Array(items) if !items.is_empty() => push_items(&mut inner, items, indent + STEP),
            Value::Object(members) if !members.is_empty() => push_members(&mut inner, members, indent + STEP),
            scalar => {
                let _ = writeln!(inner, "{}", scalar_text(scalar));
            }
        }
        // The first line of a nested collection stands beside the dash.
        let _ = write!(out, "{blanks}- {}", inner.trim_start_matches(' '));
    }
}

/// A value that takes one line.
fn scalar_text(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) if number.is_infinite() => {
            if *number > 0.0 {
                ".inf".to_owned()
            } else {
                "-.inf".to_owned()
            }
        }
        // Without a point this exponent would make it text, and so would more digits than an integer has.
        Value::Number(number) => match number_text(*number) {
            text if text.contains('.') => text,
            text if text.contains('e') => text.replace('e', ".0e"),
            text if number.abs() >= 1e18 => text + ".0",
            text => text,
        },
        Value::Array(_) => "[]".to_owned(),
        Value::Object(_) => "{}".to_owned(),
        other => string_text(&other.as_str().map_or_else(|| other.to_json(), str::to_owned)),
    }
}

fn key_text(key: &str) -> String {
    string_text(key)
}

/// A text on one line, in quotes where it needs them.
fn string_text(text: &str) -> String {
    let printed = yaml_serde::to_string(text).unwrap_or_default();
    let printed = printed.strip_suffix('\n').unwrap_or(&printed);
    let plain =
        !printed.is_empty() && !printed.contains('\n') && printed.chars().all(|c| matches!(c, ' '..='~'));
    if plain { printed.to_owned() } else { quoted(text) }
}

/// A text in double quotes with everything unusual escaped.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            ' '..='~' => out.push(c),
            c if c.is_alphanumeric() => out.push(c),
            c if u32::from(c) <= 0xFFFF => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => {
                let _ = write!(out, "\\U{:08x}", u32::from(c));
            }
        }
    }
    out.push('"');
    out
}

/// The lines with some of them replaced by a text that ends with a line break or is empty.
fn splice(lines: &[&str], replaced: Range<usize>, text: &str) -> String {
    let mut out = String::new();
    let mut push = |line: &&str| {
        out.push_str(line);
        out.push('\n');
    };
    lines[..replaced.start].iter().for_each(&mut push);
    out.push_str(text);
    let mut push = |line: &&str| {
        out.push_str(line);
        out.push('\n');
    };
    lines[replaced.end..].iter().for_each(&mut push);
    out
}
