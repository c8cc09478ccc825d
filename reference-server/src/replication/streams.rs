//! The stream of a database: what this node tells the others of it.

use super::names::StreamName;
use anyhow::Context;
use async_nats::HeaderMap;
use async_nats::jetstream::context::GetStreamErrorKind;
use async_nats::jetstream::stream::{
    Config, DiscardPolicy, LastRawMessageErrorKind, RetentionPolicy, StorageType, Stream,
};
use async_nats::jetstream::{self, ErrorCode};
use std::time::Duration;

/// The number of the transaction in the history of its origin.
pub(super) const LSEQ: &str = "H-Lseq";
/// The number of the transaction told before.
pub(super) const PREVIOUS: &str = "H-Prev";
/// Which part of how many a message is: `2/5`.
pub(super) const PART: &str = "H-Part";

/// How long the server looks for messages sent twice. Nothing here is: every message says which one it follows.
const DUPLICATES: Duration = Duration::from_millis(100);

/// A stream of this node, ready to be written to.
pub(super) struct OwnStream {
    /// Which life of the stream this is; numbers of messages mean nothing in another.
    pub(super) epoch: String,
    /// The number of the last message, 0 for none.
    pub(super) last_message: u64,
    /// The number of the last transaction told, `None` when the stream does not know.
    pub(super) last_lseq: Option<u64>,
}

/// What a purge leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Nothing.
    Nothing,
    /// The newest messages, so many of them.
    Newest(u64),
    /// The message with this number and those behind it.
    From(u64),
}

/// Makes the stream of a database, or finds it. One of an earlier life of the database is removed.
pub(super) async fn open(
    context: &jetstream::Context,
    name: StreamName<'_>,
    life: &str,
    retention: Option<Duration>,
) -> anyhow::Result<OwnStream> {
    match context.get_stream(name.stream()).await {
        Ok(stream) => {
            if let Some(own) = found(&stream, name, life).await? {
                return Ok(own);
            }
            context.delete_stream(name.stream()).await.context("cannot remove an old stream")?;
        }
        Err(error) if is_missing(&error.kind()) => {}
        Err(error) => return Err(error).context("cannot look for the stream"),
    }
    let epoch = uuid::Uuid::new_v4().simple().to_string();
    let config = Config {
        name: name.stream(),
        subjects: vec![name.subjects()],
        description: Some(description(&epoch, life)),
        storage: StorageType::File,
        retention: RetentionPolicy::Limits,
        discard: DiscardPolicy::Old,
        num_replicas: 1,
        max_age: retention.unwrap_or_default(),
        duplicate_window: DUPLICATES,
        ..Config::default()
    };
    context.create_stream(config).await.context("cannot make the stream")?;
    Ok(OwnStream { epoch, last_message: 0, last_lseq: None })
}

/// What is in a stream that exists, unless it is of an earlier life of the database.
async fn found(stream: &Stream, name: StreamName<'_>, life: &str) -> anyhow::Result<Option<OwnStream>> {
    let info = stream.cached_info();
    let Some(epoch) = epoch_of(info.config.description.as_deref(), life) else { return Ok(None) };
    let last = match stream.get_last_raw_message_by_subject(&name.subjects()).await {
        Ok(message) => Some(message),
        Err(error) if matches!(error.kind(), LastRawMessageErrorKind::NoMessageFound) => None,
        Err(error) => return Err(error).context("cannot read the last message"),
    };
    let last_lseq = last.and_then(|message| {
        // Of what was cut off nothing has been told.
        let is_whole = Part::of(&message.headers).is_some_and(|part| part.at == part.of);
        number(&message.headers, if is_whole { LSEQ } else { PREVIOUS })
    });
    Ok(Some(OwnStream { epoch, last_message: info.state.last_sequence, last_lseq }))
}

/// Removes the stream of a database that is gone.
pub(super) async fn remove(context: &jetstream::Context, name: StreamName<'_>) -> anyhow::Result<()> {
    match context.delete_stream(name.stream()).await {
        Err(error) if !is_missing(&error.kind()) => Err(error).context("cannot remove the stream"),
        _ => Ok(()),
    }
}

/// Drops messages about one table; returns how many.
pub(super) async fn purge(
    context: &jetstream::Context,
    name: StreamName<'_>,
    table: &str,
    keep: Keep,
) -> anyhow::Result<u64> {
    // Here 0 means everything.
    if keep == Keep::From(0) {
        return Ok(0);
    }
    let stream = match context.get_stream(name.stream()).await {
        Ok(stream) => stream,
        Err(error) if is_missing(&error.kind()) => return Ok(0),
        Err(error) => return Err(error).context("cannot look for the stream"),
    };
    let purge = stream.purge().filter(name.table_subject(table));
    let response = match keep {
        Keep::Nothing => purge.await,
        Keep::Newest(count) => purge.keep(count).await,
        Keep::From(number) => purge.sequence(number).await,
    };
    Ok(response.context("cannot purge the stream")?.purged)
}

fn is_missing(kind: &GetStreamErrorKind) -> bool {
    matches!(kind, GetStreamErrorKind::JetStream(error) if error.error_code() == ErrorCode::STREAM_NOT_FOUND)
}

/// The description of a stream tells which life of it, and of the database, it belongs to.
fn description(epoch: &str, life: &str) -> String {
    format!("epoch:{epoch} life:{life}")
}

/// The epoch that a description tells, if it is of this life of the database.
fn epoch_of(description: Option<&str>, life: &str) -> Option<String> {
    let (epoch, of) = description?.strip_prefix("epoch:")?.split_once(" life:")?;
    (of == life).then(|| epoch.to_owned())
}

/// A number in a header.
pub(super) fn number<T: std::str::FromStr>(headers: &HeaderMap, name: &str) -> Option<T> {
    headers.get(name)?.as_str().parse().ok()
}

/// Which part of how many a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) at: usize,
    pub(super) of: usize,
}

impl Part {
    pub(super) const WHOLE: Part = Part { at: 1, of: 1 };

    pub(super) fn text(self) -> String {
        format!("{}/{}", self.at, self.of)
    }

    /// What the headers of a message say.
    pub(super) fn of(headers: &HeaderMap) -> Option<Part> {
        let Some(text) = headers.get(PART) else { return Some(Part::WHOLE) };
        let (at, of) = text.as_str().split_once('/')?;
        let part = Part { at: at.parse().ok()?, of: of.parse().ok()? };
        (1..=part.of).contains(&part.at).then_some(part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_description_tells_the_lives() {
        let text = description("e1", "l1");
        assert_eq!(epoch_of(Some(&text), "l1").as_deref(), Some("e1"));
        assert_eq!(epoch_of(Some(&text), "l2"), None);
        assert_eq!(epoch_of(Some("something"), "l1"), None);
        assert_eq!(epoch_of(None, "l1"), None);
    }

    #[test]
    fn parts_are_read_from_headers() {
        let mut headers = HeaderMap::new();
        assert_eq!(Part::of(&headers), Some(Part::WHOLE));
        headers.insert(PART, Part { at: 2, of: 5 }.text().as_str());
        assert_eq!(Part::of(&headers), Some(Part { at: 2, of: 5 }));
        for wrong in ["0/5", "6/5", "x", "1/", "-1/2"] {
            headers.insert(PART, wrong);
            assert_eq!(Part::of(&headers), None, "{wrong}");
        }
    }
}
