//! Names of projects: what a request may call one, and what a package reference calls it.

/// The name that counts in a path: its last segment without the extension, as `path.parse(…).name` has it.
///
/// `some/where/plat.tar` means `plat`; a leading dot starts no extension.
pub fn name_in(path: &str) -> &str {
    let trimmed = path.trim_end_matches('/');
    let segment = trimmed.rsplit('/').next().unwrap_or_default();
    match segment.rfind('.') {
        Some(0) | None => segment,
        Some(_) if segment == ".." => segment,
        Some(dot) => segment.get(..dot).unwrap_or(segment),
    }
}

/// Whether a project may be called that: letters, digits, `-` and `_`, short enough to be a file's name.
pub fn is_project_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    !name.is_empty() && name.len() <= super::paths::LONGEST_NAME && name.bytes().all(allowed)
}

/// The project a package reference stands for when the request names none: the reference's last segment without
/// what selects a version and without `.git` or the extension of an archive.
pub fn project_of(reference: &str) -> String {
    let unversioned = reference.split('#').next().unwrap_or_default();
    let segment = unversioned.trim_end_matches('/').rsplit(['/', ':']).next().unwrap_or_default();
    let segment = segment.split('@').next().filter(|name| !name.is_empty()).unwrap_or(segment);
    let endings = [".git", ".tar.gz", ".tgz", ".tar"];
    let bare = endings.iter().find_map(|ending| segment.strip_suffix(ending));
    bare.unwrap_or(segment).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_segment_without_its_extension_is_the_name() {
        let pairs = [
            ("plat", "plat"),
            ("some/where/plat.tar", "plat"),
            ("plat.tar.gz", "plat.tar"),
            ("plat/", "plat"),
            ("plat.", "plat"),
            (".env", ".env"),
            ("..", ".."),
            ("a/..", ".."),
            ("/", ""),
            ("", ""),
        ];
        for (path, name) in pairs {
            assert_eq!(name_in(path), name, "{path}");
        }
    }

    #[test]
    fn names_have_few_characters() {
        assert!(is_project_name("my-App_2"));
        for name in ["", "a b", "a.b", "a/b", "..", "ä", "a\0", &"x".repeat(256)] {
            assert!(!is_project_name(name), "{name:?}");
        }
    }

    #[test]
    fn references_stand_for_projects() {
        let pairs = [
            ("git+ssh://git@github.com:acme/shop.git#semver:v1.0.0", "shop"),
            ("git+ssh://git@github.com/acme/shop.git", "shop"),
            ("https://example.com/acme/shop.git", "shop"),
            ("https://example.com/shop.tgz", "shop"),
            ("acme/shop", "shop"),
            ("github:acme/shop#v1", "shop"),
            ("@acme/shop", "shop"),
            ("@acme/shop@1.2.3", "shop"),
            ("shop@latest", "shop"),
            ("npm:shop", "shop"),
            ("file:/x/y", "y"),
            ("file:/x/y/", "y"),
        ];
        for (reference, project) in pairs {
            assert_eq!(project_of(reference), project, "{reference}");
        }
    }
}
