//! The nats-server of this node: a child process that listens on loopback only.
