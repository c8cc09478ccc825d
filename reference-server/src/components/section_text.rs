//! Changing one top-level section of the configuration file's text; everything else stays to the letter.

/// The text with a section at its end, or in the place of a former one of that name.
pub(super) fn with_section(text: &str, name: &str, section: &str) -> String {
    let (before, after) = around(text, name);
    let (before, after) = (before.unwrap_or(text), after.unwrap_or_default());
    let between = if before.is_empty() || before.ends_with('\n') { "" } else { "\n" };
    format!("{before}{between}{section}{after}")
}

/// The text without a section.
pub(super) fn without_section(text: &str, name: &str) -> Option<String> {
    let (before, after) = around(text, name);
    Some(format!("{}{}", before?, after.unwrap_or_default()))
}

/// What stands before and after a section, when there is one.
fn around<'t>(text: &'t str, name: &str) -> (Option<&'t str>, Option<&'t str>) {
    let mut start = None;
    let mut end = text.len();
    let mut position = 0;
    for line in text.split_inclusive('\n') {
        match start {
            None if key_of(line) == Some(name) => start = Some(position),
            // Blank lines and what is set in belong to the section; a comment at the margin is the next one's.
            Some(_) if !line.trim().is_empty() && !line.starts_with([' ', '\t', '-']) => {
                end = position;
                break;
            }
            _ => {}
        }
        position += line.len();
    }
    let Some(start) = start else { return (None, None) };
    (text.get(..start), text.get(end..))
}

/// The key that a line at the margin begins.
fn key_of(line: &str) -> Option<&str> {
    if line.starts_with([' ', '\t', '#', '-']) {
        return None;
    }
    let (key, _) = line.trim_end().split_once(':')?;
    Some(key.trim_matches(['"', '\'']))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# head\nhttp:\n  port: 1 # here\n\n# of the shop\nshop:\n  package: a/b\n  install:\n    command: x\n# of the end\nend: 1\n";

    #[test]
    fn sections_come_and_go_and_comments_stay() {
        let without = without_section(FILE, "shop").unwrap();
        assert_eq!(without, "# head\nhttp:\n  port: 1 # here\n\n# of the shop\n# of the end\nend: 1\n");
        assert_eq!(without_section(&without, "shop"), None);
        assert_eq!(
            with_section(FILE, "shop", "shop:\n  package: c\n"),
            FILE.replace("  package: a/b\n  install:\n    command: x\n", "  package: c\n")
        );
        assert_eq!(with_section("a: 1", "b", "b: 2\n"), "a: 1\nb: 2\n");
        assert_eq!(with_section("", "b", "b: 2\n"), "b: 2\n");
        assert_eq!(without_section("\"b\": 2", "b").unwrap(), "");
    }
}
