//! A store of objects that speaks S3, kept in memory. It knows one bucket and one pair of keys, and checks signatures.

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures_util::TryStreamExt as _;
use s3s::auth::SimpleAuth;
use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, CompleteMultipartUploadInput,
    CompleteMultipartUploadOutput, CreateMultipartUploadInput, CreateMultipartUploadOutput, ETag,
    GetObjectInput, GetObjectOutput, HeadObjectInput, HeadObjectOutput, PutObjectInput, PutObjectOutput,
    StreamingBlob, UploadPartInput, UploadPartOutput,
};
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{Body, S3, S3Request, S3Response, S3Result, s3_error};
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The bucket that scenarios use.
const BUCKET: &str = "bjl-orchard";

/// The access key and its secret that scenarios use.
const KEYS: (&str, &str) = ("AKIAORCHARDEXAMPLE", "not-a-real-secret");

/// What the bucket holds at first.
const OBJECTS: [(&str, &str); 11] = [
    ("in/apples.csv", "id,name,kg\n1,Cox,12.5\n2,Gala,8\n"),
    ("in/pears.json", r#"[{"id":1,"name":"Conference"},{"id":2,"name":"Williams","kg":3}]"#),
    ("in/not-array.json", r#"{"id":1,"name":"Lone"}"#),
    ("in/broken.json", r#"[{"id":1,"#),
    ("in/bad-column.csv", "id,na/me\n1,x\n"),
    ("in/empty.csv", ""),
    ("in/no-keys.csv", "name,kg\nCox,12.5\nGala,8\n"),
    ("in/never.csv", "id,name,never\n1,Cox\n"),
    ("in/nested.csv", "id,spec,sizes\n1,\"{\"\"kg\"\":2}\",\"[1,\"\"two\"\"]\"\n2,plain,[oops\n"),
    ("in/empty.json", "[]"),
    (
        "in/typed.json",
        r#"[{"id":"p1","fresh":true,"tags":["a","b"],"spec":{"w":2},"nothing":null,"num":"12","text":"{\"k\":1}"}]"#,
    ),
];

/// The store as a service for HTTP.
pub(super) fn service() -> S3Service {
    let mut builder = S3ServiceBuilder::new(Store::new());
    builder.set_auth(SimpleAuth::from_single(KEYS.0, KEYS.1));
    builder.build()
}

#[derive(Default)]
struct Shelves {
    objects: HashMap<String, Bytes>,
    /// Parts of objects that are not whole yet, by the number of the upload.
    uploads: HashMap<String, BTreeMap<i32, Bytes>>,
    begun: usize,
}

struct Store(Mutex<Shelves>);

impl Store {
    fn new() -> Store {
        let objects =
            OBJECTS.iter().map(|(key, text)| ((*key).to_owned(), Bytes::from_static(text.as_bytes())));
        Store(Mutex::new(Shelves { objects: objects.collect(), ..Shelves::default() }))
    }

    fn shelves(&self) -> MutexGuard<'_, Shelves> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn object(&self, bucket: &str, key: &str) -> S3Result<Bytes> {
        check(bucket)?;
        let found = self.shelves().objects.get(key).cloned();
        found.ok_or_else(|| s3_error!(NoSuchKey, "The specified key does not exist."))
    }
}

fn check(bucket: &str) -> S3Result<()> {
    match bucket {
        BUCKET => Ok(()),
        _ => Err(s3_error!(NoSuchBucket, "The specified bucket does not exist")),
    }
}

fn no_such_upload() -> s3s::S3Error {
    s3_error!(NoSuchUpload, "The specified multipart upload does not exist.")
}

fn tag(content: &[u8]) -> ETag {
    let digest = Md5::checksum(content);
    let hex = digest.as_ref().iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    ETag::Strong(hex)
}

async fn content(body: Option<StreamingBlob>) -> S3Result<Bytes> {
    let body = body.ok_or_else(|| s3_error!(IncompleteBody))?;
    let whole = body.try_fold(BytesMut::new(), |mut whole, chunk| async move {
        whole.extend_from_slice(&chunk);
        Ok(whole)
    });
    let whole = whole.await.map_err(|_| s3_error!(IncompleteBody))?;
    Ok(whole.freeze())
}

fn length(content: &Bytes) -> Option<i64> {
    i64::try_from(content.len()).ok()
}

#[async_trait]
impl S3 for Store {
    async fn get_object(&self, request: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        let input = request.input;
        let whole = self.object(&input.bucket, &input.key)?;
        let e_tag = Some(tag(&whole));
        let (part, content_range) = match input.range {
            None => (whole, None),
            Some(range) => {
                let size = whole.len() as u64;
                let range = range.check(size)?;
                let told = format!("bytes {}-{}/{size}", range.start, range.end.saturating_sub(1));
                let within = usize::try_from(range.start).unwrap_or(usize::MAX)
                    ..usize::try_from(range.end).unwrap_or(usize::MAX);
                (whole.slice(within), Some(told))
            }
        };
        Ok(S3Response::new(GetObjectOutput {
            content_length: length(&part),
            body: Some(StreamingBlob::from(Body::from(part))),
            content_range,
            content_type: "application/octet-stream".parse().ok(),
            e_tag,
            ..GetObjectOutput::default()
        }))
    }

    async fn head_object(
        &self,
        request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        let whole = self.object(&request.input.bucket, &request.input.key)?;
        Ok(S3Response::new(HeadObjectOutput {
            content_length: length(&whole),
            e_tag: Some(tag(&whole)),
            ..HeadObjectOutput::default()
        }))
    }

    async fn put_object(&self, request: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        let input = request.input;
        check(&input.bucket)?;
        let whole = content(input.body).await?;
        let e_tag = Some(tag(&whole));
        self.shelves().objects.insert(input.key, whole);
        Ok(S3Response::new(PutObjectOutput { e_tag, ..PutObjectOutput::default() }))
    }

    async fn create_multipart_upload(
        &self,
        request: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        let input = request.input;
        check(&input.bucket)?;
        let mut shelves = self.shelves();
        shelves.begun += 1;
        let upload = format!("upload-{}", shelves.begun);
        shelves.uploads.insert(upload.clone(), BTreeMap::new());
        Ok(S3Response::new(CreateMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(upload),
            ..CreateMultipartUploadOutput::default()
        }))
    }

    async fn upload_part(
        &self,
        request: S3Request<UploadPartInput>,
    ) -> S3Result<S3Response<UploadPartOutput>> {
        let input = request.input;
        let part = content(input.body).await?;
        let e_tag = Some(tag(&part));
        let mut shelves = self.shelves();
        let parts = shelves.uploads.get_mut(&input.upload_id).ok_or_else(no_such_upload)?;
        parts.insert(input.part_number, part);
        Ok(S3Response::new(UploadPartOutput { e_tag, ..UploadPartOutput::default() }))
    }

    async fn complete_multipart_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        let input = request.input;
        let mut shelves = self.shelves();
        let parts = shelves.uploads.remove(&input.upload_id).ok_or_else(no_such_upload)?;
        let whole = parts.values().fold(BytesMut::new(), |mut whole, part| {
            whole.extend_from_slice(part);
            whole
        });
        let whole = whole.freeze();
        let e_tag = Some(tag(&whole));
        shelves.objects.insert(input.key.clone(), whole);
        Ok(S3Response::new(CompleteMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            e_tag,
            ..CompleteMultipartUploadOutput::default()
        }))
    }

    async fn abort_multipart_upload(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        self.shelves().uploads.remove(&request.input.upload_id).ok_or_else(no_such_upload)?;
        Ok(S3Response::new(AbortMultipartUploadOutput::default()))
    }
}
