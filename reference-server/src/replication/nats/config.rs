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
    /// The users for other nodes.
    pub(super) guests: &'a [Guest],
}

/// A user for another node.
#[derive(Clone)]
pub(super) struct Guest {
    /// What it may do.
    pub(super) admission: Admission,
    /// Its password: another one whenever it may do something else, which ends the connections made with the last.
    pub(super) password: String,
}

/// What another node may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::replication) struct Admission {
    /// The name of the node.
    pub(in crate::replication) node: String,
    /// The streams that it may read; `None` for all.
    pub(in crate::replication) streams: Option<Vec<String>>,
}

impl Guest {
    /// The name of the user.
    pub(super) fn user(&self) -> String {
        format!("peer-{}", names::digest(&self.admission.node))
    }

    /// What it may send to `node`, whose server this is: requests to read its streams, and those that [`names`] says
    /// are answered.
    fn publishes(&self, node: &str) -> Vec<String> {
        let streams = match &self.admission.streams {
            Some(streams) => streams.iter().map(String::as_str).collect(),
            None => vec!["*"],
        };
        let read = |stream: &&str| READ.map(|request| request.replace("STREAM", stream));
        let reads = streams.iter().flat_map(read);
        reads.chain(names::requests(node, &self.admission.node)).collect()
    }

    fn text(&self, node: &str) -> String {
        let publish: Vec<String> = self.publishes(node).iter().map(|subject| quoted(subject)).collect();
        format!(
            "\x20   {{ user: {user}, password: {password}, permissions: {{\n\
             \x20     publish: {{ allow: [{publish}] }}\n\
             \x20     subscribe: {{ allow: [{inbox}] }}\n\
             \x20   }} }}\n",
            user = quoted(&self.user()),
            password = quoted(&self.password),
            publish = publish.join(", "),
            inbox = quoted(&format!("{}.>", names::inbox(&self.admission.node))),
        )
    }
}

/// The file with the process id of the child.
pub(super) fn pid_file(folder: &Path) -> PathBuf {
    folder.join("nats-server.pid")
}

/// The file with the configuration.
pub(super) fn file(folder: &Path) -> PathBuf {
    folder.join("nats-server.conf")
}

/// What it takes to read a stream.
const READ: [&str; 5] = [
    "$JS.API.CONSUMER.CREATE.STREAM",
    "$JS.API.CONSUMER.CREATE.STREAM.>",
    "$JS.API.CONSUMER.INFO.STREAM.*",
    "$JS.API.CONSUMER.DELETE.STREAM.*",
    "$JS.API.CONSUMER.MSG.NEXT.STREAM.*",
];

impl Settings<'_> {
    pub(super) fn text(&self) -> String {
        let path = |path: PathBuf| quoted(&path.to_string_lossy());
        let guests: String = self.guests.iter().map(|guest| guest.text(self.node)).collect();
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
             {guests}\
             \x20 ]\n\
             }}\n",
            name = quoted(&names::digest(self.node)),
            folder = path(self.folder.to_owned()),
            pid = path(pid_file(self.folder)),
            log = path(self.folder.join("nats-server.log")),
            store = path(self.folder.join("store")),
            own = quoted(self.own_password),
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
        let guest = |node: &str, streams: Option<&[&str]>| Guest {
            admission: Admission {
                node: node.to_owned(),
                streams: streams.map(|all| all.iter().map(|one| (*one).to_owned()).collect()),
            },
            password: "y".to_owned(),
        };
        let guests = [guest("b", None), guest("c", Some(&["S1"])), guest("d", Some(&[]))];
        let settings =
            Settings { folder: Path::new("/a b"), node: "n.one", own_password: "x", guests: &guests };
        let text = settings.text();
        assert!(text.contains("listen: \"127.0.0.1:-1\""), "{text}");
        assert!(text.contains("store_dir: \"/a b/store\""), "{text}");
        let [all, some, none] = text.split("user: \"peer-").skip(1).collect::<Vec<_>>().try_into().unwrap();
        for (peer, name) in [(all, "b"), (some, "c"), (none, "d")] {
            assert!(!peer.contains("API.STREAM") && !peer.contains("\">\"") && !peer.contains("\"_INBOX.>"));
            assert!(peer.contains(&names::Request::Operate.subject("n.one", name)), "{peer}");
            assert!(peer.contains(&names::inbox(name)), "{peer}");
        }
        assert!(all.contains("CONSUMER.CREATE.*"), "{all}");
        assert!(some.contains("\"$JS.API.CONSUMER.MSG.NEXT.S1.*\"") && !some.contains("CREATE.*"), "{some}");
        assert!(!none.contains("$JS"), "{none}");
    }
}
