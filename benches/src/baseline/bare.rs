//! A bare hyper server: it reads a request's body and returns what the reference server answered to the same body.

use anyhow::{Context, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_LENGTH, DATE, HeaderMap, HeaderName, HeaderValue, TRANSFER_ENCODING};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use std::collections::HashMap;
use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;
use tokio::net::TcpListener;

/// One request's body and the answer to it.
pub(crate) struct Exchange {
    pub(crate) request: Vec<u8>,
    pub(crate) head: Vec<u8>,
    pub(crate) body: Vec<u8>,
}

/// Writes exchanges to a file for [`serve`].
pub(crate) fn record(file: &Path, exchanges: &[Exchange]) -> anyhow::Result<()> {
    let mut out = Vec::new();
    for part in exchanges.iter().flat_map(|exchange| [&exchange.request, &exchange.head, &exchange.body]) {
        out.extend_from_slice(&(part.len() as u32).to_le_bytes());
        out.extend_from_slice(part);
    }
    std::fs::write(file, out).with_context(|| format!("cannot write {}", file.display()))
}

struct Answer {
    headers: HeaderMap,
    body: Bytes,
}

/// Serves recorded exchanges until the process is ended.
///
/// # Errors
/// When the file cannot be read or nothing be bound.
pub fn serve(recorded: &Path) -> anyhow::Result<()> {
    let answers = Arc::new(load(&std::fs::read(recorded)?)?);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("ready http://{}", listener.local_addr()?);
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let answers = answers.clone();
            tokio::spawn(async move {
                let service = service_fn(move |request| answer(answers.clone(), request));
                // A client that goes away ends its connection, nothing else.
                let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
            });
        }
    })
}

async fn answer(
    answers: Arc<HashMap<Bytes, Answer>>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let body = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let Some(answer) = answers.get(&body) else {
        let mut response = Response::new(Full::default());
        *response.status_mut() = StatusCode::NOT_FOUND;
        return Ok(response);
    };
    let mut response = Response::new(Full::new(answer.body.clone()));
    *response.headers_mut() = answer.headers.clone();
    Ok(response)
}

fn load(mut bytes: &[u8]) -> anyhow::Result<HashMap<Bytes, Answer>> {
    let mut answers = HashMap::new();
    while !bytes.is_empty() {
        let request = take(&mut bytes)?;
        let headers = headers(take(&mut bytes)?)?;
        let body = Bytes::copy_from_slice(take(&mut bytes)?);
        answers.insert(Bytes::copy_from_slice(request), Answer { headers, body });
    }
    Ok(answers)
}

fn take<'b>(bytes: &mut &'b [u8]) -> anyhow::Result<&'b [u8]> {
    let (length, rest) = bytes.split_first_chunk::<4>().context("the recording is cut off")?;
    let length = u32::from_le_bytes(*length) as usize;
    ensure!(rest.len() >= length, "the recording is cut off");
    let (part, rest) = rest.split_at(length);
    *bytes = rest;
    Ok(part)
}

/// The headers of a recorded answer, without those that hyper writes itself.
fn headers(head: &[u8]) -> anyhow::Result<HeaderMap> {
    let text = std::str::from_utf8(head)?;
    let mut headers = HeaderMap::new();
    for (name, value) in text.split("\r\n").skip(1).filter_map(|line| line.split_once(':')) {
        let name = HeaderName::from_bytes(name.as_bytes())?;
        if ![CONTENT_LENGTH, DATE, TRANSFER_ENCODING].contains(&name) {
            headers.insert(name, HeaderValue::from_str(value.trim())?);
        }
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recordings_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("recorded");
        let exchange = Exchange {
            request: b"{}".to_vec(),
            head: b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Y: z\r\n\r\n".to_vec(),
            body: b"[]".to_vec(),
        };
        record(&file, &[exchange]).unwrap();
        let answers = load(&std::fs::read(&file).unwrap()).unwrap();
        let answer = &answers[&b"{}"[..]];
        assert_eq!((answer.headers.len(), &answer.body[..]), (1, &b"[]"[..]));
        assert_eq!(answer.headers["x-y"], "z");
    }
}
