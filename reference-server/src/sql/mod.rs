//! The operation `sql`: statements over tables, with the value rules of the JavaScript engine they were defined by.

pub mod functions;
pub mod value;
