//! HTTP: listeners, media types, credentials, error bodies.
