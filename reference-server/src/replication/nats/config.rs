//! The configuration of the child, as text.

use crate::replication::names;
use std::path::{Path, PathBuf};

/// The largest message; what is larger travels in parts.
const MAX_PAYLOAD: usize = 8 << 20;
/// What one connection may have waiting to be read.
const MAX_PENDING: usize = 64 << 20;
/// The largest log before the next is begun.
const LARGEST_LOG: usize = 4 << 20;

/// What the child is told.
pub(super) struct Settings<'a> {
    /// The folder with everything of the child.
    pub(super) folder: &'a Path,
    /// The name of this node.
    pub(super) node: &'a str,
    /// The password of the user `self`, who may do everything.
    pub(super) own_password: &'a str,
    /// The password of the user `peer`, for other nodes.
    pub(super) peer_password: &'a str,
}

/// The file with the process id of the child.
pub(super) fn pid_file(folder: &Path) -> PathBuf {
    folder.join("nats-server.pid")
}

/// The file with the configuration.
pub(super) fn file(folder: &Path) -> PathBuf {
    folder.join("nats-server.conf")
}

/// What others may ask for: reading streams, and what [`names`] says is answered here.
const OTHERS_PUBLISH: &[&str] = &[
    "$JS.API.STREAM.INFO.>",
    "$JS.API.STREAM.MSG.GET.>",
    "$JS.API.CONSUMER.CREATE.>",
    "$JS.API.CONSUMER.INFO.>",
    "$JS.API.CONSUMER.DELETE.>",
    "$JS.API.CONSUMER.MSG.NEXT.>",
    "_INBOX.>",
];

impl Settings<'_> {
    pub(super) fn text(&self) -> String {
        let path = |path: PathBuf| quoted(&path.to_string_lossy());
        let publish = OTHERS_PUBLISH.iter().map(|subject| (*subject).to_owned());
        let publish: Vec<_> =
            publish.chain(names::REQUESTS.map(str::to_owned)).map(|text| quoted(&text)).collect();
        format!(
            "# Made at every start; changes are lost.\n\
             server_name: {name}\n\
             listen: \"127.0.0.1:-1\"\n\
             ports_file_dir: {folder}\n\
             pid_file: {pid}\n\
             log_file: {log}\n\
             logfile_size_limit: {LARGEST_LOG}\n\
             max_payload: {MAX_PAYLOAD}\n\
             max_pending: {MAX_PENDING}\n\
             jetstream {{ store_dir: {store}, max_memory_store: 64MB, max_file_store: 1TB }}\n\
             authorization {{\n\
             \x20 users: [\n\
             \x20   {{ user: self, password: {own} }}\n\
             \x20   {{ user: peer, password: {peer}, permissions: {{\n\
             \x20     publish: {{ allow: [{publish}] }}\n\
             \x20     subscribe: {{ allow: [\"_INBOX.>\"] }}\n\
             \x20   }} }}\n\
             \x20 ]\n\
             }}\n",
            name = quoted(&names::digest(self.node)),
            folder = path(self.folder.to_owned()),
            pid = path(pid_file(self.folder)),
            log = path(self.folder.join("nats-server.log")),
            store = path(self.folder.join("store")),
            own = quoted(self.own_password),
            peer = quoted(self.peer_password),
            publish = publish.join(", "),
        )
    }
}

/// A text between quotes. Backslashes and quotes in paths are doubled away.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_listens_on_loopback_only_and_others_may_only_read_and_ask() {
        let settings =
            Settings { folder: Path::new("/a b"), node: "n.one", own_password: "x", peer_password: "y" };
        let text = settings.text();
        assert!(text.contains("listen: \"127.0.0.1:-1\""), "{text}");
        assert!(text.contains("store_dir: \"/a b/store\""), "{text}");
        let peer = text.split("user: peer").nth(1).unwrap();
        assert!(!peer.contains("STREAM.DELETE") && !peer.contains("STREAM.PURGE") && !peer.contains("\">\""));
        assert!(peer.contains("\"hdb.op.*\""), "{peer}");
    }
}
