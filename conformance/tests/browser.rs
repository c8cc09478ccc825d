//! The page of a run in a real browser: with and without scripts, in light and in dark. Where there is no Chromium this
//! says so and passes; `BROWSER` names another one.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on may panic")]

use conformance::report::html;
use conformance::{Credentials, Options, Reach, Stop, Target};
use reference_server::TestServer;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

/// Written into the page: what can only be known once it is laid out.
const PROBE: &str = r#"<script>
    const wide = document.documentElement.scrollWidth > window.innerWidth;
    document.body.dataset.wide = wide;
    document.body.dataset.background = getComputedStyle(document.body).backgroundColor;
</script>"#;

/// Written into the page: somebody types into the filter box.
const TYPING: &str = r#"<script>
    const typed = document.getElementById("filter");
    typed.value = "create_database";
    typed.dispatchEvent(new Event("input"));
    const shown = [...document.querySelectorAll(".row:not([hidden])")].map((row) => row.textContent);
    document.body.dataset.shown = shown.length;
    document.body.dataset.other = shown.filter((text) => !text.includes("create_database")).length;
    document.body.dataset.hidden = document.querySelectorAll(".row[hidden]").length;
</script>"#;

fn browser() -> Option<PathBuf> {
    let named = std::env::var_os("BROWSER").map(PathBuf::from);
    let usual = ["chromium", "chromium-browser", "google-chrome"];
    let folders: Vec<PathBuf> =
        std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect();
    named
        .into_iter()
        .chain(usual.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name))))
        .find(|program| program.is_file())
}

/// A page as the browser has it in the end.
fn dom(browser: &Path, folder: &Path, page: &str, flags: &[&str]) -> String {
    let file = folder.join("page.html");
    // The one before may not be gone yet, and would be handed the page.
    let profile = tempfile::tempdir_in(folder).unwrap();
    std::fs::write(&file, page).unwrap();
    let output = Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--window-size=1280,900",
        ])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .args(flags)
        .arg("--dump-dom")
        .arg(format!("file://{}", file.display()))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("</html>"), "{}: {text:.200}\n{told}", output.status);
    text
}

/// What a script wrote into the page.
fn written(dom: &str, name: &str) -> String {
    let (_, rest) = dom.split_once(&format!("data-{name}=\"")).unwrap_or_else(|| panic!("no {name}"));
    rest.split('"').next().unwrap_or_default().to_owned()
}

async fn page() -> String {
    let server = TestServer::start().await.unwrap();
    let admin =
        Credentials { username: server.username().to_owned(), password: server.password().to_owned() };
    let only = ["contract/create_database", "contract/create_table", "http/health", "sql/between"];
    let options = Options { only: only.map(str::to_owned).to_vec(), programs: 0, ..Options::default() };
    let target = Target::new(&server.url(), admin, Reach::default()).unwrap();
    let report = conformance::run_with(target, options, Arc::new(|_| ()), Stop::default()).await;
    report.assert_conforms();
    html::document(&report.events)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_readable_for_everybody() {
    let Some(browser) = browser() else {
        eprintln!("skipped: there is no Chromium on this machine (BROWSER names one)");
        return;
    };
    let page = page().await;
    let folder = tempfile::tempdir().unwrap();
    let with = |script: &str| page.replace("</body>", &format!("{script}</body>"));

    let mut backgrounds = Vec::new();
    for scheme in ["--blink-settings=preferredColorScheme=1", "--blink-settings=preferredColorScheme=0"] {
        let dom = dom(&browser, folder.path(), &with(PROBE), &[scheme]);
        assert_eq!(written(&dom, "wide"), "false", "the page is wider than the window");
        assert!(!dom.contains(" disabled"), "the filter box does not work");
        backgrounds.push(written(&dom, "background"));
    }
    assert_eq!(backgrounds, ["rgb(255, 255, 255)", "rgb(18, 22, 29)"], "light and dark");

    let filtered = dom(&browser, folder.path(), &with(TYPING), &[]);
    assert_eq!(written(&filtered, "other"), "0", "rows without the text are shown");
    assert_ne!(written(&filtered, "shown"), "0");
    assert_ne!(written(&filtered, "hidden"), "0");

    let refusing = r#"<head><meta http-equiv="Content-Security-Policy" content="script-src 'none'">"#;
    let plain = dom(&browser, folder.path(), &page.replace("<head>", refusing), &[]);
    assert!(plain.contains(" disabled"), "scripts were run");
    for part in ["What went wrong", "create_database", "Schema keywords", "Requirements", "<svg", "conforms"]
    {
        assert!(plain.contains(part), "without scripts there is no {part}");
    }
}
