//! The examples in the documentation of functions, run as statements; and the documentation made from them.

use super::statements::Instance;
use reference_server::sql::functions::{self, Family};
use reference_server::value::Value;
use std::fmt::Write as _;

const CHAPTER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../spec/chapters/06-sql-functions.md");

fn examples() -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    let of_functions = functions::all().flat_map(|function| function.examples);
    of_functions.chain(functions::TYPES.iter().flat_map(|one| one.examples))
}

#[tokio::test]
async fn examples_hold() {
    let instance = Instance::with_tables(&[]).await;
    let mut wrong = Vec::new();
    for (call, wanted) in examples() {
        let found = match instance.sql(&format!("SELECT {call} AS answer")).await {
            Ok(rows) => match rows.first().and_then(|row| row.get("answer")) {
                None | Some(Value::Null) => "absent".to_owned(),
                Some(value) => value.to_json(),
            },
            Err(error) => error,
        };
        if found != *wanted {
            wrong.push(format!("{call}: {found}, not {wanted}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn chapter() -> String {
    let mut out = String::from(
        "# Functions of SQL\n\nNames of functions are understood in any case. A null argument gives no value (in an answer: no member, \
         or `null`) unless said otherwise. The results are those of the examples; *absent* means no value.\n",
    );
    for (family, functions) in functions::FAMILIES {
        let _ = write!(
            out,
            "\n## {}\n\n| function | meaning | examples |\n| --- | --- | --- |\n",
            family.title()
        );
        for function in functions {
            let names = std::iter::once(&function.name).chain(function.aliases);
            let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
            let _ = writeln!(
                out,
                "| {} `({})` | {} | {} |",
                names.join(", "),
                function.signature,
                function.doc,
                shown(function.examples)
            );
        }
    }
    let _ = write!(
        out,
        "\n## {}\n\n`CAST(value AS type)`, `CONVERT(type, value[, style])`.\n\n| type | meaning | examples |\n| --- | --- | --- |\n",
        Family::Conversion.title()
    );
    for one in functions::TYPES {
        let _ = writeln!(out, "| {} | {} | {} |", one.names, one.doc, shown(one.examples));
    }
    out
}

fn shown(examples: &[(&str, &str)]) -> String {
    let example = |(call, result): &(&str, &str)| {
        let code = |text: &str| format!("`{}`", text.replace('|', "\\|"));
        let result = if *result == "absent" { "*absent*".to_owned() } else { code(result) };
        format!("{} → {result}", code(call))
    };
    examples.iter().map(example).collect::<Vec<_>>().join("<br>")
}

/// `SQL_FUNCTIONS_CHAPTER=write` makes the chapter anew.
#[test]
fn the_chapter_of_functions_is_made_from_them() {
    let made = chapter();
    if std::env::var("SQL_FUNCTIONS_CHAPTER").is_ok_and(|wish| wish == "write") {
        std::fs::write(CHAPTER, &made).unwrap();
    }
    let kept = std::fs::read_to_string(CHAPTER).unwrap();
    assert!(kept == made, "the chapter is out of date: run this test with SQL_FUNCTIONS_CHAPTER=write");
}
