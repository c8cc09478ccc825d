//! Random permission objects, and what they let a role read.

use serde_json::{Map, Value, json};

/// The databases of the fixture.
pub const DATABASES: [&str; 2] = ["property_data", "property_other"];

/// A table of the fixture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its number.
    pub number: usize,
    /// The number of its database.
    pub database: usize,
    /// Its name, which no other table has.
    pub table: &'static str,
    /// Its attributes, the primary key first; no other table has the same names.
    pub attributes: [&'static str; 3],
}

/// The tables of the fixture. All names are words of their own, so that they can be found in any answer.
pub const PLACES: [Place; 3] = [
    Place { number: 0, database: 0, table: "zqapple", attributes: ["zqakey", "zqared", "zqablue"] },
    Place { number: 1, database: 0, table: "zqberry", attributes: ["zqbkey", "zqbred", "zqbblue"] },
    Place { number: 2, database: 1, table: "zqcherry", attributes: ["zqckey", "zqcred", "zqcblue"] },
];

impl Place {
    /// The name of its database.
    pub fn database_name(&self) -> &'static str {
        DATABASES.get(self.database).copied().unwrap_or_default()
    }

    /// The value of an attribute in one of the two records. No other value is like it or within it.
    pub fn secret(&self, attribute: usize, record: usize) -> String {
        format!("zqsecret{}x{attribute}x{record}q", self.number)
    }
}

/// Rights on a table or an attribute: read, insert, update, delete.
pub type Flags = [bool; 4];

/// What a role may do with a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableGrant {
    /// The table's flags.
    pub flags: Flags,
    /// The listed attributes by their number, with their flags; empty: all attributes are meant.
    pub attributes: Vec<(usize, Flags)>,
}

impl TableGrant {
    /// The rights on an attribute, of a table that was granted.
    pub fn on(&self, attribute: usize) -> Flags {
        if self.attributes.is_empty() {
            return self.flags;
        }
        match self.attributes.iter().find(|(number, _)| *number == attribute) {
            Some((_, flags)) => *flags,
            // The key follows the attributes that are listed.
            None if attribute == 0 => {
                self.attributes.iter().fold([false; 4], |all, (_, flags)| either(all, *flags))
            }
            None => [false; 4],
        }
    }
}

fn either(a: Flags, b: Flags) -> Flags {
    std::array::from_fn(|i| a[i] || b[i])
}

fn both(a: Flags, b: Flags) -> Flags {
    std::array::from_fn(|i| a[i] && b[i])
}

/// What a role may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grants {
    /// In which databases it may change structures, and so everything.
    pub structure: [bool; 2],
    /// What it may do with each table of [`PLACES`].
    pub tables: [Option<TableGrant>; 3],
}

/// How many choices make a role.
pub const CHOICES: usize = 6 + 3 * 20;

impl Grants {
    /// The role that choices stand for; none at all stand for a role without rights.
    pub fn of(choices: &[bool]) -> Grants {
        let mut choices = choices.iter().copied().chain(std::iter::repeat(false));
        let mut next = || choices.next().unwrap_or(false);
        let mut seldom = || next() & next() & next();
        let structure = [seldom(), seldom()];
        let tables = std::array::from_fn(|_| {
            let present = next() | next();
            let flags: Flags = std::array::from_fn(|at| next() | (at == 0 && present));
            let listed: [bool; 3] = std::array::from_fn(|_| next());
            let rights: [Flags; 3] = std::array::from_fn(|_| [next(), next(), next(), false]);
            let names = (0..3).filter(|attribute| listed[*attribute]);
            let attributes = names.map(|attribute| (attribute, both(rights[attribute], flags))).collect();
            present.then_some(TableGrant { flags, attributes })
        });
        Grants { structure, tables }
    }

    /// What both allow: less than either, or as much.
    #[must_use]
    pub fn and(&self, other: &Grants) -> Grants {
        let structure = [0, 1].map(|database| self.structure[database] && other.structure[database]);
        let tables = std::array::from_fn(|number| {
            let (a, b) = (self.tables[number].as_ref()?, other.tables[number].as_ref()?);
            let attributes = if a.attributes.is_empty() && b.attributes.is_empty() {
                Vec::new()
            } else {
                (0..3).map(|attribute| (attribute, both(a.on(attribute), b.on(attribute)))).collect()
            };
            Some(TableGrant { flags: both(a.flags, b.flags), attributes })
        });
        Grants { structure, tables }
    }

    /// The rights on an attribute of a table.
    fn on(&self, place: Place, attribute: usize) -> Flags {
        if self.structure[place.database] {
            return [true; 4];
        }
        self.tables[place.number].as_ref().map_or([false; 4], |grant| both(grant.on(attribute), grant.flags))
    }

    /// Whether a table can be seen.
    pub fn sees(&self, place: Place) -> bool {
        self.structure[place.database]
            || self.tables[place.number].as_ref().is_some_and(|grant| grant.flags != [false; 4])
    }

    /// Whether a table may be read.
    pub fn reads_table(&self, place: Place) -> bool {
        self.structure[place.database]
            || self.tables[place.number].as_ref().is_some_and(|grant| grant.flags[0])
    }

    /// Whether an attribute may be read.
    pub fn reads(&self, place: Place, attribute: usize) -> bool {
        self.on(place, attribute)[0]
    }

    /// Whether an attribute can be seen: there is some right on it.
    pub fn sees_attribute(&self, place: Place, attribute: usize) -> bool {
        self.sees(place)
            && (self.structure[place.database]
                || self.tables[place.number]
                    .as_ref()
                    .is_some_and(|grant| grant.attributes.is_empty() || grant.on(attribute) != [false; 4]))
    }

    /// The permission object. `rename` gives the names of the databases as they are in this run.
    pub fn permission(&self, rename: impl Fn(&str) -> String) -> Value {
        let mut permission = Map::new();
        let databases = (0..2).filter(|database| self.structure[*database]);
        let listed: Vec<String> = databases.map(|database| rename(DATABASES[database])).collect();
        permission.insert("structure_user".to_owned(), json!(listed));
        for (database, name) in DATABASES.iter().enumerate() {
            let mut tables = Map::new();
            for place in PLACES.iter().filter(|place| place.database == database) {
                if let Some(grant) = &self.tables[place.number] {
                    tables.insert(place.table.to_owned(), table_entry(*place, grant));
                }
            }
            permission.insert(rename(name), json!({ "tables": tables }));
        }
        Value::Object(permission)
    }
}

fn table_entry(place: Place, grant: &TableGrant) -> Value {
    let [read, insert, update, delete] = grant.flags;
    let attributes: Vec<Value> = grant
        .attributes
        .iter()
        .map(|(attribute, [read, insert, update, _])| {
            json!({"attribute_name": place.attributes[*attribute], "read": read, "insert": insert, "update": update})
        })
        .collect();
    json!({"read": read, "insert": insert, "update": update, "delete": delete, "attribute_permissions": attributes})
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn grants() -> impl Strategy<Value = Grants> {
        proptest::collection::vec(any::<bool>(), CHOICES).prop_map(|choices| Grants::of(&choices))
    }

    #[test]
    fn no_choice_is_no_right() {
        let none = Grants::of(&[]);
        assert!(PLACES.iter().all(|place| !none.sees(*place) && !none.reads_table(*place)));
        assert_eq!(none.permission(str::to_owned)["structure_user"], json!([]));
    }

    #[test]
    fn the_key_follows_unless_it_is_listed() {
        let read = [true, false, false, false];
        let mut grant = TableGrant { flags: [true; 4], attributes: vec![(1, read)] };
        assert_eq!((grant.on(0), grant.on(1), grant.on(2)), (read, read, [false; 4]));
        grant.attributes.push((0, [false; 4]));
        assert_eq!(grant.on(0), [false; 4]);
    }

    proptest! {
        #[test]
        fn both_allow_no_more_than_either(a in grants(), b in grants()) {
            let less = a.and(&b);
            for place in PLACES {
                prop_assert!(!less.sees(place) || (a.sees(place) && b.sees(place)));
                prop_assert!(!less.reads_table(place) || a.reads_table(place));
                for attribute in 0..3 {
                    prop_assert!(!less.reads(place, attribute) || a.reads(place, attribute));
                    prop_assert!(!less.sees_attribute(place, attribute) || a.sees_attribute(place, attribute));
                }
            }
        }

        #[test]
        fn attributes_never_have_what_their_table_lacks(a in grants(), b in grants()) {
            for grants in [&a, &a.and(&b)] {
                for grant in grants.tables.iter().flatten() {
                    for (_, flags) in &grant.attributes {
                        prop_assert_eq!(both(*flags, grant.flags), *flags);
                    }
                }
            }
        }
    }
}
