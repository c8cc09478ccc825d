//! The layer that turns events into lines.

use super::{Level, Log};
use arc_swap::ArcSwapOption;
use std::cell::OnceCell;
use std::fmt::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tracing::field::{Field, Visit};
use tracing::subscriber::{Interest, NoSubscriber};
use tracing::{Dispatch, Event, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Filter, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry};

/// What the targets of this program's own events begin with.
const OWN: &str = "reference_server";
/// A library that takes for errors what is told here with its meaning: connections that come and go.
const ALARMED: &str = "async_nats";

/// Turns events into lines of a server's log, once it is [connected](connect) to one.
#[derive(Clone, Default)]
pub struct FileLayer {
    log: Arc<ArcSwapOption<Log>>,
}

/// Sends the events of the whole process to the standard error stream (`RUST_LOG` says which, warnings without it), and
/// to the log of the server that is opened next.
pub fn subscribe() {
    let layer = FileLayer::default();
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(format!("warn,{ALARMED}=off")));
    let stderr = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_filter(filter);
    tracing_subscriber::registry().with(layer.clone().with_filter(layer)).with(stderr).init();
}

/// What sends the events of some threads to the log of the server that is opened on one of them.
pub fn dispatch() -> Dispatch {
    let layer = FileLayer::default();
    Dispatch::new(Registry::default().with(layer.clone().with_filter(layer)))
}

/// True when nobody gets the events of the current thread.
pub fn is_unheard() -> bool {
    tracing::dispatcher::get_default(|dispatch| dispatch.is::<NoSubscriber>())
}

/// Lets the events of the current thread's dispatcher go to a log from now on.
pub fn connect(log: &Arc<Log>) {
    tracing::dispatcher::get_default(|dispatch| {
        if let Some(layer) = dispatch.downcast_ref::<FileLayer>() {
            layer.log.store(Some(log.clone()));
        }
    });
}

impl<S: Subscriber> Layer<S> for FileLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let log = self.log.load();
        let Some(log) = log.as_ref() else { return };
        let mut said = Said::default();
        event.record(&mut said);
        let level = match () {
            () if said.notify => Level::Notify,
            () if said.fatal => Level::Fatal,
            () => Level::from(*event.metadata().level()),
        };
        let tags: Vec<&str> = said.tags.split(',').filter(|tag| !tag.is_empty()).collect();
        let message = format!("{}{}", said.message, said.fields);
        with_thread(&said.thread, |thread| log.write(level, thread, &tags, &message));
    }
}

/// The level changes with the log, so it is asked for each event; the many small events of libraries are left out for
/// good, as they would cost time in every request.
impl<S> Filter<S> for FileLayer {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        let log = self.log.load();
        let Some(log) = log.as_ref() else { return false };
        let above_all = ["notify", "fatal"].iter().any(|name| metadata.fields().field(name).is_some());
        above_all || Level::from(*metadata.level()) >= log.level()
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        let wanted = metadata.is_event()
            && (metadata.target().starts_with(OWN) || *metadata.level() <= tracing::Level::WARN)
            && !metadata.target().starts_with(ALARMED);
        if wanted { Interest::sometimes() } else { Interest::never() }
    }
}

/// What an event says.
#[derive(Default)]
struct Said {
    notify: bool,
    fatal: bool,
    thread: String,
    tags: String,
    message: String,
    /// The other fields, each with a blank before it.
    fields: String,
}

impl Visit for Said {
    fn record_bool(&mut self, field: &Field, value: bool) {
        match field.name() {
            "notify" => self.notify = value,
            "fatal" => self.fatal = value,
            _ => self.record_debug(field, &value),
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => self.message.push_str(value),
            "thread" => value.clone_into(&mut self.thread),
            "tags" => value.clone_into(&mut self.tags),
            _ => self.record_debug(field, &value),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a string does not fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            "thread" => write!(self.thread, "{value:?}"),
            "tags" => write!(self.tags, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}

/// Calls with the name given, or else with that of the current thread: `http/n` for those that serve requests, `main/0`
/// for the others.
fn with_thread<T>(given: &str, call: impl FnOnce(&str) -> T) -> T {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    thread_local! {
        static NAME: OnceCell<String> = const { OnceCell::new() };
    }
    if !given.is_empty() {
        return call(given);
    }
    NAME.with(|name| {
        let own = || match std::thread::current().name() {
            Some(thread) if thread.starts_with("tokio") => {
                format!("http/{}", NEXT.fetch_add(1, Ordering::Relaxed))
            }
            _ => "main/0".to_owned(),
        };
        call(name.get_or_init(own))
    })
}
