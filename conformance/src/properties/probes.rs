//! Requests by which a role might get to see what it may not.

use super::grants::{Grants, PLACES, Place};
use serde_json::{Value, json};

/// One try.
#[derive(Clone, Debug)]
pub(super) struct Probe {
    /// The request, with the databases' names as the fixture has them.
    pub body: Value,
    /// The media type asked for.
    pub accept: &'static str,
    /// The attributes that it reads, by table and number; the table alone is meant when there is none.
    pub uses: Vec<(Place, Option<usize>)>,
}

impl Probe {
    fn new(body: Value, uses: Vec<(Place, Option<usize>)>) -> Probe {
        Probe { body, accept: "application/json", uses }
    }

    /// Whether it names something that a role may not read, so that it has to be refused.
    pub fn must_be_refused(&self, grants: &Grants) -> bool {
        self.uses.iter().any(|(place, attribute)| {
            !grants.reads_table(*place) || attribute.is_some_and(|attribute| !grants.reads(*place, attribute))
        })
    }
}

/// The media types in which the telling answers are asked for.
const FORMS: [&str; 4] = ["application/cbor", "application/x-msgpack", "text/csv", "text/yaml"];

/// All tries.
pub(super) fn probes() -> Vec<Probe> {
    let mut probes: Vec<Probe> = PLACES.into_iter().flat_map(of_table).collect();
    probes.extend(joins());
    probes.extend(overviews());
    let others: Vec<Probe> = probes
        .iter()
        .flat_map(|probe| FORMS.map(|accept| Probe { accept, ..probe.clone() }))
        .enumerate()
        // Every form sees every kind of request in the end, but not each of them each time.
        .filter(|(number, _)| number % 3 == 0)
        .map(|(_, probe)| probe)
        .collect();
    probes.extend(others);
    probes
}

fn of_table(place: Place) -> Vec<Probe> {
    let [key, red, blue] = place.attributes;
    let (database, table) = (place.database_name(), place.table);
    let whole = vec![(place, None)];
    let on = |operation: &str, fields: Value| {
        let mut body = json!({"operation": operation, "database": database, "table": table});
        if let (Some(body), Some(fields)) = (body.as_object_mut(), fields.as_object()) {
            body.extend(fields.clone());
        }
        body
    };
    let used = |attributes: &[usize]| attributes.iter().map(|attribute| (place, Some(*attribute))).collect();
    let sql = |text: String| json!({"operation": "sql", "sql": text});
    let name = format!("{database}.{table}");
    let all = json!(["*"]);
    let anything = |attribute: &str| json!({"attribute": attribute, "comparator": "not_equal", "value": "x"});
    let nested = json!({"operator": "or", "conditions": [anything(red), anything(blue)]});
    vec![
        Probe::new(
            on("search_by_value", json!({"attribute": key, "value": "*", "get_attributes": all})),
            used(&[0]),
        ),
        Probe::new(
            on("search_by_value", json!({"attribute": red, "value": "*", "get_attributes": all})),
            used(&[1]),
        ),
        Probe::new(
            on("search_by_value", json!({"attribute": key, "value": "*", "get_attributes": [blue]})),
            used(&[0, 2]),
        ),
        Probe::new(
            on("search_by_conditions", json!({"conditions": [anything(blue)], "get_attributes": all})),
            used(&[2]),
        ),
        Probe::new(
            on("search_by_conditions", json!({"conditions": [nested], "get_attributes": all})),
            used(&[1, 2]),
        ),
        Probe::new(
            on(
                "search_by_conditions",
                json!({"conditions": [anything(red)], "sort": {"attribute": blue}, "get_attributes": [red]}),
            ),
            used(&[1, 2]),
        ),
        Probe::new(
            on("search_by_conditions", json!({"conditions": [anything(key)], "get_attributes": [key, red]})),
            used(&[0, 1]),
        ),
        Probe::new(sql(format!("SELECT * FROM {name}")), whole.clone()),
        Probe::new(sql(format!("SELECT {red}, {blue} FROM {name}")), used(&[1, 2])),
        Probe::new(sql(format!("SELECT {red} FROM {name} WHERE {blue} LIKE 'zq%'")), used(&[1, 2])),
        Probe::new(sql(format!("SELECT {key} FROM {name} ORDER BY {red}")), used(&[0, 1])),
        Probe::new(sql(format!("SELECT MAX({blue}) AS most, COUNT(*) AS number FROM {name}")), used(&[2])),
        Probe::new(sql(format!("SELECT CONCAT({red}, '-', {blue}) AS text FROM {name} AS t")), used(&[1, 2])),
        Probe::new(
            sql(format!("SELECT {blue}, COUNT({key}) AS number FROM {name} GROUP BY {blue}")),
            used(&[0, 2]),
        ),
        Probe::new(on("describe_table", json!({})), Vec::new()),
        Probe::new(on("read_transaction_log", json!({})), Vec::new()),
        Probe::new(on("read_audit_log", json!({})), Vec::new()),
        Probe::new(
            json!({"operation": "export_local", "format": "json",
                "search_operation": {"operation": "sql", "sql": format!("SELECT * FROM {name}")}}),
            Vec::new(),
        ),
        Probe::new(on("insert", json!({"records": [{key: "own", red: "own", blue: "own"}]})), Vec::new()),
        Probe::new(on("update", json!({"records": [{key: "own", blue: "own too"}]})), Vec::new()),
        Probe::new(on("delete", json!({"ids": ["own"]})), Vec::new()),
    ]
}

/// Statements over two tables: a right on one is no right on the other.
fn joins() -> Vec<Probe> {
    let [apple, berry, cherry] = PLACES;
    let name = |place: Place| format!("{}.{}", place.database_name(), place.table);
    let join = |a: Place, b: Place| {
        let (left, right) = (a.attributes, b.attributes);
        let text = format!(
            "SELECT a.{}, b.{} FROM {} AS a INNER JOIN {} AS b ON a.{} <> b.{}",
            left[1],
            right[2],
            name(a),
            name(b),
            left[0],
            right[0]
        );
        let uses = vec![(a, Some(1)), (a, Some(0)), (b, Some(2)), (b, Some(0))];
        Probe::new(json!({"operation": "sql", "sql": text}), uses)
    };
    vec![join(apple, berry), join(berry, cherry), join(cherry, apple)]
}

/// Requests that name no table.
fn overviews() -> Vec<Probe> {
    let describe =
        |place: Place| json!({"operation": "describe_database", "database": place.database_name()});
    [
        json!({"operation": "describe_all"}),
        describe(PLACES[0]),
        describe(PLACES[2]),
        json!({"operation": "get_backup", "database": PLACES[0].database_name()}),
        json!({"operation": "list_users"}),
        json!({"operation": "list_roles"}),
        json!({"operation": "read_log", "limit": 50}),
        json!({"operation": "get_configuration"}),
        json!({"operation": "system_information"}),
        json!({"operation": "search_jobs_by_start_date", "from_date": "2020-01-01", "to_date": "2100-01-01"}),
        json!({"operation": "search_by_value", "database": "system", "table": "hdb_user", "attribute": "username",
            "value": "*", "get_attributes": ["*"]}),
    ]
    .into_iter()
    .map(|body| Probe::new(body, Vec::new()))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_may_read_nothing_is_refused_everything_that_reads() {
        let none = Grants::of(&[]);
        let all = Grants { structure: [true, true], ..none.clone() };
        let probes = probes();
        assert!(probes.len() > 100, "{}", probes.len());
        for probe in &probes {
            assert_eq!(probe.must_be_refused(&none), !probe.uses.is_empty(), "{}", probe.body);
            assert!(!probe.must_be_refused(&all), "{}", probe.body);
        }
    }
}
