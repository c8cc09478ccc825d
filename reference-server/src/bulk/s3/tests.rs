//! Against a real S3 server in this process, with signatures checked.

use super::*;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use std::path::PathBuf;
use tokio::net::TcpListener;

/// An S3 server with a bucket named `orchard`.
pub(crate) struct Store {
    pub(crate) endpoint: String,
    pub(crate) folder: tempfile::TempDir,
    task: tokio::task::JoinHandle<()>,
}

impl Store {
    pub(crate) async fn start() -> Store {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("orchard")).unwrap();
        let mut builder = S3ServiceBuilder::new(s3s_fs::FileSystem::new(folder.path()).unwrap());
        builder.set_auth(SimpleAuth::from_single("key", "secret"));
        let service = builder.build();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let service = service.clone();
                tokio::spawn(async move {
                    let protocol = auto::Builder::new(TokioExecutor::new());
                    let _ = protocol.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Store { endpoint, folder, task }
    }

    fn limits(&self) -> Bulk {
        Bulk { s3_endpoint: Some(self.endpoint.clone()), ..Bulk::default() }
    }

    fn object(&self, key: &str) -> PathBuf {
        self.folder.path().join("orchard").join(key)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn location(bucket: &str, key: &str, secret: &str) -> Location {
    Location {
        access_key: "key".to_owned(),
        secret_key: secret.to_owned(),
        bucket: bucket.to_owned(),
        region: "us-east-1".to_owned(),
        key: key.to_owned(),
    }
}

async fn put(store: &Store, key: &str, content: &[u8]) -> Value {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), content).unwrap();
    location("orchard", key, "secret").put(&store.limits(), file.path()).await.unwrap()
}

async fn fetched(store: &Store, location: &Location, limits: &Bulk) -> Result<Vec<u8>, String> {
    let folder = tempfile::tempdir().unwrap();
    let _ = store;
    let file = location.fetch(limits, folder.path()).await.map_err(|error| error.message)?;
    Ok(std::fs::read(&file).unwrap())
}

#[tokio::test]
async fn files_go_there_and_back() {
    let store = Store::start().await;
    let told = put(&store, "out/a b.csv", b"id\n1").await;
    assert_eq!(told.get("Key"), Some(&Value::from("out/a b.csv")));
    assert_eq!(told.get("Bucket"), Some(&Value::from("orchard")));
    assert!(matches!(told.get("ETag"), Some(Value::String(_))), "{told:?}");
    assert_eq!(std::fs::read(store.object("out/a b.csv")).unwrap(), b"id\n1");
    let back = location("orchard", "out/a b.csv", "secret");
    assert_eq!(fetched(&store, &back, &store.limits()).await.unwrap(), b"id\n1");
    let limits = Bulk { max_size: 3, ..store.limits() };
    assert_eq!(fetched(&store, &back, &limits).await.unwrap_err(), "the file is larger than 3 bytes");
}

#[tokio::test]
async fn large_files_go_in_parts() {
    let store = Store::start().await;
    let content: Vec<u8> = (0..2 * PART + 17).map(|at| (at % 251) as u8).collect();
    put(&store, "large.json", &content).await;
    assert!(std::fs::read(store.object("large.json")).unwrap() == content);
    let back = fetched(&store, &location("orchard", "large.json", "secret"), &store.limits()).await;
    assert!(back.unwrap() == content);
}

#[tokio::test]
async fn refusals_are_told_in_the_words_of_the_store() {
    let store = Store::start().await;
    let told = async |bucket: &str, key: &str, secret: &str| {
        fetched(&store, &location(bucket, key, secret), &store.limits()).await.unwrap_err()
    };
    assert_eq!(told("orchard", "none.csv", "secret").await, "The specified key does not exist.");
    let refused = told("orchard", "none.csv", "wrong").await;
    assert!(refused.to_lowercase().contains("signature"), "{refused}");
    assert_eq!(told("../x", "a.csv", "secret").await, "The specified bucket is not valid.");
    let elsewhere =
        Location { region: "evil.example/#".to_owned(), ..location("orchard", "a.csv", "secret") };
    let limits = Bulk::default();
    assert_eq!(fetched(&store, &elsewhere, &limits).await.unwrap_err(), "The specified region is not valid.");
    for key in ["key\n", "k\u{0}y", "k\u{7f}", "schlüssel", "a key"] {
        let strange = Location { access_key: key.to_owned(), ..location("orchard", "a.csv", "secret") };
        assert_eq!(
            fetched(&store, &strange, &limits).await.unwrap_err(),
            "The specified aws_access_key_id is not valid.",
            "{key:?}"
        );
    }
}

#[test]
fn error_documents_are_read() {
    let text = "404: <Error><Code>NoSuchKey</Code><Message>No &lt;such&gt; key &amp; so</Message></Error>";
    assert_eq!(element_in(text, "Message").unwrap(), "No <such> key & so");
    assert_eq!(
        usual_message(&element_in(text, "Code").unwrap()).unwrap(),
        "The specified key does not exist."
    );
    assert_eq!(element_in("nothing", "Code"), None);
}

#[test]
fn buckets_may_be_named_in_the_host_name() {
    let limits = Bulk { s3_virtual_hosted: true, ..Bulk::default() };
    assert_eq!(location("b", "k", "s").endpoint("http://host:9/", &limits), "http://b.host:9");
    assert_eq!(location("b", "k", "s").endpoint("http://host:9/", &Bulk::default()), "http://host:9");
}
