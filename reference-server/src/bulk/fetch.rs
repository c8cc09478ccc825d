//! Fetching a CSV file from a URL.
//!
//! One GET, no redirects, within limits of time and size, and only from addresses that the configuration allows: a
//! name is judged by the addresses it resolves to, and the connection goes to one that was found right.

use super::scratch::Scratch;
use crate::config::{Addresses, Bulk};
use crate::error::OperationError;
use crate::value::{Object, Value, number_text};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode, Url};
use std::error::Error;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::Duration;
use tempfile::TempPath;

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// How long a server may be silent in the middle of an answer.
const SILENCE: Duration = Duration::from_secs(60);

/// The media types that are taken for CSV, when they come without parameters.
const MEDIA_TYPES: [&str; 4] =
    ["text/csv", "text/plain", "application/octet-stream", "application/vnd.ms-excel"];

/// Fetches a file into the folder for temporary ones.
///
/// # Errors
/// The documented texts for statuses and media types; what went wrong otherwise.
pub async fn fetch(
    url: &str,
    headers: Option<&Object>,
    limits: &Bulk,
    folder: &Path,
) -> Result<TempPath, OperationError> {
    let failed = |why: String| {
        OperationError::invalid(format!("CSV Load failed from URL: {}, {why}", without_password(url)))
    };
    let parsed = Url::parse(url).map_err(|error| failed(error.to_string()))?;
    if !matches!(parsed.scheme(), "http" | "https") {
        return Err(failed(format!("unsupported protocol: {}", parsed.scheme())));
    }
    if !literal_address(&parsed).is_none_or(|address| limits.url_access.allow(address)) {
        return Err(failed(NOT_ALLOWED.to_owned()));
    }
    let client = client(limits).map_err(|error| failed(cause_of(&error)))?;
    let headers = headers
        .filter(|_| !fault!("url-headers-not-sent"))
        .map(header_map)
        .transpose()
        .map_err(failed)?
        .unwrap_or_default();
    let request = client.get(parsed).headers(headers);
    let mut response = request.send().await.map_err(|error| failed(cause_of(&error)))?;
    if response.status() != StatusCode::OK {
        let status = response.status().as_u16();
        return Err(failed(format!("status code: {status}, message: {}", reason(&response))));
    }
    let media_type =
        response.headers().get(CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()));
    let media_type = media_type.as_deref().unwrap_or("undefined");
    if !MEDIA_TYPES.contains(&media_type) && !fault!("url-media-types-free") {
        return Err(failed(format!("unsupported content type: {media_type}")));
    }
    let mut file = Scratch::new(folder, limits.max_size).await?;
    while let Some(chunk) = response.chunk().await.map_err(|error| failed(cause_of(&error)))? {
        file.write(&chunk).await.map_err(|error| failed(error.message))?;
    }
    file.finish().await
}

const NOT_ALLOWED: &str = "the server may not fetch from this address";

fn client(limits: &Bulk) -> Result<Client, reqwest::Error> {
    super::tls_ready();
    Client::builder()
        .redirect(if fault!("url-redirects-followed") { Policy::limited(3) } else { Policy::none() })
        // A proxy would connect in the place of this server, to whatever it is asked for.
        .no_proxy()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(SILENCE)
        .timeout(limits.url_timeout)
        .dns_resolver(Guarded(limits.url_access.clone()))
        .build()
}

/// Resolves names to those of their addresses that are allowed.
struct Guarded(Addresses);

#[derive(Debug, thiserror::Error)]
#[error("{NOT_ALLOWED}")]
struct NotAllowed;

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let rule = self.0.clone();
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let allowed: Vec<SocketAddr> =
                found.into_iter().filter(|address| rule.allow(address.ip())).collect();
            if allowed.is_empty() {
                return Err(NotAllowed.into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

/// The address of a URL that names none by name; such are never resolved.
fn literal_address(url: &Url) -> Option<IpAddr> {
    url.host_str()?.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

/// A URL as it may be shown: whoever reads the job need not know a password in it.
fn without_password(url: &str) -> String {
    match Url::parse(url) {
        Ok(mut parsed) if parsed.password().is_some() => {
            // Only URLs without a host refuse this.
            let _ = parsed.set_password(None);
            let _ = parsed.set_username("");
            parsed.to_string()
        }
        _ => url.to_owned(),
    }
}

/// The words beside a status: those of the server, or else the usual ones.
fn reason(response: &Response) -> String {
    let own = response.extensions().get::<hyper::ext::ReasonPhrase>();
    match own {
        Some(phrase) => String::from_utf8_lossy(phrase.as_bytes()).into_owned(),
        None => response.status().canonical_reason().unwrap_or_default().to_owned(),
    }
}

/// The innermost cause of a failure, which says most.
fn cause_of(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "it took too long".to_owned();
    }
    let mut cause: &dyn Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

fn header_map(headers: &Object) -> Result<HeaderMap, String> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number_text(*number),
            Value::Bool(flag) => flag.to_string(),
            Value::Null => continue,
            _ => return Err(format!("the header '{name}' has no text")),
        };
        let wrong = || format!("'{name}' is no header");
        let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?;
        map.append(header, HeaderValue::from_str(&text).map_err(|_| wrong())?);
    }
    Ok(map)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    /// A server that gives one answer to everybody and keeps the last request.
    async fn serve(answer: &'static [u8]) -> (u16, tokio::task::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let task = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).await.unwrap();
                request.push(byte[0]);
            }
            stream.write_all(answer).await.unwrap();
            String::from_utf8(request).unwrap()
        });
        (port, task)
    }

    async fn outcome(url: &str, limits: &Bulk) -> Result<String, String> {
        let folder = tempfile::tempdir().unwrap();
        let file = fetch(url, None, limits, folder.path()).await.map_err(|error| error.message);
        let text = file.map(|file| std::fs::read_to_string(&file).unwrap());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "a file was left behind");
        text
    }

    #[tokio::test]
    async fn a_file_is_fetched_with_the_headers_given() {
        let (port, asked) =
            serve(b"HTTP/1.1 200 OK\r\ncontent-type: text/csv\r\ncontent-length: 5\r\n\r\nid\n1\n").await;
        let folder = tempfile::tempdir().unwrap();
        let headers = Object::from_iter([
            ("X-Key".to_owned(), Value::from("plum")),
            ("n".to_owned(), Value::from(5.0)),
        ]);
        let url = format!("http://127.0.0.1:{port}/a.csv");
        let file = fetch(&url, Some(&headers), &Bulk::default(), folder.path()).await.unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "id\n1\n");
        let request = asked.await.unwrap();
        for line in ["GET /a.csv HTTP/1.1", "x-key: plum", "n: 5", "accept: */*"] {
            assert!(request.to_ascii_lowercase().contains(&line.to_ascii_lowercase()), "{line}: {request}");
        }
    }

    #[tokio::test]
    async fn statuses_types_and_sizes_are_judged() {
        let limits = Bulk { max_size: 10, ..Bulk::default() };
        for (answer, told) in [
            (
                &b"HTTP/1.1 302 Found\r\nlocation: /x\r\ncontent-length: 0\r\n\r\n"[..],
                "status code: 302, message: Found",
            ),
            (b"HTTP/1.1 410 Gone away\r\ncontent-length: 0\r\n\r\n", "status code: 410, message: Gone away"),
            (b"HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n", "status code: 201, message: Created"),
            (b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", "unsupported content type: undefined"),
            (
                b"HTTP/1.1 200 OK\r\ncontent-type: text/csv; charset=utf-8\r\ncontent-length: 0\r\n\r\n",
                "unsupported content type: text/csv; charset=utf-8",
            ),
            (
                b"HTTP/1.1 200 OK\r\ncontent-type: text/csv\r\ncontent-length: 11\r\n\r\nid,name\n1,2",
                "the file is larger than 10 bytes",
            ),
        ] {
            let (port, _asked) = serve(answer).await;
            let url = format!("http://127.0.0.1:{port}/x");
            assert_eq!(outcome(&url, &limits).await, Err(format!("CSV Load failed from URL: {url}, {told}")));
        }
    }

    #[tokio::test]
    async fn addresses_that_are_not_allowed_are_not_asked() {
        let (port, asked) =
            serve(b"HTTP/1.1 200 OK\r\ncontent-type: text/csv\r\ncontent-length: 0\r\n\r\n").await;
        let limits = Bulk { url_access: Addresses::Public, ..Bulk::default() };
        for host in ["127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f.1"] {
            let url = format!("http://{host}:{port}/x");
            assert_eq!(
                outcome(&url, &limits).await,
                Err(format!("CSV Load failed from URL: {url}, {NOT_ALLOWED}"))
            );
        }
        assert!(!asked.is_finished());
        asked.abort();
    }

    #[tokio::test]
    async fn what_is_no_web_address_or_answers_nothing_fails() {
        for url in ["ftp://localhost/x.csv", "http://", "nonsense:", "http://127.0.0.1:1/x.csv"] {
            let text = outcome(url, &Bulk::default()).await.unwrap_err();
            assert!(text.starts_with(&format!("CSV Load failed from URL: {url}, ")), "{text}");
        }
        let text = outcome("http://kim:sesame@127.0.0.1:1/", &Bulk::default()).await.unwrap_err();
        assert!(!text.contains("sesame"), "{text}");
    }
}
