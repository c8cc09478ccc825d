//! A client without opinions: it sends any bytes and shows exactly what comes back.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// A connection and what has been received on it.
pub struct Connection {
    stream: Box<dyn Stream>,
    received: Vec<u8>,
}

/// One answer.
#[derive(Debug)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Response {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// Nothing here takes long; what does is broken.
async fn soon<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), work).await.expect("the server did not answer in time")
}

impl Connection {
    pub async fn tcp(address: SocketAddr) -> Connection {
        Connection::over(TcpStream::connect(address).await.unwrap())
    }

    pub async fn unix(path: &Path) -> Connection {
        Connection::over(UnixStream::connect(path).await.unwrap())
    }

    fn over(stream: impl Stream + 'static) -> Connection {
        Connection { stream: Box::new(stream), received: Vec::new() }
    }

    pub async fn send(&mut self, bytes: &[u8]) {
        soon(self.stream.write_all(bytes)).await.unwrap();
    }

    /// Sends what the server may refuse to read.
    pub async fn try_send(&mut self, bytes: &[u8]) {
        let _ = soon(self.stream.write_all(bytes)).await;
    }

    /// Closes the sending side.
    pub async fn finish(&mut self) {
        soon(self.stream.shutdown()).await.unwrap();
    }

    /// Reads one answer to a request that is no HEAD.
    pub async fn response(&mut self) -> Response {
        let (status, headers) = self.head().await;
        let mut response = Response { status, headers, body: Vec::new() };
        response.body = if response.header("transfer-encoding") == Some("chunked") {
            self.chunks().await
        } else if let Some(length) = response.header("content-length") {
            self.take(length.parse().unwrap()).await
        } else {
            self.rest().await
        };
        response
    }

    /// Reads the status line and the headers of one answer.
    pub async fn head(&mut self) -> (u16, Vec<(String, String)>) {
        let head = self.through(b"\r\n\r\n").await;
        let head = String::from_utf8(head).unwrap();
        let mut lines = head.trim_end().split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines.map(|line| line.split_once(": ").unwrap_or((line.trim_end_matches(':'), "")));
        (status, headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    /// True when the server closed without sending anything more.
    pub async fn is_closed(&mut self) -> bool {
        self.rest().await.is_empty()
    }

    /// Everything up to the end of the connection.
    pub async fn rest(&mut self) -> Vec<u8> {
        while self.receive().await {}
        std::mem::take(&mut self.received)
    }

    async fn chunks(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let size = String::from_utf8(self.through(b"\r\n").await).unwrap();
            let size = usize::from_str_radix(size.trim(), 16).unwrap();
            let mut chunk = self.take(size + 2).await;
            chunk.truncate(size);
            if size == 0 {
                return body;
            }
            body.append(&mut chunk);
        }
    }

    async fn take(&mut self, length: usize) -> Vec<u8> {
        while self.received.len() < length {
            assert!(self.receive().await, "the connection ended within a body: {:?}", self.received);
        }
        self.received.drain(..length).collect()
    }

    async fn through(&mut self, end: &[u8]) -> Vec<u8> {
        loop {
            if let Some(at) = self.received.windows(end.len()).position(|window| window == end) {
                return self.received.drain(..at + end.len()).collect();
            }
            assert!(self.receive().await, "the connection ended early: {:?}", self.received);
        }
    }

    async fn receive(&mut self) -> bool {
        let mut buffer = [0; 16 * 1024];
        let read = soon(self.stream.read(&mut buffer)).await.unwrap_or(0);
        self.received.extend_from_slice(&buffer[..read]);
        read > 0
    }
}
