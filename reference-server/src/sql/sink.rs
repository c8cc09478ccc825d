//! The rows of a result on their way out.

use super::Engine;
use super::functions::FunctionError;
use super::node::Row;
use super::outputs::Output;
use super::value::Js;
use crate::operations::{ReplyForm, RowContent, Rows};
use crate::value::{Object, Value, write_json, write_json_string};

/// Collects rows in the form asked for.
pub struct Sink<'o> {
    outputs: &'o [Output],
    /// Whether computed values that are none are left out of their rows.
    leave_out: bool,
    content: RowContent,
    rows: usize,
}

impl<'o> Sink<'o> {
    /// A sink without rows. Beside an outer join nothing is left out.
    pub fn new(outputs: &'o [Output], form: ReplyForm, engine: Engine, outer_join: bool) -> Sink<'o> {
        let leave_out = engine == Engine::Legacy && !outer_join;
        Sink { outputs, leave_out, content: RowContent::new(form), rows: 0 }
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Adds a row.
    ///
    /// # Errors
    /// Those of functions.
    pub fn push(&mut self, row: &Row<'_, '_>) -> Result<(), FunctionError> {
        self.rows += 1;
        match &mut self.content {
            RowContent::Text(out) => {
                if self.rows > 1 {
                    out.push(b',');
                }
                out.push(b'{');
                let start = out.len();
                for output in self.outputs {
                    write_output(out, start, output, row, self.leave_out)?;
                }
                out.push(b'}');
            }
            RowContent::Tree(rows) => {
                let mut object = Object::with_capacity(self.outputs.len());
                for output in self.outputs {
                    if let Some(value) = value_of(output, row, self.leave_out)? {
                        object.insert(output.name.clone(), value);
                    }
                }
                rows.push(Value::Object(object));
            }
        }
        Ok(())
    }

    /// The finished rows.
    pub fn finish(self) -> Rows {
        let columns = || self.outputs.iter().map(|output| output.name.clone()).collect();
        self.content.finish(false, || Some(columns()))
    }
}

fn is_none(value: &Js) -> bool {
    matches!(value, Js::Undefined) || matches!(value, Js::Number(number) if number.is_nan())
}

fn write_output(
    out: &mut Vec<u8>,
    start: usize,
    output: &Output,
    row: &Row<'_, '_>,
    leave_out: bool,
) -> Result<(), FunctionError> {
    let begin = |out: &mut Vec<u8>| {
        if out.len() > start {
            out.push(b',');
        }
        out.extend_from_slice(&output.member);
    };
    if let Some(column) = &output.column {
        if fault!("sql-absent-left-out") && column.raw(row).is_none() {
            return Ok(());
        }
        begin(out);
        out.extend_from_slice(column.raw(row).map_or(b"null", |raw| raw.json()));
        return Ok(());
    }
    let value = output.node.value(row)?;
    if leave_out && is_none(&value) {
        return Ok(());
    }
    begin(out);
    match &value {
        Js::Text(text) => write_json_string(out, text),
        value => write_json(out, &value.to_value().unwrap_or_default()),
    }
    Ok(())
}

fn value_of(output: &Output, row: &Row<'_, '_>, leave_out: bool) -> Result<Option<Value>, FunctionError> {
    if let Some(column) = &output.column {
        return Ok(Some(column.raw(row).map_or(Value::Null, |raw| raw.decode())));
    }
    let value = output.node.value(row)?;
    Ok(if is_none(&value) { (!leave_out).then_some(Value::Null) } else { value.to_value() })
}
