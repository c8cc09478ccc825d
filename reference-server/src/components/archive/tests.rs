use super::{Limits, PackOptions, UnpackError, pack, unpack};
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use tar::{Builder, EntryType, Header};

/// An entry whose name is written into the header as it is, whatever it says.
fn entry(name: &[u8], kind: EntryType, content: &[u8]) -> Vec<u8> {
    let mut header = Header::new_ustar();
    header.as_mut_bytes()[..name.len()].copy_from_slice(name);
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_mtime(1_900_000_000);
    header.set_size(content.len() as u64);
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend_from_slice(content);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

fn archive(entries: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = entries.concat();
    bytes.resize(bytes.len() + 1024, 0);
    bytes
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Unpacks into a folder inside another one and tells the failure; nothing may appear beside the folder.
fn unpacked(bytes: &[u8], limits: Limits) -> (tempfile::TempDir, Option<String>) {
    let outer = tempfile::tempdir().unwrap();
    let inner = outer.path().join("inner");
    fs::create_dir(&inner).unwrap();
    let error = unpack(bytes, &inner, limits).err().map(|error| error.to_string());
    let beside: Vec<_> =
        fs::read_dir(outer.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(beside, ["inner"], "something was written outside");
    (outer, error)
}

fn failure(entries: &[Vec<u8>]) -> String {
    let (folder, error) = unpacked(&archive(entries), Limits::default());
    let inner: Vec<_> = fs::read_dir(folder.path().join("inner")).unwrap().collect();
    assert!(inner.len() <= 1, "{inner:?}");
    error.expect("the archive was taken")
}

#[test]
fn files_and_folders_are_taken_with_and_without_compression() {
    let bytes = archive(&[
        entry(b"./", EntryType::Directory, b""),
        entry(b"./a/", EntryType::Directory, b""),
        entry(b"./a/x.txt", EntryType::Regular, b"x"),
        entry(b"b/c/y.txt", EntryType::Regular, b"yy"),
        entry(b"empty", EntryType::Directory, b""),
    ]);
    for bytes in [bytes.clone(), gzipped(&bytes), gzipped(&gzipped(&bytes))] {
        let (folder, error) = unpacked(&bytes, Limits::default());
        assert_eq!(error, None);
        let inner = folder.path().join("inner");
        assert_eq!(fs::read_to_string(inner.join("a/x.txt")).unwrap(), "x");
        assert_eq!(fs::read_to_string(inner.join("b/c/y.txt")).unwrap(), "yy");
        assert!(inner.join("empty").is_dir());
        let modified = fs::metadata(inner.join("a/x.txt")).unwrap().modified().unwrap();
        assert_eq!(modified.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs(), 1_900_000_000);
    }
}

#[test]
fn whatever_leads_out_is_refused() {
    let names: [&[u8]; 8] = [
        b"../out.txt",
        b"a/../../out.txt",
        b"..",
        b"a/..",
        b"/etc/out.txt",
        b"//out.txt",
        b"..\\out.txt",
        b"a\\..\\..\\out.txt",
    ];
    for name in names {
        for kind in [EntryType::Regular, EntryType::Directory] {
            let text = failure(&[entry(name, kind, b"")]);
            assert!(text.starts_with("The archive is refused: "), "{text}");
        }
    }
}

#[test]
fn links_devices_pipes_and_sparse_files_are_refused() {
    let kinds = [
        (EntryType::Symlink, "is a link out of it"),
        (EntryType::Link, "is a hard link"),
        (EntryType::Char, "is neither a file nor a folder"),
        (EntryType::Block, "is neither a file nor a folder"),
        (EntryType::Fifo, "is neither a file nor a folder"),
        (EntryType::GNUSparse, "is a sparse file"),
        (EntryType::new(b'Z'), "is neither a file nor a folder"),
    ];
    for (kind, reason) in kinds {
        assert_eq!(
            failure(&[entry(b"thing", kind, b"")]),
            format!("The archive is refused: 'thing' {reason}")
        );
    }
}

#[test]
fn a_link_to_a_folder_is_never_there_to_be_written_through() {
    let mut link = Header::new_gnu();
    link.set_entry_type(EntryType::Symlink);
    link.set_size(0);
    let mut builder = Builder::new(Vec::new());
    builder.append_link(&mut link, "door", "/tmp").unwrap();
    let mut file = Header::new_gnu();
    file.set_size(4);
    file.set_mode(0o644);
    builder.append_data(&mut file, "door/out.txt", &b"gone"[..]).unwrap();
    let (_folder, error) = unpacked(&builder.into_inner().unwrap(), Limits::default());
    assert_eq!(error.unwrap(), "The archive is refused: 'door' is a link out of it");
}

/// An archive of links, each with where it leads.
fn links(links: &[(&str, &str)]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for (path, to) in links {
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::Symlink);
        header.set_size(0);
        builder.append_link(&mut header, path, to).unwrap();
    }
    builder.into_inner().unwrap()
}

#[test]
fn links_that_stay_inside_are_made() {
    let long = "x".repeat(150);
    let archive = links(&[("bin/run", "../lib/./run.js"), ("lib/latest", "v2"), ("long", &long)]);
    let (folder, error) = unpacked(&archive, Limits::default());
    assert_eq!(error, None);
    let leads = |path: &str| std::fs::read_link(folder.path().join("inner").join(path)).unwrap();
    assert_eq!(leads("bin/run"), std::path::Path::new("../lib/run.js"));
    assert_eq!(leads("lib/latest"), std::path::Path::new("v2"));
    assert_eq!(leads("long"), std::path::Path::new(&long));
}

#[test]
fn links_that_may_lead_outside_are_refused() {
    for (path, to) in [
        ("l", "/etc/passwd"),
        ("l", ".."),
        ("l", "."),
        ("a/l", "../../x"),
        ("a/l", "b/../../x"),
        ("a/l", "..\\..\\x"),
    ] {
        let (_folder, error) = unpacked(&links(&[(path, to)]), Limits::default());
        assert_eq!(error.unwrap(), format!("The archive is refused: '{path}' is a link out of it"), "{to}");
    }
    // Neither order makes a link through a link.
    for order in [[("x/a", ".."), ("x/a/c", "../..")], [("x/a/c", "../.."), ("x/a", "..")]] {
        let (folder, error) = unpacked(&links(&order), Limits::default());
        assert_eq!(error.unwrap(), "The archive is refused: 'x/a' is there twice");
        assert!(folder.path().join("inner/x/a").is_dir());
    }
}

#[test]
fn strange_names_are_refused() {
    assert_eq!(
        failure(&[entry(b"\xff", EntryType::Regular, b"")]),
        "The archive is refused: '\u{fffd}' has a name that is no text"
    );
    let long = |name: &str| {
        let mut builder = Builder::new(Vec::new());
        let mut header = Header::new_gnu();
        header.set_size(0);
        // Longer than a header holds: announced by a header of its own.
        builder.append_data(&mut header, name, &b""[..]).unwrap();
        let (_folder, error) = unpacked(&builder.into_inner().unwrap(), Limits::default());
        error
    };
    assert_eq!(long(&"n".repeat(255)), None);
    for name in ["n".repeat(256), "d/".repeat(2000) + "n"] {
        assert!(long(&name).unwrap().ends_with("has too long a name"));
    }
    assert!(long(&("d/".repeat(65) + "n")).unwrap().ends_with("lies too deep"));
    // A long name by a PAX header, with NUL in it, or leading out.
    let pax = |path: &[u8]| {
        let mut record = b" path=".to_vec();
        record.extend_from_slice(path);
        record.push(b'\n');
        let length = record.len() + 2;
        let mut content = length.to_string().into_bytes();
        content.extend(record);
        [entry(b"pax", EntryType::XHeader, &content), entry(b"plain", EntryType::Regular, b"")]
    };
    assert!(failure(&pax(b"a\0b")).ends_with("has a name with NUL in it"));
    assert!(failure(&pax(b"../out.txt")).ends_with("leads out of the archive"));
    let (folder, error) = unpacked(&archive(&pax(b"renamed")), Limits::default());
    assert_eq!(error, None);
    assert!(folder.path().join("inner/renamed").is_file());
}

#[test]
fn a_file_and_a_folder_of_one_name_are_refused() {
    let file = || entry(b"a", EntryType::Regular, b"1");
    let below = || entry(b"a/b", EntryType::Regular, b"2");
    assert!(failure(&[file(), below()]).ends_with("is a file as well"));
    assert!(failure(&[below(), file()]).ends_with("is a folder as well"));
    let (folder, error) =
        unpacked(&archive(&[file(), entry(b"a", EntryType::Regular, b"3")]), Limits::default());
    assert_eq!(error, None);
    assert_eq!(fs::read_to_string(folder.path().join("inner/a")).unwrap(), "3");
}

#[test]
fn limits_hold_also_for_what_is_only_claimed() {
    let files: Vec<Vec<u8>> =
        (0..5).map(|number| entry(format!("f{number}").as_bytes(), EntryType::Regular, &[7; 100])).collect();
    let within = |entries, bytes| unpacked(&archive(&files), Limits { entries, bytes }).1;
    assert_eq!(within(5, 500), None);
    assert_eq!(within(4, 500).unwrap(), "The archive is refused: it holds too much");
    assert_eq!(within(5, 499).unwrap(), "The archive is refused: it holds too much");
    let mut header = Header::new_ustar();
    header.set_path("huge").unwrap();
    header.set_size(1 << 40);
    header.set_cksum();
    let claimed = header.as_bytes().to_vec();
    assert_eq!(failure(&[claimed]), "The archive is refused: it holds too much");
    // A name of many megabytes, which compresses to nothing.
    let name = entry(b"long", EntryType::GNULongName, &vec![b'n'; 3 << 20]);
    let (_folder, error) = unpacked(&gzipped(&archive(&[name])), Limits::default());
    assert_eq!(error.unwrap(), "The archive is refused: it holds too much");
}

#[test]
fn damaged_archives_are_told_apart() {
    let whole = archive(&[entry(b"a", EntryType::Regular, &[1; 2000])]);
    let told = |bytes: &[u8]| unpacked(bytes, Limits::default()).1;
    assert_eq!(told(b"no archive").unwrap(), "Unexpected end of data");
    assert_eq!(told(&whole[..1000]).unwrap(), "Unexpected end of data");
    assert_eq!(
        told(&[b'x'; 1024]).unwrap(),
        "Invalid tar header. Maybe the tar is corrupted or it needs to be gunzipped?"
    );
    let packed = gzipped(&whole);
    assert_eq!(told(&packed[..packed.len() / 2]).unwrap(), "unexpected end of file");
    assert_eq!(told(b""), None);
    assert_eq!(told(&[0; 1024]), None);
}

#[test]
fn no_folder_no_file() {
    let (folder, _) = unpacked(b"", Limits::default());
    let bytes = archive(&[entry(b"a", EntryType::Regular, b"1")]);
    let nowhere = folder.path().join("inner/missing\0");
    assert!(matches!(unpack(bytes.as_slice(), &nowhere, Limits::default()), Err(UnpackError::Write(_))));
}

proptest! {
    #[test]
    fn no_bytes_are_too_strange(bytes: Vec<u8>, at in 0usize..2048, value: u8) {
        unpacked(&bytes, Limits::default());
        let mut damaged = archive(&[entry(b"a/b", EntryType::Regular, b"content"), entry(b"c", EntryType::Directory, b"")]);
        if let Some(byte) = damaged.get_mut(at) {
            *byte = value;
        }
        unpacked(&damaged, Limits::default());
        let mut compressed = gzipped(&damaged);
        let length = compressed.len();
        compressed[at % length] ^= value;
        unpacked(&compressed, Limits::default());
    }

    #[test]
    fn what_is_packed_is_unpacked_the_same(
        files in prop::collection::btree_map("[a-z]{1,3}(/[a-z]{4,6}){0,2}\\.[a-z]", prop::collection::vec(any::<u8>(), 0..300), 0..8),
    ) {
        let source = tempfile::tempdir().unwrap();
        for (name, content) in &files {
            let path = source.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        let packed = pack(source.path(), PackOptions::default(), &|_| false, 1 << 20).unwrap();
        let target = tempfile::tempdir().unwrap();
        unpack(packed.as_slice(), target.path(), Limits::default()).unwrap();
        for (name, content) in &files {
            prop_assert_eq!(&fs::read(target.path().join(name)).unwrap(), content);
        }
    }
}

fn names_in(packed: &[u8]) -> Vec<String> {
    let target = tempfile::tempdir().unwrap();
    unpack(packed, target.path(), Limits::default()).unwrap();
    let mut names = Vec::new();
    collect(target.path(), target.path(), &mut names);
    names.sort_unstable();
    names
}

fn collect(root: &Path, folder: &Path, names: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        names.push(path.strip_prefix(root).unwrap().display().to_string());
        if path.is_dir() {
            collect(root, &path, names);
        }
    }
}

#[test]
fn links_are_followed_where_they_may_and_left_out_elsewhere() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret"), "s").unwrap();
    let source = tempfile::tempdir().unwrap();
    let root = source.path().canonicalize().unwrap();
    fs::create_dir(root.join("dir")).unwrap();
    fs::write(root.join("dir/file"), "f").unwrap();
    symlink("dir/file", root.join("to-file")).unwrap();
    symlink("..", root.join("dir/circle")).unwrap();
    symlink("nowhere", root.join("broken")).unwrap();
    symlink(outside.path(), root.join("out")).unwrap();
    symlink(outside.path().join("secret"), root.join("out-file")).unwrap();
    let inside = |real: &Path| real.starts_with(&root);
    let packed = pack(&root, PackOptions::default(), &inside, 1 << 20).unwrap();
    assert_eq!(names_in(&packed), ["dir", "dir/file", "to-file"]);
    let options = PackOptions { skip_symlinks: true, ..PackOptions::default() };
    let packed = pack(&root, options, &inside, 1 << 20).unwrap();
    assert_eq!(names_in(&packed), ["dir", "dir/file"]);
    assert!(pack(&root, PackOptions::default(), &inside, 1).is_err());
}

#[test]
fn modules_are_left_out_on_request_and_modes_kept() {
    let source = tempfile::tempdir().unwrap();
    for name in ["node_modules/a/x.js", "lib/node_modules/y.js", "cache/webpack/z", "keep/.env", "run.sh"] {
        let path = source.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "x").unwrap();
    }
    fs::set_permissions(source.path().join("run.sh"), fs::Permissions::from_mode(0o755)).unwrap();
    let options = PackOptions { skip_node_modules: true, ..PackOptions::default() };
    let packed = pack(source.path(), options, &|_| false, 1 << 20).unwrap();
    assert_eq!(names_in(&packed), ["cache", "keep", "keep/.env", "lib", "run.sh"]);
    let target = tempfile::tempdir().unwrap();
    unpack(packed.as_slice(), target.path(), Limits::default()).unwrap();
    assert_eq!(fs::metadata(target.path().join("run.sh")).unwrap().permissions().mode() & 0o777, 0o755);
}
