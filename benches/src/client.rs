//! A keep-alive HTTP/1.1 client that does as little as possible: a request goes out as one piece of bytes, and of the
//! answer only what is needed to find its end is read.

use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How much room there is for what comes in at once.
const ROOM: usize = 64 * 1024;

/// One connection, reopened when the other side closes it between two requests.
pub struct Connection {
    authority: String,
    stream: Option<TcpStream>,
    input: Vec<u8>,
    /// The body of a chunked answer, put together.
    joined: Vec<u8>,
}

/// An answer, until the next exchange.
#[derive(Debug)]
pub struct Answer<'c> {
    /// The status.
    pub status: u16,
    /// The status line and the headers.
    pub head: &'c [u8],
    /// The body.
    pub body: &'c [u8],
}

impl Connection {
    /// Connects to `host:port`.
    ///
    /// # Errors
    /// When that fails.
    pub async fn open(authority: &str) -> io::Result<Connection> {
        let stream = Some(dial(authority).await?);
        let (input, joined) = (Vec::with_capacity(ROOM), Vec::new());
        Ok(Connection { authority: authority.to_owned(), stream, input, joined })
    }

    /// Sends a whole request and waits for its answer.
    ///
    /// # Errors
    /// When the connection breaks or what comes back is not HTTP/1.1.
    pub async fn exchange(&mut self, request: &[u8]) -> io::Result<Answer<'_>> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => dial(&self.authority).await?,
        };
        stream.write_all(request).await?;
        self.input.clear();
        let (head_length, head) = loop {
            let searched = self.input.len().saturating_sub(3);
            receive(&mut stream, &mut self.input).await?;
            if let Some(at) = find_end(&self.input[searched..]) {
                let length = searched + at;
                let head = Head::read(&self.input[..length])?;
                // Interim answers are skipped.
                if head.status >= 200 {
                    break (length, head);
                }
                self.input.drain(..length);
                if let Some(at) = find_end(&self.input) {
                    break (at, Head::read(&self.input[..at])?);
                }
            }
        };
        let body_end = match head.framing {
            Framing::Length(length) => {
                let end = head_length + length;
                self.input.reserve(end.saturating_sub(self.input.len()));
                while self.input.len() < end {
                    receive(&mut stream, &mut self.input).await?;
                }
                Some(end)
            }
            Framing::Chunked => {
                self.joined.clear();
                read_chunks(&mut stream, &mut self.input, head_length, &mut self.joined).await?;
                None
            }
            Framing::UntilClosed => {
                while stream.read_buf(&mut self.input).await? > 0 {}
                Some(self.input.len())
            }
        };
        if !head.closes {
            self.stream = Some(stream);
        }
        let body = match body_end {
            Some(end) => &self.input[head_length..end],
            None => &self.joined,
        };
        Ok(Answer { status: head.status, head: &self.input[..head_length], body })
    }
}

async fn dial(authority: &str) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(authority).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn receive(stream: &mut TcpStream, input: &mut Vec<u8>) -> io::Result<()> {
    if input.capacity() - input.len() < ROOM / 4 {
        input.reserve(ROOM);
    }
    match stream.read_buf(input).await? {
        0 => Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            "the connection was closed before the answer was whole",
        )),
        _ => Ok(()),
    }
}

/// Where the head ends, its empty line included.
fn find_end(input: &[u8]) -> Option<usize> {
    input.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4)
}

enum Framing {
    Length(usize),
    Chunked,
    UntilClosed,
}

struct Head {
    status: u16,
    framing: Framing,
    closes: bool,
}

impl Head {
    fn read(bytes: &[u8]) -> io::Result<Head> {
        let broken = || io::Error::new(io::ErrorKind::InvalidData, "the answer is not HTTP/1.1");
        let text = std::str::from_utf8(bytes).map_err(|_| broken())?;
        let mut lines = text.split("\r\n");
        let status_line = lines.next().filter(|line| line.starts_with("HTTP/1.1 ")).ok_or_else(broken)?;
        let status = status_line.get(9..12).and_then(|digits| digits.parse().ok()).ok_or_else(broken)?;
        let mut head = Head { status, framing: Framing::UntilClosed, closes: false };
        if matches!(status, 204 | 304) {
            head.framing = Framing::Length(0);
        }
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            let value = value.trim();
            if name.eq_ignore_ascii_case("content-length") {
                head.framing = Framing::Length(value.parse().map_err(|_| broken())?);
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                head.framing = Framing::Chunked;
            } else if name.eq_ignore_ascii_case("connection") {
                head.closes = value.eq_ignore_ascii_case("close");
            }
        }
        head.closes |= matches!(head.framing, Framing::UntilClosed);
        Ok(head)
    }
}

async fn read_chunks(
    stream: &mut TcpStream,
    input: &mut Vec<u8>,
    mut at: usize,
    joined: &mut Vec<u8>,
) -> io::Result<()> {
    loop {
        let line_end = loop {
            match input[at..].iter().position(|byte| *byte == b'\n') {
                Some(length) => break at + length + 1,
                None => receive(stream, input).await?,
            }
        };
        let size = chunk_size(&input[at..line_end])?;
        let end = line_end + size + 2;
        while input.len() < end {
            receive(stream, input).await?;
        }
        // Trailers, which nobody sends here, would be left over and show up as a broken answer.
        if size == 0 {
            return Ok(());
        }
        joined.extend_from_slice(&input[line_end..line_end + size]);
        at = end;
    }
}

fn chunk_size(line: &[u8]) -> io::Result<usize> {
    let text = std::str::from_utf8(line).unwrap_or_default();
    let digits = text.split([';', '\r', '\n']).next().unwrap_or_default().trim();
    usize::from_str_radix(digits, 16)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "a chunk has no size"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    /// A server that answers one request after the other with the given pieces.
    async fn server(answers: Vec<Vec<&'static [u8]>>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            for pieces in answers {
                let mut request = [0; 5];
                stream.read_exact(&mut request).await.unwrap();
                for piece in pieces {
                    stream.write_all(piece).await.unwrap();
                    tokio::task::yield_now().await;
                }
            }
        });
        address
    }

    #[tokio::test]
    async fn lengths_and_chunks() {
        let address = server(vec![
            vec![b"HTTP/1.1 200 OK\r\nConte", b"nt-Length: 3\r\n\r", b"\nab", b"c"],
            vec![
                b"HTTP/1.1 404 Not Found\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r",
                b"\n1;x=y\r\nc\r\n0\r\n\r\n",
            ],
            vec![b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nconnection: close\r\n\r\nrest"],
        ])
        .await;
        let mut connection = Connection::open(&address).await.unwrap();
        for (status, body) in [(200, "abc"), (404, "abc"), (200, "rest")] {
            let answer = connection.exchange(b"hello").await.unwrap();
            assert_eq!((answer.status, answer.body), (status, body.as_bytes()));
        }
        assert!(connection.stream.is_none());
    }
}
