//! Projection: which attributes of a record an answer shows, and the writing of rows.

use crate::operations::{ReplyForm, RowContent, Rows};
use crate::store::{AttributeId, Record, Table};
use crate::value::{Object, Value, integer_like, object, order_members, write_json, write_json_string};

/// What an answer shows of each record.
#[derive(Clone, Debug)]
pub struct Projection {
    columns: Vec<Column>,
    /// True when `*` stands beside names, so that a name could come twice.
    mixed: bool,
}

#[derive(Clone, Debug)]
enum Column {
    /// Every attribute the record has.
    Stored,
    /// One attribute of the table, null when the record lacks it.
    Attribute(AttributeId),
    /// A part of an attribute, or a name that the table does not know, which is null.
    Named { name: String, member_name: Vec<u8>, id: Option<AttributeId>, part: Option<Part> },
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
        Projection { columns: vec![Column::Stored], mixed: false }
    }

    /// Shows what `get_attributes` names: names, `*`, or `{"name", "select"}`. A first `*` stands for every
    /// attribute of a dynamic table and for what each record has on a schema-defined one.
    pub fn new(table: &Table, get_attributes: &[Value]) -> Projection {
        if get_attributes.first().and_then(Value::as_str) == Some("*") {
            if table.schema_defined || fault!("star-shows-no-nulls") {
                return Projection::stored();
            }
            let columns = table.attributes.iter().map(|attribute| Column::Attribute(attribute.id)).collect();
            return Projection::in_order(table, columns);
        }
        let mut distinct: Vec<Column> = Vec::with_capacity(get_attributes.len());
        for column in get_attributes.iter().filter_map(|wanted| wanted_column(table, wanted)) {
            let name = column.name(table);
            let known = name.and_then(|_| distinct.iter().position(|known| known.name(table) == name));
            match known {
                Some(position) => distinct[position] = column,
                None => distinct.push(column),
            }
        }
        Projection::in_order(table, distinct)
    }

    fn in_order(table: &Table, mut columns: Vec<Column>) -> Projection {
        // JavaScript lists integer-like names first.
        let index = |column: &Column| column.name(table).and_then(integer_like);
        if columns.iter().any(|column| index(column).is_some()) {
            columns.sort_by_key(|column| index(column).map_or((1, 0), |index| (0, index)));
        }
        let mixed = columns.len() > 1 && columns.iter().any(|column| matches!(column, Column::Stored));
        Projection { columns, mixed }
    }

    /// The column names, when the answer's columns are known beforehand.
    fn column_names(&self, table: &Table) -> Option<Vec<String>> {
        self.columns.iter().map(|column| column.name(table).map(str::to_owned)).collect()
    }

    /// Appends what is shown of a record, as JSON text.
    pub fn write(&self, out: &mut Vec<u8>, table: &Table, record: &Record<'_>) {
        if self.mixed {
            return write_json(out, &self.value(table, record));
        }
        out.push(b'{');
        let start = out.len();
        let mut next = 0;
        for column in &self.columns {
            match column {
                Column::Stored => {
                    for (id, raw) in record.attributes() {
                        separate(out, start);
                        out.extend_from_slice(table.member_name(id));
                        out.extend_from_slice(raw.json());
                    }
                }
                Column::Attribute(id)
                    if fault!("lacking-attributes-left-out") && record.attribute(*id).is_none() => {}
                Column::Attribute(id) => {
                    separate(out, start);
                    out.extend_from_slice(table.member_name(*id));
                    let raw = record.attribute_from(&mut next, *id);
                    out.extend_from_slice(raw.map_or(b"null", |raw| raw.json()));
                }
                Column::Named { member_name, id, part, .. } => {
                    separate(out, start);
                    out.extend_from_slice(member_name);
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

    /// What is shown of a record, as an object.
    pub fn value(&self, table: &Table, record: &Record<'_>) -> Value {
        let mut members = Object::with_capacity(self.columns.len());
        let decoded = |id: Option<AttributeId>| {
            id.and_then(|id| record.attribute(id)).map(|raw| raw.decode()).unwrap_or_default()
        };
        for column in &self.columns {
            match column {
                Column::Stored => {
                    members.extend(
                        record
                            .attributes()
                            .map(|(id, raw)| (table.attribute_name(id).to_owned(), raw.decode())),
                    );
                }
                Column::Attribute(id) => {
                    members.insert(table.attribute_name(*id).to_owned(), decoded(Some(*id)));
                }
                Column::Named { name, id, part, .. } => {
                    let value = match part {
                        Some(part) => part.of(decoded(*id)),
                        None => decoded(*id),
                    };
                    members.insert(name.clone(), value);
                }
            }
        }
        Value::Object(members)
    }
}

impl Column {
    fn name<'c>(&'c self, table: &'c Table) -> Option<&'c str> {
        match self {
            Column::Stored => None,
            Column::Attribute(id) => Some(table.attribute_name(*id)),
            Column::Named { name, .. } => Some(name),
        }
    }
}

/// The column that one member of `get_attributes` asks for.
fn wanted_column(table: &Table, wanted: &Value) -> Option<Column> {
    match wanted {
        Value::String(name) if name == "*" => Some(Column::Stored),
        Value::String(name) => Some(column(table, name, None)),
        Value::Number(number) => Some(column(table, &crate::value::number_text(*number), None)),
        Value::Object(wanted) => {
            let name = wanted.get("name")?.as_str()?;
            Some(column(
                table,
                name,
                wanted.get("select").and_then(part).filter(|_| !fault!("selected-members-ignored")),
            ))
        }
        _ => None,
    }
}

fn column(table: &Table, name: &str, part: Option<Part>) -> Column {
    let id = table.attribute_id(name);
    if let (Some(id), None) = (id, &part) {
        return Column::Attribute(id);
    }
    let mut member_name = Vec::with_capacity(name.len() + 3);
    write_json_string(&mut member_name, name);
    member_name.push(b':');
    Column::Named { name: name.to_owned(), member_name, id, part }
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
        RowWriter { table, projection, content: RowContent::new(form) }
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

    /// Adds an error that ends the rows.
    pub fn push_error(&mut self, text: &str) {
        let error = object([("error", Value::from(text))]);
        match &mut self.content {
            RowContent::Text(out) => {
                separate(out, 1);
                out.extend_from_slice(error.to_json().as_bytes());
            }
            RowContent::Tree(rows) => rows.push(error),
        }
    }

    /// The finished rows.
    pub fn finish(self, streamed: bool) -> Rows {
        self.content.finish(streamed, || self.projection.column_names(self.table))
    }
}
