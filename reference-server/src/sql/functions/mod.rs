//! The scalar functions of SQL, in one registry: what they compute, what they are called, and examples from which both
//! the documentation and tests are made.

mod arrays;
mod conversion;
mod dates;
mod geo;
mod json;
mod logical;
mod math;
mod moment;
mod registry;
mod string;

pub use conversion::{TYPES, TypeDoc, cast};
pub use registry::{FAMILIES, all, find};
pub use string::TRIM_FROM;

use super::value::Js;

/// One scalar function.
#[derive(Debug)]
pub struct Function {
    /// The name in capitals; the first of the names it has.
    pub name: &'static str,
    /// Other names, in capitals.
    pub aliases: &'static [&'static str],
    /// How its arguments are written, for the documentation: `s, pos[, len]`.
    pub signature: &'static str,
    /// The least and the greatest number of arguments.
    pub arity: (usize, usize),
    /// One line of documentation.
    pub doc: &'static str,
    /// Calls with literal arguments and the JSON text of the result; `absent` when there is none.
    pub examples: &'static [(&'static str, &'static str)],
    /// Computes it. The number of arguments is within `arity`.
    pub call: fn(&[Js]) -> Result<Js, FunctionError>,
}

/// The families of functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// Texts.
    String,
    /// Numbers.
    Math,
    /// Choice between values.
    Logical,
    /// Change of kind.
    Conversion,
    /// Dates and times.
    Date,
    /// Lists.
    Array,
    /// JSONata over documents.
    Json,
    /// Shapes on the globe.
    Geo,
}

impl Family {
    /// The heading of the family.
    pub fn title(self) -> &'static str {
        match self {
            Family::String => "String",
            Family::Math => "Mathematical",
            Family::Logical => "Logical",
            Family::Conversion => "Conversion",
            Family::Date => "Date and time",
            Family::Array => "Arrays",
            Family::Json => "JSON documents",
            Family::Geo => "Geospatial",
        }
    }
}

/// Why a function gave no value: the statement fails. The text is for the log, the client sees a general one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FunctionError(pub String);

impl FunctionError {
    /// An error with a text.
    pub fn new(text: impl Into<String>) -> FunctionError {
        FunctionError(text.into())
    }
}

impl Function {
    /// A function: its name and other names, how its arguments are written and how many there can be, one line of
    /// documentation, examples, and what computes it.
    const fn new(
        name: &'static str,
        aliases: &'static [&'static str],
        signature: &'static str,
        arity: (usize, usize),
        doc: &'static str,
        examples: &'static [(&'static str, &'static str)],
        call: fn(&[Js]) -> Result<Js, FunctionError>,
    ) -> Function {
        Function { name, aliases, signature, arity, doc, examples, call }
    }

    /// Calls the function.
    ///
    /// # Errors
    /// When the number of arguments is not one it takes, or the function fails on them.
    pub fn apply(&self, arguments: &[Js]) -> Result<Js, FunctionError> {
        let (least, most) = self.arity;
        if arguments.len() < least || arguments.len() > most {
            return Err(FunctionError(format!("{} does not take {} arguments", self.name, arguments.len())));
        }
        (self.call)(arguments)
    }
}

/// An argument, absent when it was not given.
fn argument(arguments: &[Js], at: usize) -> &Js {
    static ABSENT: Js = Js::Undefined;
    arguments.get(at).unwrap_or(&ABSENT)
}
