//! Databases and tables that come and go while others use them: whoever comes too late is told that they do not exist.

use crate::client::Api;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_dropped_under_a_request_does_not_exist() {
    let api = Api::start().await;
    let mut clients = tokio::task::JoinSet::new();
    for client in 0..8_usize {
        let api = api.clone();
        clients.spawn(async move {
            for round in 0..120_usize {
                let request = request(client * 7 + round * 3);
                let (status, body) = api.ask(request.clone()).await;
                let is_known = matches!(status, 200 | 400 | 404);
                assert!(is_known, "{request} -> {status} {body}");
            }
        });
    }
    while let Some(client) = clients.join_next().await {
        client.unwrap();
    }
}

fn request(number: usize) -> Value {
    let table = json!({"database": format!("d{}", number % 2), "table": "t"});
    let members = match number % 11 {
        0..=2 => json!({"operation": "create_table", "primary_key": "id"}),
        3 => json!({"operation": "drop_table"}),
        4 => json!({"operation": "drop_database"}),
        5 => json!({"operation": "create_attribute", "attribute": format!("a{number}")}),
        6 => json!({"operation": "drop_attribute", "attribute": "v"}),
        7 => json!({"operation": "delete", "ids": [1, 2]}),
        8 => {
            json!({"operation": "search_by_value", "attribute": "id", "value": "*", "get_attributes": ["*"]})
        }
        _ => json!({"operation": "upsert", "records": [{"id": number, "v": 1}, {"w": 2}]}),
    };
    let mut request = table;
    for (name, value) in members.as_object().unwrap() {
        request[name] = value.clone();
    }
    request
}
