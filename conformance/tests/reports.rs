//! Reports are functions of the events alone: from the same events always the same text.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on may panic")]

use conformance::diff::Difference;
use conformance::event::{
    Checked, Covered, Event, Finished, KeywordSeen, Kind, Observed, Planned, Probed, RequirementNote, Started,
};
use conformance::report::terminal::{Detail, Look};
use conformance::report::{Summary, badge, html, json, junit, markdown, terminal};
use conformance::scenario::{Level, Profile};
use conformance::target::{Answer, Exchange, Fault, Request};
use conformance::verdict::Verdict;
use serde_json::json;

fn note(id: &str, level: Level, text: &str) -> RequirementNote {
    RequirementNote { id: id.into(), level, text: text.into(), operation: Some("insert".into()) }
}

fn checked(id: &str, verdict: Verdict, requirement: &str) -> Checked {
    Checked {
        operation: Some("insert".into()),
        requirements: vec![requirement.into()],
        verdict,
        millis: 12.5,
        ..Checked::new(Kind::Scenario, id, "a title")
    }
}

fn exchange() -> Exchange {
    let request =
        Request::operation(&json!({"operation": "insert", "table": "t"}), Some("[redacted]".into()));
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    let answer = Answer::new(400, headers, br#"{"error":"'records' is needed <here>"}"#);
    Exchange { request, answer: Some(answer), fault: None, millis: 3.25 }
}

fn events() -> Vec<Event> {
    let mut failed = checked("nosql/insert#no-records", Verdict::Fail, "NOSQL-INSERT-001");
    failed.differences = vec![
        Difference::new("/error", "'records' is required", "'records' is needed <here>"),
        Difference { place: "/hint".into(), expected: None, actual: Some(json!({"a": null})) },
    ];
    failed.exchange = Some(exchange());
    failed.curl = Some("curl -sS -i -u admin\":$PASSWORD\" http://127.0.0.1:9925/ --data-raw '{}'".into());
    let mut silent = checked("nosql/insert#silent", Verdict::Fail, "NOSQL-INSERT-001");
    silent.reason = Some("no answer within 60 s".into());
    silent.differences =
        vec![Difference { place: "status".into(), expected: Some(json!(200)), actual: None }];
    silent.exchange = Some(Exchange { answer: None, fault: Some(Fault::Timeout(60)), ..exchange() });
    let mut warned = checked("http/health#keep-alive", Verdict::Warn, "HTTP-CONNECTION-012");
    warned.level = Level::Should;
    warned.differences = vec![Difference {
        place: "header keep-alive".into(),
        expected: Some(json!("~timeout")),
        actual: None,
    }];
    let mut unsupported = checked("sql/select#all", Verdict::Unsupported, "SQL-SELECT-001");
    unsupported.reason = Some("the target does not offer 'sql'".into());
    let mut blocked = checked("nosql/update#merged", Verdict::Blocked, "NOSQL-UPDATE-001");
    blocked.reason = Some("setup 'create_table' was answered 500 {\"error\":\"no\"}".into());
    let mut flaky = checked("nosql/upsert#again", Verdict::Flaky, "NOSQL-UPSERT-001");
    flaky.reason = Some("it failed the first time and passed when repeated alone".into());
    let mut unclean = checked("cleanup/run#database-1", Verdict::Unclean, "NOSQL-INSERT-001");
    (unclean.kind, unclean.requirements) = (Kind::Cleanup, Vec::new());
    unclean.reason =
        Some("nosql/insert left the database 'shop_k3x9x1' behind; it was removed when the run ended".into());
    let checks = [
        checked("nosql/insert#two", Verdict::Pass, "NOSQL-INSERT-002"),
        failed,
        silent,
        warned,
        unsupported,
        blocked,
        flaky,
        unclean,
        checked("http/health#get", Verdict::Pass, "HTTP-HEALTH-001"),
    ];
    let mut events = vec![
        Event::Started(Started {
            errors: None,
            set: None,
            version: "0.1.0".into(),
            target: "http://127.0.0.1:9925".into(),
            run: "k3x9".into(),
            profile: Profile::Full,
            at: 1_790_000_000,
            seed: 7,
        }),
        Event::Probed(Probed {
            version: Some("5.0.0".into()),
            visibility_ms: 120.0,
            settle_ms: 1000,
            foreign: vec!["data".into()],
        }),
        Event::Planned(Planned {
            declared: 12,
            chosen: 8,
            requirements: vec![
                note("HTTP-HEALTH-001", Level::Must, "`GET /health` MUST answer 200."),
                note("HTTP-CONNECTION-012", Level::Should, "Answers SHOULD carry `Keep-Alive`."),
                note("NOSQL-INSERT-001", Level::Must, "`insert` MUST store every record."),
                note("NOSQL-INSERT-002", Level::Must, "A record whose key exists MUST be skipped."),
                note("NOSQL-UPDATE-001", Level::Must, "`update` MUST merge."),
                note("SQL-SELECT-001", Level::Must, "`sql` MUST select."),
                note("SYS-RESTART-001", Level::Must, "`restart` MUST restart."),
            ],
        }),
    ];
    events.extend(checks.into_iter().map(|check| Event::Checked(Box::new(check))));
    events.push(Event::Observed(Observed {
        place: "nosql/insert#two".into(),
        text: "an earlier change was visible only after about 130 ms".into(),
    }));
    let keyword = |place: &str, keyword: &str, kept, broken| KeywordSeen {
        operation: "insert".into(),
        place: place.into(),
        keyword: keyword.into(),
        kept,
        broken,
    };
    events.push(Event::Covered(Covered {
        keywords: vec![
            keyword("/table", "required", 3, 1),
            keyword("/table", "type", 3, 0),
            keyword("", "additionalProperties", 0, 0),
        ],
    }));
    events.push(Event::Finished(Finished { millis: 1234.5, ..Finished::default() }));
    events
}

fn text(detail: Detail, color: bool) -> String {
    terminal::render(&events(), Look { detail, color })
}

#[test]
fn on_a_terminal() {
    insta::assert_snapshot!("terminal", text(Detail::Normal, false));
    insta::assert_snapshot!("terminal-quiet", text(Detail::Quiet, false));
    insta::assert_snapshot!("terminal-verbose", text(Detail::Verbose, false));
    insta::assert_snapshot!("terminal-color", text(Detail::Normal, true).replace('\x1b', "ESC"));
}

#[test]
fn as_junit() {
    insta::assert_snapshot!("junit", junit::document(&events()).unwrap());
}

#[test]
fn as_json() {
    insta::assert_snapshot!("json", json::document(&events()).unwrap());
}

#[test]
fn as_markdown() {
    insta::assert_snapshot!("markdown", markdown::document(&events()));
}

#[test]
fn as_a_badge() {
    insta::assert_snapshot!("badge", badge::document(&events()));
}

#[test]
fn as_a_page() {
    let page = html::document(&events());
    let body = page.split_once("<body>").unwrap().1.split_once("<script>").unwrap().0;
    insta::assert_snapshot!("html", body.replace("><", ">\n<"));
    for fetched in ["src=\"http", "href=\"http", "@import", "url("] {
        assert!(!page.contains(fetched), "the page fetches something: {fetched}");
    }
    assert!(page.contains("is needed &lt;here&gt;") && !page.contains("needed <here>"));
}

#[test]
fn the_events_are_read_back_as_they_were() {
    let lines = json::lines(&events()).unwrap();
    let back: Vec<Event> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        terminal::render(&back, Look { detail: Detail::Verbose, color: false }),
        text(Detail::Verbose, false)
    );
}

#[test]
fn the_exit_status_follows_from_the_verdicts() {
    let status = |verdicts: &[Verdict], error: Option<&str>| {
        let mut events: Vec<Event> = verdicts
            .iter()
            .enumerate()
            .map(|(n, verdict)| Event::Checked(Box::new(checked(&format!("a/b#{n}"), *verdict, "X"))))
            .collect();
        events.push(Event::Finished(Finished { error: error.map(str::to_owned), ..Finished::default() }));
        Summary::new(&events).exit_status()
    };
    assert_eq!(status(&[Verdict::Pass, Verdict::Unsupported, Verdict::Warn], None), 0);
    for bad in [
        Verdict::Fail,
        Verdict::Blocked,
        Verdict::Flaky,
        Verdict::HarnessError,
        Verdict::Unclean,
        Verdict::NotRun,
    ] {
        assert_eq!(status(&[Verdict::Pass, bad], None), 1, "{bad:?}");
    }
    assert_eq!(status(&[Verdict::Unsupported], None), 2);
    assert_eq!(status(&[], None), 2);
    assert_eq!(status(&[Verdict::Pass], Some("it broke")), 2);
    assert_eq!(Summary::new(&[]).exit_status(), 2);
}
