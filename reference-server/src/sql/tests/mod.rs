//! Statements run on a throw-away instance.

mod laws;
mod rights;
mod running;
mod writing;

use crate::operations::testing::Instance;
use crate::value::{Value, object};

/// Asks for a statement.
fn request(sql: &str) -> String {
    object([("operation", Value::from("sql")), ("sql", Value::from(sql))]).to_json()
}

/// The answer to the super user.
async fn asked(instance: &Instance, sql: &str) -> String {
    instance.admin(&request(sql)).await
}

/// An instance with a table of dogs.
async fn kennel() -> Instance {
    let instance = Instance::new().await;
    instance.admin(r#"{"operation":"create_database","database":"d"}"#).await;
    instance.admin(r#"{"operation":"create_table","database":"d","table":"dog","primary_key":"id"}"#).await;
    instance
        .admin(
            r#"{"operation":"insert","database":"d","table":"dog","records":[
            {"id":1,"name":"Penny","age":7,"owner":"Kyle","tags":["good",1]},
            {"id":2,"name":"Harper","age":5,"owner":null},
            {"id":3,"name":"Alby","age":5,"owner":"Kaylan","box":{"w":1}},
            {"id":4,"name":"billy","age":10}]}"#,
        )
        .await;
    instance
}
