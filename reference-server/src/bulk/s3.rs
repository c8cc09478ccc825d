//! Files in S3 stores.

use super::scratch::Scratch;
use crate::config::Bulk;
use crate::error::OperationError;
use crate::value::{Object, Value, object};
use futures_util::TryStreamExt;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path as Key;
use object_store::{ClientOptions, ObjectStoreExt, PutResult, RetryConfig, WriteMultipart};
use std::error::Error;
use std::path::Path;
use std::time::Duration;
use tempfile::TempPath;
use tokio::io::AsyncReadExt;

/// Files up to this size are sent in one request, larger ones in parts of this size.
const PART: usize = 8 << 20;
/// How many parts are on their way at a time.
const PARTS_AT_A_TIME: usize = 2;
/// How often a request is tried again.
const RETRIES: usize = 3;
/// For how long requests are tried again.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// Where an object lies, and the credentials to get there.
#[derive(Clone)]
pub struct Location {
    access_key: String,
    secret_key: String,
    bucket: String,
    region: String,
    /// The name of the object.
    pub key: String,
}

impl Location {
    /// The location that an `s3` object of a request, found right before, tells.
    pub fn of(s3: &Object) -> Location {
        let text = |name: &str| s3.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        Location {
            access_key: text("aws_access_key_id"),
            secret_key: text("aws_secret_access_key"),
            bucket: text("bucket"),
            region: text("region"),
            key: text("key"),
        }
    }

    fn store(&self, limits: &Bulk) -> Result<AmazonS3, OperationError> {
        // Both become part of the store's host name or path: nothing in them may lead elsewhere.
        let plain = |text: &str| {
            !text.is_empty()
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
        };
        if !plain(&self.bucket) {
            return Err(OperationError::invalid("The specified bucket is not valid."));
        }
        if !plain(&self.region) {
            return Err(OperationError::invalid("The specified region is not valid."));
        }
        // It goes into a header.
        if !self.access_key.bytes().all(|byte| matches!(byte, b'!'..=b'~')) {
            return Err(OperationError::invalid("The specified aws_access_key_id is not valid."));
        }
        super::tls_ready();
        let options =
            ClientOptions::new().with_timeout(limits.url_timeout).with_connect_timeout(CONNECT_TIMEOUT);
        let retry = RetryConfig { max_retries: RETRIES, retry_timeout: PATIENCE, ..RetryConfig::default() };
        let mut builder = AmazonS3Builder::new()
            .with_client_options(options)
            .with_retry(retry)
            .with_access_key_id(&self.access_key)
            .with_secret_access_key(&self.secret_key)
            .with_bucket_name(&self.bucket)
            .with_region(&self.region)
            .with_virtual_hosted_style_request(limits.s3_virtual_hosted);
        if let Some(endpoint) = &limits.s3_endpoint {
            builder = builder.with_endpoint(self.endpoint(endpoint, limits)).with_allow_http(true);
        }
        builder.build().map_err(failure)
    }

    /// The endpoint as requests go to it: with the bucket in the host name where that is asked for.
    fn endpoint(&self, endpoint: &str, limits: &Bulk) -> String {
        let endpoint = endpoint.trim_end_matches('/');
        match endpoint.split_once("://") {
            Some((scheme, host)) if limits.s3_virtual_hosted => format!("{scheme}://{}.{host}", self.bucket),
            _ => endpoint.to_owned(),
        }
    }

    fn key(&self) -> Result<Key, OperationError> {
        Key::parse(&self.key).map_err(|error| OperationError::invalid(error.to_string()))
    }

    /// Fetches the object into the folder for temporary files.
    ///
    /// # Errors
    /// What the store says.
    pub async fn fetch(&self, limits: &Bulk, folder: &Path) -> Result<TempPath, OperationError> {
        let found = self.store(limits)?.get(&self.key()?).await.map_err(failure)?;
        let mut file = Scratch::new(folder, limits.max_size).await?;
        let mut chunks = found.into_stream();
        while let Some(chunk) = chunks.try_next().await.map_err(failure)? {
            file.write(&chunk).await?;
        }
        file.finish().await
    }

    /// Stores a file as the object; gives what a client is told of it.
    ///
    /// # Errors
    /// What the store says.
    pub async fn put(&self, limits: &Bulk, file: &Path) -> Result<Value, OperationError> {
        let store = self.store(limits)?;
        let key = self.key()?;
        let mut file = tokio::fs::File::open(file).await?;
        let size = file.metadata().await?.len();
        let stored = if size <= PART as u64 {
            let mut bytes = Vec::with_capacity(size as usize);
            file.read_to_end(&mut bytes).await?;
            store.put(&key, bytes.into()).await.map_err(failure)?
        } else {
            put_parts(&store, &key, file).await?
        };
        let endpoint = match &limits.s3_endpoint {
            Some(endpoint) => self.endpoint(endpoint, limits),
            None => format!("https://s3.{}.amazonaws.com", self.region),
        };
        let bucket = if limits.s3_virtual_hosted { String::new() } else { format!("/{}", self.bucket) };
        Ok(object([
            ("ETag", stored.e_tag.map_or(Value::Null, Value::String)),
            ("Bucket", Value::from(self.bucket.as_str())),
            ("Key", Value::from(self.key.as_str())),
            ("Location", Value::String(format!("{endpoint}{bucket}/{}", self.key))),
        ]))
    }
}

async fn put_parts(
    store: &AmazonS3,
    key: &Key,
    mut file: tokio::fs::File,
) -> Result<PutResult, OperationError> {
    let upload = store.put_multipart(key).await.map_err(failure)?;
    let mut upload = WriteMultipart::new_with_chunk_size(upload, PART);
    let mut buffer = vec![0; 256 << 10];
    let copied = async {
        loop {
            let read = file.read(&mut buffer).await?;
            let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else {
                return Ok::<(), OperationError>(());
            };
            upload.wait_for_capacity(PARTS_AT_A_TIME).await.map_err(failure)?;
            upload.write(bytes);
        }
    };
    match copied.await {
        Ok(()) => upload.finish().await.map_err(failure),
        Err(error) => {
            // What was sent already is not to stay; that this may fail too changes nothing.
            let _ = upload.abort().await;
            Err(error)
        }
    }
}

/// What the store said, in its own words where it used any.
fn failure(error: object_store::Error) -> OperationError {
    let mut texts = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(inner) = cause {
        texts.push(inner.to_string());
        cause = inner.source();
    }
    let own = texts.iter().find_map(|text| element_in(text, "Message").filter(|message| !message.is_empty()));
    let usual = || texts.iter().find_map(|text| usual_message(&element_in(text, "Code")?));
    let innermost = || texts.last().cloned().unwrap_or_default();
    OperationError::invalid(own.or_else(usual).unwrap_or_else(innermost))
}

/// What is said of a code by stores that say anything.
fn usual_message(code: &str) -> Option<String> {
    let message = match code {
        "NoSuchKey" => "The specified key does not exist.",
        "NoSuchBucket" => "The specified bucket does not exist",
        other => other,
    };
    Some(message.to_owned())
}

/// The text of an element of an error document.
fn element_in(text: &str, name: &str) -> Option<String> {
    let (_, after) = text.split_once(&format!("<{name}>"))?;
    let (message, _) = after.split_once(&format!("</{name}>"))?;
    let plain =
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&#39;", "'"), ("&amp;", "&")];
    Some(plain.iter().fold(message.to_owned(), |text, (escape, plain)| text.replace(escape, plain)))
}

#[cfg(test)]
mod tests;
