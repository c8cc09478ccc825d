//! The blocks of `ssh/config`: one per key, under a comment with its name.

use super::is_project_name;
use std::path::Path;

/// The line that ends a block.
const LAST_LINE: &str = "IdentitiesOnly yes";

/// The two names of a host.
#[derive(Clone, Copy, Debug)]
pub struct Host<'h> {
    /// The alias by which references call it.
    pub host: &'h str,
    /// Its real name.
    pub hostname: &'h str,
}

/// The block of a key.
pub(super) fn block(name: &str, host: Host<'_>, key: &Path) -> String {
    let Host { host, hostname } = host;
    let key = key.display().to_string();
    let key = if key.contains(char::is_whitespace) { format!("\"{key}\"") } else { key };
    format!(
        "#{name}\nHost {host}\n        HostName {hostname}\n        User git\n        IdentityFile {key}\n        {LAST_LINE}"
    )
}

/// The text with a block in the place of the key's former one, or at the end.
pub(super) fn with_block(text: &str, name: &str, block: &str) -> String {
    let mut blocks = split(text);
    match blocks.iter_mut().find(|part| part.name == Some(name)) {
        Some(part) => part.text = block.to_owned(),
        None => blocks.push(Part { name: Some(name), text: block.to_owned() }),
    }
    joined(&blocks)
}

/// The text without the key's block.
pub(super) fn without_block(text: &str, name: &str) -> String {
    let mut blocks = split(text);
    blocks.retain(|part| part.name != Some(name));
    joined(&blocks)
}

/// The host and the host name in a key's block.
pub(super) fn host_of(text: &str, name: &str) -> Option<(String, String)> {
    let part = split(text).into_iter().find(|part| part.name == Some(name))?;
    let value = |word: &str| {
        let line = part.text.lines().find_map(|line| line.trim().strip_prefix(word)?.strip_prefix(' '));
        line.unwrap_or_default().trim().to_owned()
    };
    Some((value("Host"), value("HostName")))
}

/// A key's block, or lines that somebody else wrote.
struct Part<'t> {
    name: Option<&'t str>,
    text: String,
}

fn split(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let begins_host = lines.peek().is_some_and(|next| next.starts_with("Host "));
        let name = line.strip_prefix('#').filter(|name| begins_host && is_project_name(name));
        let mut part = Part { name, text: line.to_owned() };
        while name.is_some()
            && part.text.lines().last().is_some_and(|line| line.trim() != LAST_LINE)
            && let Some(line) = lines.next_if(|line| !line.starts_with('#'))
        {
            part.text.push('\n');
            part.text.push_str(line);
        }
        parts.push(part);
    }
    parts
}

fn joined(parts: &[Part<'_>]) -> String {
    parts.iter().map(|part| part.text.as_str()).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host<'h>(host: &'h str, hostname: &'h str) -> Host<'h> {
        Host { host, hostname }
    }

    #[test]
    fn blocks_are_added_replaced_and_removed_one_by_one() {
        let one = block("one", host("a.example", "example.com"), Path::new("/srv/ssh/one.key"));
        insta::assert_snapshot!(one, @r"
        #one
        Host a.example
                HostName example.com
                User git
                IdentityFile /srv/ssh/one.key
                IdentitiesOnly yes
        ");
        let two = block("two", host("b.example", "example.org"), Path::new("/with space/two.key"));
        let own = "# kept\nHost *\n  Compression yes\n";
        let text = with_block(&with_block(own, "one", &one), "two", &two);
        assert_eq!(host_of(&text, "two"), Some(("b.example".to_owned(), "example.org".to_owned())));
        let changed = block("one", host("c.example", "example.net"), Path::new("/srv/ssh/one.key"));
        let text = with_block(&text, "one", &changed);
        assert_eq!(host_of(&text, "one"), Some(("c.example".to_owned(), "example.net".to_owned())));
        let text = without_block(&text, "one");
        assert_eq!(text, format!("{own}{two}"));
        assert_eq!(without_block(&text, "two"), own.trim_end());
        assert_eq!(host_of(&text, "one"), None);
    }
}
