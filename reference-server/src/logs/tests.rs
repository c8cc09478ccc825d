use super::line::{format, header};
use super::*;
use crate::config::Logging;
use std::fmt::Write;
use std::io::Read;
use std::path::Path;

fn settings(folder: &Path) -> Logging {
    Logging { level: Level::Trace, ..Logging::new(folder) }
}

fn query() -> Query {
    Query { level: None, from: None, to: None, filter: None, start: 0, limit: 1000, order: None }
}

fn messages(entries: &[Entry]) -> Vec<&str> {
    entries.iter().map(|entry| entry.message.as_str()).collect()
}

#[test]
fn entries_are_lines_and_lines_entries() {
    let line = format(
        0.0,
        "http/1",
        Level::Warn,
        &["a", "b]"],
        "one\ntwo\n1970-01-01T00:00:00.000Z [x] [y]: three\n",
    );
    assert_eq!(
        line,
        "1970-01-01T00:00:00.000Z [http/1] [warn] [a] [b]: one\ntwo\n 1970-01-01T00:00:00.000Z [x] [y]: three\n"
    );
    let first = line.lines().next().unwrap();
    let entry = header(first.as_bytes()).unwrap().entry([&b"two"[..]].into_iter());
    assert_eq!((entry.thread.as_str(), entry.level.as_str()), ("http/1", "warn"));
    assert_eq!((entry.tags, entry.message.as_str()), (vec!["a".to_owned(), "b".to_owned()], "one\ntwo"));
    for text in [
        "",
        "two",
        "1970-01-01T00:00:00.000Z",
        "1970-01-01T00:00:00.000Z x: y",
        "1970-01-01 00:00:00.000Z [a] [b]: c",
    ] {
        assert!(header(text.as_bytes()).is_none(), "{text}");
    }
    let long = format(0.0, "main/0", Level::Info, &[], &"é".repeat(100_000));
    assert!(long.len() < 70_000);
}

#[test]
fn what_is_written_is_read_with_filters() {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::open(&settings(folder.path())).unwrap();
    for (level, text) in
        [(Level::Info, "a"), (Level::Notify, "b\nb"), (Level::Info, "c"), (Level::Error, "d")]
    {
        log.write(level, "job/1", &["t"], text);
    }
    let path = log.path();
    drop(log);
    let found = |query: Query| messages(&read(&path, &query).unwrap()).join(" ");
    assert_eq!(found(query()), "a b\nb c d");
    assert_eq!(found(Query { order: Some(Order::Descending), ..query() }), "d c b\nb a");
    assert_eq!(found(Query { order: Some(Order::Descending), start: 1, limit: 2, ..query() }), "c b\nb");
    assert_eq!(found(Query { order: Some(Order::Ascending), start: 1, limit: 2, ..query() }), "b\nb c");
    assert_eq!(found(Query { level: Some("info".to_owned()), ..query() }), "a c");
    assert_eq!(found(Query { level: Some("info".to_owned()), start: 1, ..query() }), "c");
    assert_eq!(found(Query { filter: Some("notify".to_owned()), ..query() }), "b\nb");
    assert_eq!(found(Query { from: Some(4e12), ..query() }), "");
    assert_eq!(found(Query { to: Some(0.0), ..query() }), "");
    assert_eq!(
        found(Query { from: Some(0.0), to: Some(4e12), order: Some(Order::Descending), limit: 2, ..query() }),
        "b\nb a"
    );
    assert_eq!(read(&folder.path().join("none"), &query()).unwrap(), []);
}

/// A file whose entries lie a second apart, with some of several lines.
fn long_file(path: &Path, count: usize) {
    let mut text = String::from("no entry\n");
    for number in 0..count {
        let further = if number % 7 == 0 { "\nmore" } else { "" };
        write!(
            text,
            "{}",
            format(number as f64 * 1000.0, "main/0", Level::Info, &[], &format!("{number}{further}"))
        )
        .unwrap();
    }
    std::fs::write(path, text).unwrap();
}

#[test]
fn long_files_are_read_from_either_end_and_from_the_middle() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hdb.log");
    long_file(&path, 20_000);
    let newest = read(&path, &Query { order: Some(Order::Descending), limit: 3, ..query() }).unwrap();
    assert_eq!(messages(&newest), ["19999\nmore", "19998", "19997"]);
    let all = read(&path, &Query { order: Some(Order::Descending), limit: 30_000, ..query() }).unwrap();
    assert_eq!(all.len(), 20_000);
    assert_eq!(all[19_999].message, "0\nmore");
    let mut forwards = read(&path, &Query { limit: 30_000, ..query() }).unwrap();
    forwards.reverse();
    assert_eq!(forwards, all);
    for from in [0.0, 1.0, 9_999_500.0, 12_345_000.0, 19_999_000.0, 2e10] {
        let window = Query { from: Some(from), to: Some(from + 2000.0), limit: 30_000, ..query() };
        let found = read(&path, &window).unwrap();
        let first = (from / 1000.0).ceil() as usize;
        let expected: Vec<_> = (first..20_000)
            .take_while(|number| *number as f64 * 1000.0 <= from + 2000.0)
            .map(|number| if number % 7 == 0 { format!("{number}\nmore") } else { number.to_string() })
            .collect();
        assert_eq!(messages(&found), expected, "{from}");
    }
}

#[test]
fn full_files_are_put_aside() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(folder.path());
    settings.rotation.max_size = Some(10_000);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for compress in [false, true] {
        settings.rotation.compress = compress;
        settings.rotation.path = Some(folder.path().join(format!("old {compress}")));
        let log = Log::open(&settings).unwrap();
        for _ in 0..3 {
            log.write(Level::Info, "main/0", &[], &"x".repeat(20_000));
            runtime.block_on(log.flush());
        }
        let current = read(&log.path(), &query()).unwrap();
        assert!(messages(&current)[0].starts_with("hdb.log rotated, old log moved to "), "{current:?}");
        assert_eq!((current.len(), current[0].level.as_str()), (1, "notify"));
        drop(log);
    }
    let plain: Vec<_> =
        std::fs::read_dir(folder.path().join("old false")).unwrap().map(Result::unwrap).collect();
    assert_eq!(plain.len(), 3);
    let first = read(&plain[0].path(), &query()).unwrap();
    assert!(first.iter().any(|entry| entry.message.len() == 20_000));
    let compressed = folder.path().join("old true");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    let names =
        || -> Vec<_> { std::fs::read_dir(&compressed).unwrap().map(|file| file.unwrap().path()).collect() };
    while !names().iter().all(|file| file.extension().is_some_and(|extension| extension == "gz")) {
        assert!(std::time::Instant::now() < deadline, "{:?}", names());
        std::thread::yield_now();
    }
    let mut text = String::new();
    let file = std::fs::File::open(&names()[0]).unwrap();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
    assert!(text.contains("xxx"));
}

#[test]
fn events_become_entries() {
    let folder = tempfile::tempdir().unwrap();
    let log =
        std::sync::Arc::new(Log::open(&Logging { level: Level::Warn, ..settings(folder.path()) }).unwrap());
    tracing::dispatcher::with_default(&dispatch(), || {
        tracing::error!("before anybody listened");
        connect(&log);
        tracing::info!("not grave enough");
        tracing::info!(notify = true, thread = "job/3", "milestone {}", 1);
        tracing::warn!(tags = "auth-event,b", name = "x", count = 2, "said");
        tracing::error!(fatal = true, "end");
        tracing::error!(target: "elsewhere", "of a library");
        tracing::info!(target: "elsewhere", notify = true, "not for us");
    });
    let path = log.path();
    drop(log);
    let text = std::fs::read_to_string(path).unwrap();
    let lines: Vec<&str> = text.lines().map(|line| &line[25..]).collect();
    assert_eq!(
        lines,
        [
            "[job/3] [notify]: milestone 1",
            "[main/0] [warn] [auth-event] [b]: said name=\"x\" count=2",
            "[main/0] [fatal]: end",
            "[main/0] [error]: of a library",
        ]
    );
}
