//! Which components were loaded. This server runs no component code: a component counts as loaded once it was
//! deployed, or was there at a start.

use crate::value::{Object, Value, object};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::time::{SystemTime, UNIX_EPOCH};

/// The times at which components were loaded, by name.
#[derive(Debug, Default)]
pub(super) struct Loaded {
    by_name: Mutex<HashMap<String, Times>>,
}

#[derive(Clone, Copy, Debug)]
struct Times {
    worker: f64,
    main: Option<f64>,
}

impl Loaded {
    /// A deployment loaded the component in a worker.
    pub(super) fn deployed(&self, name: &str) {
        let now = now();
        let mut by_name = self.by_name.lock();
        by_name
            .entry(name.to_owned())
            .and_modify(|times| times.worker = now)
            .or_insert(Times { worker: now, main: None });
    }

    /// A start loaded all of these.
    pub(super) fn started(&self, names: impl IntoIterator<Item = String>) {
        let now = now();
        let mut by_name = self.by_name.lock();
        by_name.extend(names.into_iter().map(|name| (name, Times { worker: now, main: Some(now) })));
    }

    /// What a listing says of a component.
    pub(super) fn status(&self, name: &str) -> Value {
        match self.by_name.lock().get(name) {
            Some(times) => object([
                ("status", Value::from("healthy")),
                ("message", Value::from("All components loaded successfully")),
                ("lastChecked", times.to_value()),
            ]),
            None => object([
                ("status", Value::from("unknown")),
                ("message", Value::from("The component has not been loaded yet (may need a restart)")),
                ("lastChecked", object([("workers", Value::from(Object::new()))])),
            ]),
        }
    }

    /// The names of all that were loaded, in order.
    pub(super) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.by_name.lock().keys().cloned().collect();
        names.sort_unstable();
        names
    }
}

impl Times {
    fn to_value(self) -> Value {
        let workers = object([("0", Value::from(self.worker))]);
        match self.main {
            Some(main) => object([("workers", workers), ("main", Value::from(main))]),
            None => object([("workers", workers)]),
        }
    }
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_millis() as f64)
}
