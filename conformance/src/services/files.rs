//! CSV files by HTTP, and answers that are none, as scenarios that load from addresses rely on them.

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{ACCEPT, CONTENT_TYPE, HeaderMap, LOCATION};
use hyper::{Request, Response, StatusCode};
use std::collections::HashSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// The header that opens the guarded file, and its value.
const KEY: (&str, &str) = ("x-harvest-key", "plum-42");

const PLANETS: &str = "id,planet,moons\n1,Mercury,0\n2,Venus,0\n3,Earth,1\n";
const NESTED: &str = "id,spec,sizes\n1,\"{\"\"mass\"\":0.33}\",\"[1,\"\"two\"\"]\"\n2,plain,[oops\n";

/// Status, media type and content.
type File = (u16, Option<&'static str>, String);

fn file(path: &str, headers: &HeaderMap) -> File {
    let sent = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("none");
    let planets = |kind: &'static str| (200, Some(kind), PLANETS.to_owned());
    let csv = |text: &str| (200, Some("text/csv"), text.to_owned());
    let fault = |status: u16, text: &str| (status, Some("text/plain"), text.to_owned());
    match path {
        "/planets.csv" | "/held.csv" | "/release.csv" => csv(PLANETS),
        "/no-keys.csv" => csv("planet,moons\nMercury,0\nVenus,0\n"),
        "/never.csv" => csv("id,planet,never\n1,Mercury\n"),
        "/nested.csv" => csv(NESTED),
        "/empty.csv" => csv(""),
        "/header-only.csv" => csv("id,planet\n"),
        "/bad-column.csv" => csv("id,pla/net\n1,x\n"),
        "/echo.csv" => csv(&format!("id,seen,accept\n1,{},{}\n", sent(KEY.0), sent(ACCEPT.as_str()))),
        "/guarded.csv" if sent(KEY.0) == KEY.1 => csv(PLANETS),
        "/guarded.csv" => fault(401, "no"),
        "/planets-charset.csv" => planets("text/csv; charset=utf-8"),
        "/planets.txt" => planets("text/plain"),
        "/planets.bin" => planets("application/octet-stream"),
        "/planets.xls" => planets("application/vnd.ms-excel"),
        "/planets.html" => planets("text/html"),
        "/planets.json" => (200, Some("application/json"), r#"[{"id":1}]"#.to_owned()),
        "/no-content-type" => (200, None, PLANETS.to_owned()),
        "/moved" => (302, Some("text/csv"), String::new()),
        "/gone.csv" => fault(410, "gone"),
        "/broken.csv" => fault(500, "boom"),
        _ => fault(404, "nothing here"),
    }
}

/// Files that are held back until another one is asked for: those of one story belong together by what follows the
/// question mark.
#[derive(Debug, Default)]
pub(super) struct Held(watch::Sender<HashSet<String>>);

/// Nobody waits longer for a file.
const PATIENCE: Duration = Duration::from_secs(60);

impl Held {
    async fn wait(&self, name: &str) {
        let mut released = self.0.subscribe();
        // Whether it was released or not: whoever waits gets the file in the end.
        let _ = tokio::time::timeout(PATIENCE, released.wait_for(|names| names.contains(name))).await;
    }

    fn release(&self, name: &str) {
        self.0.send_modify(|names| {
            names.insert(name.to_owned());
        });
    }
}

/// Answers whatever is asked.
pub(super) async fn answer(
    request: Request<Incoming>,
    held: Arc<Held>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let name = request.uri().query().unwrap_or_default();
    match request.uri().path() {
        "/held.csv" => held.wait(name).await,
        "/release.csv" => held.release(name),
        _ => {}
    }
    let (status, kind, text) = file(request.uri().path(), request.headers());
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
    let headers = response.headers_mut();
    headers.extend(kind.and_then(|kind| Some((CONTENT_TYPE, kind.parse().ok()?))));
    if status == 302 {
        headers.insert(LOCATION, hyper::header::HeaderValue::from_static("/planets.csv"));
    }
    Ok(response)
}
