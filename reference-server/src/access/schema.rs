//! What authorisation needs to know of databases and tables. Behind traits, so that it can be tested by itself.

use crate::store::{Store, Table};
use std::sync::Arc;

/// The databases that exist right now.
pub trait Schema {
    /// Whether a database of that name exists.
    fn has_database(&self, database: &str) -> bool;
    /// A table.
    fn table(&self, database: &str, table: &str) -> Option<Arc<dyn TableShape>>;
}

/// The names in a table.
pub trait TableShape {
    /// The primary key's name.
    fn primary_key(&self) -> &str;
    /// Whether the table has an attribute of that name.
    fn has_attribute(&self, attribute: &str) -> bool;
}

impl Schema for Store {
    fn has_database(&self, database: &str) -> bool {
        self.database(database).is_some()
    }

    fn table(&self, database: &str, table: &str) -> Option<Arc<dyn TableShape>> {
        let table: Arc<Table> = self.database(database)?.catalog().table(table)?.clone();
        Some(table)
    }
}

impl TableShape for Table {
    fn primary_key(&self) -> &str {
        &self.primary_key
    }

    fn has_attribute(&self, attribute: &str) -> bool {
        self.attribute(attribute).is_some()
    }
}

#[cfg(test)]
pub(super) mod sample {
    use super::{Schema, TableShape};
    use std::collections::BTreeMap;
    use std::sync::Arc;

    /// Databases by name, tables by name, and for each table its attributes with the primary key first.
    #[derive(Clone, Default)]
    pub struct SampleSchema(pub BTreeMap<String, BTreeMap<String, Vec<String>>>);

    /// A table's attributes, the primary key first.
    pub struct SampleTable(pub Vec<String>);

    impl SampleSchema {
        pub fn new(tables: &[(&str, &str, &[&str])]) -> SampleSchema {
            let mut schema = SampleSchema::default();
            for (database, table, attributes) in tables {
                schema
                    .0
                    .entry((*database).to_owned())
                    .or_default()
                    .insert((*table).to_owned(), attributes.iter().map(|name| (*name).to_owned()).collect());
            }
            schema
        }
    }

    impl Schema for SampleSchema {
        fn has_database(&self, database: &str) -> bool {
            self.0.contains_key(database)
        }

        fn table(&self, database: &str, table: &str) -> Option<Arc<dyn TableShape>> {
            let attributes = self.0.get(database)?.get(table)?;
            Some(Arc::new(SampleTable(attributes.clone())))
        }
    }

    impl TableShape for SampleTable {
        fn primary_key(&self) -> &str {
            &self.0[0]
        }

        fn has_attribute(&self, attribute: &str) -> bool {
            self.0.iter().any(|name| name == attribute)
        }
    }
}
