//! Sending a temporary file without holding it in memory, compressed on the way when the client can take it.

use super::body::Body;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::{self, Write};
use tempfile::TempPath;
use tokio::io::AsyncReadExt;
use tokio::sync::mpsc;

/// How much of the file is read at a time.
const PIECE: usize = 64 * 1024;
/// How many pieces may wait for a slow client.
const WAITING: usize = 4;

/// The body that sends `file`, which is removed afterwards or when the client goes away.
pub(super) async fn body(file: TempPath, gzip: bool) -> io::Result<Body> {
    let source = tokio::fs::File::open(&file).await?;
    let (pieces, body) = mpsc::channel(WAITING);
    tokio::spawn(async move {
        if let Err(error) = send(source, gzip, &pieces).await {
            // The length is not announced, so the broken stream is what tells the client.
            let _ = pieces.send(Err(error)).await;
        }
        drop(file);
    });
    Ok(Body::Pieces(body))
}

async fn send(
    mut source: tokio::fs::File,
    gzip: bool,
    pieces: &mpsc::Sender<io::Result<Bytes>>,
) -> io::Result<()> {
    let mut encoder = gzip.then(|| GzEncoder::new(Vec::new(), Compression::fast()));
    let mut buffer = vec![0; PIECE];
    loop {
        let read = source.read(&mut buffer).await?;
        let piece = match &mut encoder {
            None => Bytes::copy_from_slice(&buffer[..read]),
            Some(encoder) => {
                encoder.write_all(&buffer[..read])?;
                if read == 0 {
                    encoder.try_finish()?;
                }
                std::mem::take(encoder.get_mut()).into()
            }
        };
        if !piece.is_empty() && pieces.send(Ok(piece)).await.is_err() {
            return Ok(());
        }
        if read == 0 {
            return Ok(());
        }
    }
}
