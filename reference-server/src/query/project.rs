//! Projection: which attributes of a record an answer shows, and the writing of rows.

use crate::operations::{ReplyForm, RowContent, Rows};
use crate::store::{AttributeId, Record, Table};
use crate::value::{Object, Value, integer_like, order_members, write_json, write_json_string};

/// What an answer shows of each record.
#[derive(Clone, Debug)]
pub struct Projection {
    columns: Vec<Column>,
}

#[derive(Clone, Debug)]
enum Column {
    /// Every attribute the record has.
    Stored,
    /// One attribute, null when the record lacks it.
    Named { name: String, json_name: Vec<u8>, id: Option<AttributeId>, part: Option<Part> },
}

/// The part of an object that a nested `select` asks for.
#[derive(Clone, Debug)]
enum Part {
    /// One member, in place of the object.
    Member(String),
    /// Some members.
    Members(Vec<String>),
}

impl Projection {
    /// Shows records as they are stored.
    pub fn stored() -> Projection {
        Projection { columns: vec![Column::Stored] }
    }

    /// Shows what `get_attributes` names: names, `*`, or `{"name", "select"}`. A first `*` stands for every
    /// attribute of a dynamic table and for what each record has on a schema-defined one.
    pub fn new(table: &Table, get_attributes: &[Value]) -> Projection {
        if get_attributes.first().and_then(Value::as_str) == Some("*") {
            if table.schema_defined {
                return Projection::stored();
            }
            let names = table.attributes.iter().map(|attribute| attribute.name.as_str());
            return Projection::of(names.map(|name| column(table, name, None)).collect());
        }
        let columns = get_attributes
            .iter()
            .filter_map(|wanted| match wanted {
                Value::String(name) if name == "*" => Some(Column::Stored),
                Value::String(name) => Some(column(table, name, None)),
                Value::Number(number) => Some(column(table, &crate::value::number_text(*number), None)),
                Value::Object(wanted) => {
                    let name = wanted.get("name")?.as_str()?;
                    Some(column(table, name, wanted.get("select").and_then(part)))
                }
                _ => None,
            })
            .collect();
        Projection::of(columns)
    }

    fn of(columns: Vec<Column>) -> Projection {
        let mut distinct: Vec<Column> = Vec::with_capacity(columns.len());
        for column in columns {
            match (column.name(), distinct.iter().position(|known| known.name() == column.name())) {
                (Some(_), Some(position)) => distinct[position] = column,
                _ => distinct.push(column),
            }
        }
        // JavaScript lists integer-like names first.
        distinct
            .sort_by_key(|column| column.name().and_then(integer_like).map_or((1, 0), |index| (0, index)));
        Projection { columns: distinct }
    }

    /// The column names, when the answer's columns are known beforehand.
    pub fn column_names(&self) -> Option<Vec<String>> {
        self.columns.iter().map(|column| column.name().map(str::to_owned)).collect()
    }

    fn write(&self, out: &mut Vec<u8>, table: &Table, record: &Record<'_>) {
        if self.columns.len() > 1 && self.column_names().is_none() {
            // `*` beside names: a name must not come twice.
            return write_json(out, &self.value(table, record));
        }
        out.push(b'{');
        let start = out.len();
        for column in &self.columns {
            match column {
                Column::Stored => {
                    for (id, raw) in record.attributes() {
                        separate(out, start);
                        write_json_string(out, table.attribute_name(id));
                        out.push(b':');
                        out.extend_from_slice(raw.json());
                    }
                }
                Column::Named { json_name, id, part, .. } => {
                    separate(out, start);
                    out.extend_from_slice(json_name);
                    match (id.and_then(|id| record.attribute(id)), part) {
                        (None, _) => out.extend_from_slice(b"null"),
                        (Some(raw), None) => out.extend_from_slice(raw.json()),
                        (Some(raw), Some(part)) => write_json(out, &part.of(raw.decode())),
                    }
                }
            }
        }
        out.push(b'}');
    }

    fn value(&self, table: &Table, record: &Record<'_>) -> Value {
        let mut members = Object::with_capacity(self.columns.len());
        for column in &self.columns {
            match column {
                Column::Stored => {
                    members.extend(
                        record
                            .attributes()
                            .map(|(id, raw)| (table.attribute_name(id).to_owned(), raw.decode())),
                    );
                }
                Column::Named { name, id, part, .. } => {
                    let value =
                        id.and_then(|id| record.attribute(id)).map(|raw| raw.decode()).unwrap_or_default();
                    let value = match part {
                        Some(part) => part.of(value),
                        None => value,
                    };
                    members.insert(name.clone(), value);
                }
            }
        }
        Value::Object(members)
    }
}

impl Column {
    fn name(&self) -> Option<&str> {
        match self {
            Column::Stored => None,
            Column::Named { name, .. } => Some(name),
        }
    }
}

fn column(table: &Table, name: &str, part: Option<Part>) -> Column {
    let mut json_name = Vec::with_capacity(name.len() + 3);
    write_json_string(&mut json_name, name);
    json_name.push(b':');
    Column::Named { name: name.to_owned(), json_name, id: table.attribute_id(name), part }
}

fn part(select: &Value) -> Option<Part> {
    match select {
        Value::String(name) => Some(Part::Member(name.clone())),
        Value::Array(names) => {
            Some(Part::Members(names.iter().filter_map(Value::as_str).map(str::to_owned).collect()))
        }
        _ => None,
    }
}

impl Part {
    fn of(&self, value: Value) -> Value {
        let Value::Object(mut members) = value else { return value };
        match self {
            Part::Member(name) => members.swap_remove(name).unwrap_or_default(),
            Part::Members(names) => {
                let mut kept: Object = names
                    .iter()
                    .filter_map(|name| Some((name.clone(), members.get(name)?.clone())))
                    .collect();
                order_members(&mut kept);
                Value::Object(kept)
            }
        }
    }
}

fn separate(out: &mut Vec<u8>, start: usize) {
    if out.len() > start {
        out.push(b',');
    }
}

/// Collects the rows of an answer in the form asked for.
pub struct RowWriter<'t> {
    table: &'t Table,
    projection: Projection,
    content: RowContent,
}

impl<'t> RowWriter<'t> {
    /// A writer without rows.
    pub fn new(table: &'t Table, projection: Projection, form: ReplyForm) -> RowWriter<'t> {
        let content = match form {
            ReplyForm::Text => RowContent::Text(vec![b'[']),
            ReplyForm::Tree => RowContent::Tree(Vec::new()),
        };
        RowWriter { table, projection, content }
    }

    /// Adds a record.
    pub fn push(&mut self, record: &Record<'_>) {
        match &mut self.content {
            RowContent::Text(out) => {
                separate(out, 1);
                self.projection.write(out, self.table, record);
            }
            RowContent::Tree(rows) => rows.push(self.projection.value(self.table, record)),
        }
    }

    /// The finished rows.
    pub fn finish(mut self, streamed: bool) -> Rows {
        if let RowContent::Text(out) = &mut self.content {
            out.push(b']');
        }
        Rows { content: self.content, columns: self.projection.column_names(), streamed }
    }
}
