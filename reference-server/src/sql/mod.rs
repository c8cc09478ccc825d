//! The operation `sql`: statements over schemaless records, with the value rules of the JavaScript engine they were
//! defined by.
//!
//! A text becomes a [`ast::Statement`] (`parse`), its permissions are checked (`permissions`), its names resolved
//! against the databases (`scope`) and its expressions made ready to run (`compile`, `node`). Conditions on keys and
//! indexes narrow the candidates (`access_path`); the whole condition is evaluated on what is left (`select`, `join`,
//! `group`). INSERT, UPDATE and DELETE (`writes`) go through the code of the operations of the same names.

mod access_path;
mod aggregate;
pub mod ast;
mod compile;
mod deadline;
mod errors;
pub mod functions;
mod group;
mod join;
mod node;
mod outputs;
mod page;
pub mod parse;
mod permissions;
pub mod print;
mod run;
mod scope;
mod select;
mod shapes;
mod sink;
mod sorting;
#[cfg(test)]
mod tests;
pub mod value;
mod writes;

pub use run::{check_search, run, select};

/// Which generation of the engine is followed where they answer differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// That of versions 4.x, 5.0 and 5.1, quirks included.
    Legacy,
    /// That of version 5.2, and the documentation.
    Documented,
}

impl Engine {
    /// The engine of a configured name.
    ///
    /// # Errors
    /// Why the name is none.
    pub fn named(name: &str) -> Result<Engine, String> {
        match name {
            "legacy" => Ok(Engine::Legacy),
            "auto" => Ok(Engine::Documented),
            _ => Err(format!("'{name}' is neither legacy nor auto")),
        }
    }
}
