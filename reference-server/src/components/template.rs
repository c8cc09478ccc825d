//! The built-in template of new projects: what a component consists of, with a word on each part.

use crate::error::OperationError;
use std::fs;
use std::path::Path;

const FILES: [(&str, &str); 6] = [
    (
        "README.md",
        "# PROJECT\n\nA component. `config.yaml` says which parts it has, `schema.graphql` declares its tables, `resources.js`\nits own endpoints, and what lies in `web` is served as it is.\n",
    ),
    (
        "config.yaml",
        "# The parts of this component.\nrest: true\ngraphqlSchema:\n  files: '*.graphql'\njsResource:\n  files: resources.js\nstatic:\n  files: 'web/**'\n",
    ),
    (
        "package.json",
        "{\n  \"name\": \"PROJECT\",\n  \"version\": \"0.1.0\",\n  \"private\": true,\n  \"type\": \"module\"\n}\n",
    ),
    ("resources.js", "// Classes exported here become endpoints of their names.\n"),
    (
        "schema.graphql",
        "# Tables, one type each:\n# type Dog @table @export {\n#   id: ID @primaryKey\n#   name: String\n# }\n",
    ),
    (
        "web/index.html",
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>PROJECT</title></head>\n<body><h1>PROJECT</h1></body>\n</html>\n",
    ),
];

/// Writes the template for a project into a folder, which is made.
pub(super) fn write(project: &str, folder: &Path) -> Result<(), OperationError> {
    for (name, text) in FILES {
        let path = folder.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, text.replace("PROJECT", project))?;
    }
    Ok(())
}
