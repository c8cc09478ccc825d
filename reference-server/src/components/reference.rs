//! What a package reference means: a folder or an archive of this machine, or something for `npm` or `git`.

use std::path::{Path, PathBuf};

/// A package reference, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reference {
    /// A file or folder of this machine.
    File(PathBuf),
    /// Something to fetch.
    Remote(String),
}

impl Reference {
    /// Understands a reference as it was given. Without a scheme it is a package's name when it has a scope or no
    /// slash, a file when it has an extension or is there, and a GitHub repository otherwise.
    pub(super) fn of(text: &str) -> Reference {
        if let Some(path) = text.strip_prefix("file:") {
            return Reference::File(PathBuf::from(path));
        }
        if text.contains(':') {
            return Reference::Remote(text.to_owned());
        }
        if text.starts_with('@') || !text.contains('/') {
            return Reference::Remote(format!("npm:{text}"));
        }
        let path = Path::new(text);
        if path.extension().is_some() || path.exists() {
            return Reference::File(path.to_owned());
        }
        Reference::Remote(format!("github:{text}"))
    }
}

/// The repository of a reference to git and what to check out of it; `None` when it is something for npm alone.
pub(super) fn repository(reference: &str) -> Option<(String, Option<String>)> {
    let (address, version) = match reference.split_once('#') {
        Some((address, version)) => (address, Some(version.to_owned())),
        None => (reference, None),
    };
    // Ranges of versions are resolved by npm only, and a version must not look like an option.
    if version.as_deref().is_some_and(|version| version.starts_with("semver:") || version.starts_with('-')) {
        return None;
    }
    let url = if let Some(path) = address.strip_prefix("github:") {
        format!("https://github.com/{path}.git")
    } else if let Some(url) = address.strip_prefix("git+") {
        url.to_owned()
    } else if is_repository(address) {
        address.to_owned()
    } else {
        return None;
    };
    Some((url, version.filter(|version| !version.is_empty())))
}

fn is_repository(address: &str) -> bool {
    let is_git = ["git://", "ssh://", "git@"].iter().any(|scheme| address.starts_with(scheme));
    is_git || (address.starts_with("http") && address.ends_with(".git"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_without_a_scheme() {
        let remote = |text: &str| Reference::Remote(text.to_owned());
        assert_eq!(Reference::of("shop"), remote("npm:shop"));
        assert_eq!(Reference::of("@acme/shop"), remote("npm:@acme/shop"));
        assert_eq!(Reference::of("acme/shop"), remote("github:acme/shop"));
        assert_eq!(Reference::of("https://a/b"), remote("https://a/b"));
        assert_eq!(Reference::of("a/b.tgz"), Reference::File("a/b.tgz".into()));
        assert_eq!(Reference::of("file:/a/b"), Reference::File("/a/b".into()));
        assert_eq!(Reference::of("/"), Reference::File("/".into()));
    }

    #[test]
    fn references_to_git() {
        let of = |text: &str| repository(text).map(|(url, version)| (url, version.unwrap_or_default()));
        let pair = |url: &str, version: &str| Some((url.to_owned(), version.to_owned()));
        assert_eq!(of("github:a/b#v1"), pair("https://github.com/a/b.git", "v1"));
        assert_eq!(of("git+ssh://git@h/a/b.git"), pair("ssh://git@h/a/b.git", ""));
        assert_eq!(of("https://h/a.git"), pair("https://h/a.git", ""));
        assert_eq!(of("npm:shop"), None);
        assert_eq!(of("github:a/b#semver:^1"), None);
        assert_eq!(of("git+file:///a#--upload-pack=x"), None);
    }
}
