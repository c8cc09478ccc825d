//! The plain client: bytes written by hand on a fresh connection, for requests that no ordinary client can send
//! and for answers whose framing matters.

use super::{Answer, CONNECT_TIMEOUT, Exchange, Fault, Place, Request, Target};
use std::fmt::Write as _;
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};

/// How long a target may think about malformed bytes before it counts as silent.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long to look for the end of a connection once the expected answers are there.
const CLOSE_PATIENCE: Duration = Duration::from_millis(500);

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// What came back on one connection.
#[derive(Clone, Debug, PartialEq)]
pub struct WireAnswers {
    /// The answers in order.
    pub answers: Vec<Answer>,
    /// True when the target closed the connection.
    pub closed: bool,
    /// Why there are no more answers than these, when more were expected.
    pub fault: Option<Fault>,
    /// How long it took.
    pub millis: f64,
}

async fn connect(place: &Place) -> Result<Box<dyn Stream>, Fault> {
    let refused = |error: std::io::Error| Fault::Connect(error.to_string());
    match place {
        Place::Tcp { host, port, .. } => {
            let connecting = TcpStream::connect((host.trim_matches(['[', ']']), *port));
            let in_time = tokio::time::timeout(CONNECT_TIMEOUT, connecting).await;
            let late = |_| Fault::Connect("nobody accepts the connection".to_owned());
            let stream = in_time.map_err(late)?.map_err(refused)?;
            // Small writes on a fresh connection must not wait for acknowledgements.
            let _ = stream.set_nodelay(true);
            Ok(Box::new(stream))
        }
        Place::Unix(path) => Ok(Box::new(UnixStream::connect(path).await.map_err(refused)?)),
    }
}

pub(super) async fn send_plain(target: &Target, request: Request) -> Exchange {
    if matches!(target.place, Place::Tcp { tls: true, .. }) {
        return super::client::send(target, &target.client, request).await;
    }
    let mut head = format!("{} {} HTTP/1.1\r\n", request.method, request.path);
    if request.header("host").is_none() {
        let host = match &target.place {
            Place::Tcp { host, port, .. } => format!("{host}:{port}"),
            Place::Unix(_) => "localhost".to_owned(),
        };
        let _ = write!(head, "Host: {host}\r\n");
    }
    for (name, value) in &request.headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    let framed = request.header("content-length").is_some() || request.header("transfer-encoding").is_some();
    let wants_length =
        !request.body.is_empty() || matches!(request.method.as_str(), "POST" | "PUT" | "PATCH");
    if wants_length && !framed {
        let _ = write!(head, "Content-Length: {}\r\n", request.body.len());
    }
    head.push_str("\r\n");
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(&request.body);
    let bodiless = request.method == "HEAD";
    let mut got = exchange(&target.place, &bytes, 1, bodiless, super::ANSWER_TIMEOUT, false).await;
    let answer = (!got.answers.is_empty()).then(|| got.answers.remove(0));
    Exchange { request, answer, fault: got.fault, millis: got.millis }
}

pub(super) async fn send_wire(target: &Target, bytes: &[u8], expect: usize) -> WireAnswers {
    let bodiless = bytes.starts_with(b"HEAD ");
    exchange(&target.place, bytes, expect, bodiless, PATIENCE, true).await
}

async fn exchange(
    place: &Place,
    bytes: &[u8],
    expect: usize,
    bodiless: bool,
    patience: Duration,
    watch_close: bool,
) -> WireAnswers {
    let started = Instant::now();
    let mut got = WireAnswers { answers: Vec::new(), closed: false, fault: None, millis: 0.0 };
    let mut stream = match connect(place).await {
        Ok(stream) => stream,
        Err(fault) => {
            got.fault = Some(fault);
            return got;
        }
    };
    // A target may answer and close before it has read everything: a failed write is no verdict yet.
    let written = stream.write_all(bytes).await.is_ok() && stream.flush().await.is_ok();
    let mut buffer = Vec::new();
    while got.answers.len() < expect {
        match parse(&buffer, got.closed, bodiless) {
            Parsed::Answer(answer, used) => {
                buffer.drain(..used);
                if answer.status >= 200 {
                    got.answers.push(answer);
                }
                continue;
            }
            Parsed::Malformed(text) => {
                got.fault = Some(Fault::Malformed(text));
                break;
            }
            Parsed::More if got.closed => {
                let text = if written { "the connection was closed" } else { "the connection was reset" };
                got.fault = Some(Fault::Broken(text.to_owned()));
                break;
            }
            Parsed::More => {}
        }
        let left = patience.saturating_sub(started.elapsed());
        match tokio::time::timeout(left, stream.read_buf(&mut buffer)).await {
            Err(_) => {
                got.fault = Some(Fault::Timeout(patience.as_secs()));
                break;
            }
            Ok(Ok(0) | Err(_)) => got.closed = true,
            Ok(Ok(_)) => {}
        }
    }
    if watch_close && !got.closed && got.fault.is_none() {
        let end = tokio::time::timeout(CLOSE_PATIENCE, stream.read_buf(&mut buffer)).await;
        got.closed = matches!(end, Ok(Ok(0) | Err(_)));
    }
    got.millis = started.elapsed().as_secs_f64() * 1000.0;
    got
}

enum Parsed {
    Answer(Answer, usize),
    More,
    Malformed(String),
}

/// Reads one answer off the front of what has come so far.
fn parse(bytes: &[u8], ended: bool, bodiless: bool) -> Parsed {
    let Some(head_end) = find(bytes, b"\r\n\r\n") else {
        return Parsed::More;
    };
    let head = String::from_utf8_lossy(&bytes[..head_end]);
    let mut lines = head.split("\r\n");
    let status_line = lines.next().unwrap_or_default();
    let status =
        status_line.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5)).and_then(|s| s.parse().ok());
    let Some(status) = status else {
        return Parsed::Malformed(status_line.chars().take(80).collect());
    };
    let mut headers = Vec::new();
    for line in lines {
        let Some((name, value)) = line.split_once(':') else {
            return Parsed::Malformed(format!("header line '{line}'"));
        };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let start = head_end + 4;
    let rest = &bytes[start..];
    let header = |name: &str| super::find_header(&headers, name);
    if bodiless || status < 200 || status == 204 || status == 304 {
        return Parsed::Answer(Answer::new(status, headers, b""), start);
    }
    if header("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
        return match unchunk(rest) {
            Ok(Some((body, used))) => Parsed::Answer(Answer::new(status, headers, &body), start + used),
            Ok(None) => Parsed::More,
            Err(text) => Parsed::Malformed(text),
        };
    }
    if let Some(length) = header("content-length") {
        let Ok(length) = length.parse::<usize>() else {
            return Parsed::Malformed(format!("content-length '{length}'"));
        };
        return match rest.get(..length) {
            Some(body) => Parsed::Answer(Answer::new(status, headers, body), start + length),
            None => Parsed::More,
        };
    }
    if ended { Parsed::Answer(Answer::new(status, headers, rest), bytes.len()) } else { Parsed::More }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

/// The body of a chunked answer and how many bytes it took; `None` when it is not all there.
fn unchunk(bytes: &[u8]) -> Result<Option<(Vec<u8>, usize)>, String> {
    let (mut body, mut at) = (Vec::new(), 0);
    loop {
        let Some(line_end) = find(&bytes[at..], b"\r\n") else {
            return Ok(None);
        };
        let line = String::from_utf8_lossy(&bytes[at..at + line_end]);
        let size = line.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(size, 16).map_err(|_| format!("chunk size '{line}'"))?;
        at += line_end + 2;
        if size == 0 {
            // Trailers, if any, end with an empty line.
            return Ok(if bytes[at..].starts_with(b"\r\n") {
                Some((body, at + 2))
            } else {
                find(&bytes[at..], b"\r\n\r\n").map(|end| (body, at + end + 4))
            });
        }
        let end = at.checked_add(size).ok_or_else(|| format!("chunk size '{line}'"))?;
        match bytes.get(at..end) {
            Some(chunk) if bytes.len() >= end + 2 => {
                body.extend_from_slice(chunk);
                at = end + 2;
            }
            _ => return Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn answer(bytes: &[u8], ended: bool) -> Option<(Answer, usize)> {
        match parse(bytes, ended, false) {
            Parsed::Answer(answer, used) => Some((answer, used)),
            Parsed::More | Parsed::Malformed(_) => None,
        }
    }

    #[test]
    fn answers_are_framed_by_length_by_chunks_or_by_the_end() {
        let by_length =
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n{\"a\":1}HTTP";
        let (got, used) = answer(by_length, false).unwrap();
        assert_eq!((got.body, used), (json!({"a": 1}), by_length.len() - 4));
        let chunked =
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n";
        assert_eq!(answer(chunked, false).unwrap().0.body, json!("abcde"));
        assert!(answer(&chunked[..chunked.len() - 3], false).is_none());
        let to_the_end = b"HTTP/1.0 400 Bad Request\r\n\r\nno";
        assert!(answer(to_the_end, false).is_none());
        assert_eq!(answer(to_the_end, true).unwrap().0.status, 400);
        assert!(matches!(parse(b"SSH-2.0-x\r\n\r\n", false, false), Parsed::Malformed(_)));
    }
}
