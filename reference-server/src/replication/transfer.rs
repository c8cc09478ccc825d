//! Moving what is too large for one message: the holder offers pages under a subject, the taker asks there for one
//! piece after the other. So nothing is sent that has no place to go to.

use anyhow::Context;
use async_nats::{Client, Request};
use bytes::Bytes;
use futures_util::StreamExt;
use std::time::Duration;
use tokio::sync::mpsc;

/// How long pieces are at most.
const LARGEST_PIECE: usize = 512 * 1024;
/// The largest page that is put together.
const LARGEST_PAGE: usize = 1 << 30;
/// How long the taker may take until it asks again.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long the holder looks for a page before it says that there is none yet.
const LOOK: Duration = Duration::from_secs(2);
/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(10);

/// What the first byte of an answer says of the rest.
mod kind {
    /// More of the page follows.
    pub(super) const PIECE: u8 = 0;
    /// The page ends here.
    pub(super) const LAST: u8 = 1;
    /// There are no more pages.
    pub(super) const END: u8 = 2;
    /// It was given up; the rest is the reason.
    pub(super) const FAILED: u8 = 3;
    /// There is no page yet.
    pub(super) const LATER: u8 = 4;
}

/// A page, or why there are no more.
pub type Page = Result<Vec<u8>, String>;

/// Offers pages under a subject that begins with `place`; returns the subject, and the work of handing them out, which
/// ends when they are all taken or nobody asks for them any more.
pub(super) async fn offer(
    client: &Client,
    place: &str,
    pages: mpsc::Receiver<Page>,
) -> anyhow::Result<(String, impl Future<Output = ()> + Send + use<>)> {
    let subject = format!("{place}.{}", uuid::Uuid::new_v4().simple());
    let asked = client.subscribe(subject.clone()).await.context("cannot offer pages")?;
    // Nobody may ask before it is there.
    client.flush().await.context("cannot offer pages")?;
    let client = client.clone();
    Ok((subject, hand_out(client, asked, pages)))
}

async fn hand_out(client: Client, mut asked: async_nats::Subscriber, mut pages: mpsc::Receiver<Page>) {
    let mut page: Option<Bytes> = None;
    while let Ok(Some(request)) = tokio::time::timeout(PATIENCE, asked.next()).await {
        let Some(reply) = request.reply else { continue };
        if page.is_none() {
            match tokio::time::timeout(LOOK, pages.recv()).await {
                Err(_) => {
                    if client.publish(reply, answer(kind::LATER, b"")).await.is_err() {
                        return;
                    }
                    continue;
                }
                Ok(None) => {
                    let _ = client.publish(reply, answer(kind::END, b"")).await;
                    return;
                }
                Ok(Some(Err(reason))) => {
                    let _ = client.publish(reply, answer(kind::FAILED, reason.as_bytes())).await;
                    return;
                }
                Ok(Some(Ok(next))) => page = Some(Bytes::from(next)),
            }
        }
        let mut rest = page.take().unwrap_or_default();
        let piece = rest.split_to(rest.len().min(LARGEST_PIECE));
        page = Some(rest).filter(|rest| !rest.is_empty());
        let kind = if page.is_some() { kind::PIECE } else { kind::LAST };
        if client.publish(reply, answer(kind, &piece)).await.is_err() {
            return;
        }
    }
}

fn answer(kind: u8, rest: &[u8]) -> Bytes {
    let mut bytes = Vec::with_capacity(1 + rest.len());
    bytes.push(kind);
    bytes.extend_from_slice(rest);
    bytes.into()
}

/// Pages that another node offers.
pub struct Pages {
    client: Client,
    subject: String,
}

impl Pages {
    pub(super) fn new(client: &Client, subject: String) -> Pages {
        Pages { client: client.clone(), subject }
    }

    /// The next page; `None` after the last.
    ///
    /// # Errors
    /// When the holder has given up or cannot be reached.
    pub async fn next(&mut self) -> anyhow::Result<Option<Vec<u8>>> {
        let mut page = Vec::new();
        loop {
            let request = Request::new().timeout(Some(ANSWER));
            let answer = self.client.send_request(self.subject.clone(), request).await;
            let answer = answer.context("no answer from the holder of the pages")?;
            let Some((kind, rest)) = answer.payload.split_first() else {
                anyhow::bail!("an empty answer from the holder of the pages")
            };
            match *kind {
                kind::LATER => continue,
                kind::END => return Ok(None),
                kind::FAILED => anyhow::bail!("{}", String::from_utf8_lossy(rest)),
                kind::PIECE | kind::LAST if page.len() + rest.len() <= LARGEST_PAGE => {
                    page.extend_from_slice(rest);
                    if *kind == kind::LAST {
                        return Ok(Some(page));
                    }
                }
                _ => anyhow::bail!("a piece of a page that cannot be understood"),
            }
        }
    }
}

/// A whole that goes into a message or, when it is too large, is offered beside it.
pub(super) mod whole {
    use super::{Client, Context, Pages, mpsc, offer};
    use bytes::Bytes;

    /// What fits into one message.
    const LARGEST: usize = super::LARGEST_PIECE;
    const INSIDE: u8 = 0;
    const BESIDE: u8 = 1;

    /// The message, and the work of handing out what did not fit, under a subject that begins with `place`.
    pub(in super::super) async fn send(
        client: &Client,
        place: &str,
        body: Vec<u8>,
    ) -> anyhow::Result<(Bytes, Option<impl Future<Output = ()> + Send + use<>>)> {
        if body.len() <= LARGEST {
            return Ok((super::answer(INSIDE, &body), None));
        }
        let (sender, receiver) = mpsc::channel(1);
        sender.try_send(Ok(body)).context("cannot offer a page")?;
        let (subject, work) = offer(client, place, receiver).await?;
        Ok((super::answer(BESIDE, subject.as_bytes()), Some(work)))
    }

    /// What a message holds, or leads to in `place`.
    pub(in super::super) async fn receive(
        client: &Client,
        place: &str,
        message: &[u8],
    ) -> anyhow::Result<Vec<u8>> {
        match message.split_first() {
            Some((&INSIDE, body)) => Ok(body.to_vec()),
            Some((&BESIDE, subject)) => {
                let subject = String::from_utf8_lossy(subject).into_owned();
                let is_there = subject.strip_prefix(place).is_some_and(|rest| rest.starts_with('.'));
                anyhow::ensure!(is_there, "pages are offered in a strange place");
                Pages::new(client, subject).next().await?.context("an offer without a page")
            }
            _ => anyhow::bail!("a message that cannot be understood"),
        }
    }
}
