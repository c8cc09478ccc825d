//! Named wrong behaviours, for the harness's self-test: a suite that does not notice them proves nothing.
//!
//! `fault!("name")` stands at the very spot in the code and is true while that fault is chosen. Without the feature
//! `faults` it is the constant `false`, so that nothing of it is left in the program. With the feature one fault at a
//! time is chosen, for the whole process: by [`choose`], or by the environment variable `REFERENCE_SERVER_FAULT`
//! when the server starts.

mod table;

pub use table::FAULTS;

#[cfg(feature = "faults")]
use std::sync::atomic::{AtomicUsize, Ordering};

/// True while the named fault is chosen. A name that is not in [`FAULTS`] does not compile.
macro_rules! fault {
    ($name:literal) => {{
        const NUMBER: usize = $crate::faults::number($name);
        $crate::faults::is_chosen(NUMBER)
    }};
}

/// One wrong behaviour.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    /// Its name.
    pub name: &'static str,
    /// What is wrong.
    pub wrong: &'static str,
    /// The requirements that it breaks.
    pub breaks: &'static [&'static str],
    /// Whether it takes a second node to see it.
    pub is_shared: bool,
    /// Whether it takes a server that is set up for it, and a look beyond its answers.
    pub is_within: bool,
}

/// True when this program can be wrong on purpose.
pub const AVAILABLE: bool = cfg!(feature = "faults");

/// The environment variable that names the fault of a server.
pub const VARIABLE: &str = "REFERENCE_SERVER_FAULT";

/// No fault has this name.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no fault '{0}'")]
pub struct Unknown(pub String);

const fn fault(name: &'static str, wrong: &'static str, breaks: &'static [&'static str]) -> Fault {
    Fault { name, wrong, breaks, is_shared: false, is_within: false }
}

/// A fault that only several nodes show.
const fn shared(name: &'static str, wrong: &'static str, breaks: &'static [&'static str]) -> Fault {
    Fault { is_shared: true, ..fault(name, wrong, breaks) }
}

/// A fault that answers of the operations do not show, but handshakes, files and the like.
const fn within(name: &'static str, wrong: &'static str, breaks: &'static [&'static str]) -> Fault {
    Fault { is_within: true, ..fault(name, wrong, breaks) }
}

/// The place of a fault in the table.
pub(crate) const fn number(name: &str) -> usize {
    let mut at = 0;
    while at < FAULTS.len() {
        if same(FAULTS[at].name, name) {
            return at;
        }
        at += 1;
    }
    panic!("no such fault")
}

const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut at = 0;
    while at < a.len() {
        if a[at] != b[at] {
            return false;
        }
        at += 1;
    }
    true
}

#[cfg(feature = "faults")]
static CHOSEN: AtomicUsize = AtomicUsize::new(usize::MAX);

#[cfg(feature = "faults")]
pub(crate) fn is_chosen(number: usize) -> bool {
    CHOSEN.load(Ordering::Relaxed) == number
}

#[cfg(not(feature = "faults"))]
pub(crate) const fn is_chosen(_: usize) -> bool {
    false
}

/// Chooses a fault for the whole process, or none. Without the feature nothing comes of it.
///
/// # Errors
/// When there is no fault of that name.
pub fn choose(name: Option<&str>) -> Result<(), Unknown> {
    let number = match name {
        None => usize::MAX,
        Some(name) => {
            FAULTS.iter().position(|fault| fault.name == name).ok_or_else(|| Unknown(name.to_owned()))?
        }
    };
    #[cfg(feature = "faults")]
    CHOSEN.store(number, Ordering::Relaxed);
    #[cfg(not(feature = "faults"))]
    let _ = number;
    Ok(())
}

/// Chooses the fault that the environment names, if it names one.
///
/// # Errors
/// When there is no fault of that name.
pub fn choose_from_environment() -> Result<(), Unknown> {
    match std::env::var(VARIABLE) {
        Ok(name) if AVAILABLE && !name.is_empty() => choose(Some(&name)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_fault_has_a_name_of_its_own_and_breaks_something() {
        let names: BTreeSet<&str> = FAULTS.iter().map(|fault| fault.name).collect();
        assert_eq!(names.len(), FAULTS.len());
        for fault in FAULTS {
            assert!(!fault.breaks.is_empty(), "{} breaks nothing", fault.name);
            for requirement in fault.breaks {
                assert!(
                    spec::registry().requirement(requirement).is_some(),
                    "{} breaks {requirement}",
                    fault.name
                );
            }
        }
    }

    #[test]
    fn every_fault_stands_somewhere_in_the_code() {
        fn text_below(folder: &std::path::Path, out: &mut String) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    text_below(&path, out);
                } else {
                    out.push_str(&std::fs::read_to_string(path).unwrap());
                }
            }
        }
        let mut text = String::new();
        text_below(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut text);
        let lost: Vec<&str> = FAULTS
            .iter()
            .map(|fault| fault.name)
            .filter(|name| !text.contains(&format!("fault!(\"{name}\")")))
            .collect();
        assert_eq!(lost, [""; 0], "these stand nowhere");
    }

    #[test]
    fn unknown_faults_are_told() {
        assert_eq!(choose(Some("no such")), Err(Unknown("no such".to_owned())));
    }
}
