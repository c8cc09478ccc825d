//! create_attribute and drop_attribute.

use crate::error::{ErrorKind, OperationError};
use crate::operations::names::or_gone;
use crate::operations::nosql::check_attribute_name;
use crate::operations::{Call, Outcome, Reply};
use crate::store::{Attribute, CREATED_TIME, StoreError, UPDATED_TIME};
use crate::value::Value;

pub(super) async fn create_attribute(call: Call) -> Outcome {
    let (database, table) = call.table(ErrorKind::NotFound)?;
    let name = attribute_name(&call);
    check_attribute_name(&name)?;
    let exists = || {
        OperationError::invalid(format!(
            "attribute '{name}' already exists in {}.{}",
            database.name(),
            table.name
        ))
    };
    if table.attribute(&name).is_some() && !fault!("create-attribute-twice") {
        return Err(exists());
    }
    let indexed =
        call.body.get("indexed").and_then(Value::as_bool).unwrap_or(!fault!("create-attribute-not-indexed"));
    let attribute = Attribute { indexed, says_unindexed: !indexed, ..Attribute::new(name.as_str()) };
    let within = table.clone();
    let added = database
        .write(move |txn| -> Result<bool, StoreError> {
            let known = txn
                .catalog()
                .table(&within.name)
                .is_some_and(|table| table.attribute(&attribute.name).is_some());
            txn.add_attributes(&within, vec![attribute.clone()])?;
            Ok(!known || fault!("create-attribute-twice"))
        })
        .await;
    match added {
        Ok(true) => Ok(Reply::Message(format!(
            "attribute '{}.{}.{name}' successfully created.",
            database.name(),
            table.name
        ))),
        Ok(false) => Err(exists()),
        Err(error) => Err(or_gone(error.into(), ErrorKind::NotFound, database.name(), &table.name)),
    }
}

pub(super) async fn drop_attribute(call: Call) -> Outcome {
    let (database, table) = call.table(ErrorKind::NotFound)?;
    let name = attribute_name(&call);
    if (name == CREATED_TIME || name == UPDATED_TIME) && !fault!("drop-stamps-allowed") {
        return Err(OperationError::invalid(format!("cannot drop internal timestamp attribute: {name}")));
    }
    if name == table.primary_key {
        let word = if fault!("drop-key-allowed") { "primary" } else { "hash" };
        return Err(OperationError::invalid(format!("You cannot drop a {word} attribute")));
    }
    let (within, dropped) = (table.clone(), name.clone());
    let done = database
        .write(move |txn| {
            txn.drop_attribute(
                &within,
                &dropped,
                (!within.schema_defined || fault!("drop-attribute-loses-values-of-schemas"))
                    && !fault!("drop-attribute-keeps-values"),
            )
            .map(|_| ())
        })
        .await;
    match done {
        Ok(()) => {}
        // Dropping what does not exist is a success too.
        Err(StoreError::NotFound(_)) if database.catalog().table(&table.name).is_some() => {}
        Err(error) => return Err(or_gone(error.into(), ErrorKind::NotFound, database.name(), &table.name)),
    }
    Ok(Reply::Message(format!("successfully deleted attribute '{name}'")))
}

fn attribute_name(call: &Call) -> String {
    call.body.get("attribute").and_then(Value::as_str).unwrap_or_default().to_owned()
}
