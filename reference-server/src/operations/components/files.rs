//! get_component_file and set_component_file.

use super::{optional, text};
use crate::components::{Encoding, apart};
use crate::operations::{Call, Outcome, Reply};
use crate::value::{Value, object};

pub(super) async fn get_component_file(call: Call) -> Outcome {
    let (project, file, encoding) = (text(&call, "project"), text(&call, "file"), encoding(&call));
    let components = call.server.components.clone();
    let read = apart(move || components.read_file(&project, &file)).await??;
    Ok(Reply::Value(object([
        ("message", Value::from(encoding.text_of(&read.content))),
        (
            "size",
            Value::from(read.content.len() as f64 + f64::from(u8::from(fault!("component-file-size-off")))),
        ),
        ("birthtime", Value::from(read.birthtime)),
        ("mtime", Value::from(read.mtime)),
    ])))
}

pub(super) async fn set_component_file(call: Call) -> Outcome {
    let (project, file, encoding) = (text(&call, "project"), text(&call, "file"), encoding(&call));
    let message = format!("Successfully set component: {file}");
    let payload = optional(&call, "payload");
    let components = call.server.components.clone();
    apart(move || {
        let content = payload.map(|payload| encoding.bytes_of(&payload));
        if fault!("component-file-not-written") {
            return Ok(());
        }
        components.write_file(&project, &file, content.as_deref())
    })
    .await??;
    Ok(Reply::Message(message))
}

fn encoding(call: &Call) -> Encoding {
    let name = call.body.get("encoding").and_then(Value::as_str);
    name.filter(|_| !fault!("component-encoding-ignored")).and_then(Encoding::named).unwrap_or(Encoding::Utf8)
}
