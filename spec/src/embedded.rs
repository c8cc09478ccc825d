//! The texts of `schemas/`, put in by the build script.

/// One operation file, not parsed yet.
pub(crate) struct EmbeddedOperation {
    pub(crate) name: &'static str,
    pub(crate) category: &'static str,
    pub(crate) text: &'static str,
}

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// The meta-schema operation files are written by.
pub(crate) const META: &str = include_str!("../../schemas/meta/operation.schema.json");
