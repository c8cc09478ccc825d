//! Who may use which token.

use super::{Bearer, Claims, Life, Purpose, TokenWish, now};
use crate::access::tokens::keep_sample;
use crate::access::{Access, AuthError};
use crate::operations::testing::Instance;
use crate::value::Value;

async fn instance() -> Instance {
    let instance = Instance::new().await;
    keep_sample(&instance.server.config.root_path);
    instance.admin(r#"{"operation":"add_role","role":"clerk","permission":{}}"#).await;
    instance
        .admin(r#"{"operation":"add_user","username":"kim","password":"pw","role":"clerk","active":true}"#)
        .await;
    instance
}

fn access(instance: &Instance) -> &Access {
    &instance.server.access
}

/// The operation token and the refresh token of kim.
async fn issue(instance: &Instance, wish: TokenWish) -> [String; 2] {
    let kim = access(instance).user("kim").unwrap();
    let tokens = access(instance).issue_tokens(&instance.server.store, &kim, wish).await.unwrap();
    [tokens.operation, tokens.refresh]
}

async fn sign(instance: &Instance, claims: Claims) -> String {
    let [token] = access(instance).sign([claims]).await.unwrap();
    token
}

fn claims(sub: Purpose) -> Claims {
    Claims { username: "kim".to_owned(), super_user: false, role: None, iat: now() - 9, exp: now() + 60, sub }
}

/// What a token is good for and whose it is, or why it is none.
async fn verdict(instance: &Instance, token: &str) -> Result<(Purpose, String), AuthError> {
    match access(instance).verify_bearer(token).await? {
        Bearer::Operation(user) => Ok((Purpose::Operation, user.username.clone())),
        Bearer::Refresh(user) => Ok((Purpose::Refresh, user.username.clone())),
    }
}

fn kim(sub: Purpose) -> Result<(Purpose, String), AuthError> {
    Ok((sub, "kim".to_owned()))
}

#[tokio::test]
async fn tokens_are_for_one_purpose() {
    let instance = instance().await;
    let [operation, refresh] = issue(&instance, TokenWish::default()).await;
    // Twice: the second time the signature is remembered.
    for _ in 0..2 {
        assert_eq!(verdict(&instance, &operation).await, kim(Purpose::Operation));
        assert_eq!(verdict(&instance, &refresh).await, kim(Purpose::Refresh));
        let renewed = access(&instance).refresh_operation_token(&refresh).await.unwrap().unwrap();
        assert_eq!(verdict(&instance, &renewed).await, kim(Purpose::Operation));
        let refused = access(&instance).refresh_operation_token(&operation).await.unwrap();
        assert_eq!(refused.unwrap_err(), AuthError::InvalidToken);
    }
}

#[tokio::test]
async fn only_the_newest_refresh_token_is_good() {
    let instance = instance().await;
    let older = sign(&instance, claims(Purpose::Refresh)).await;
    assert_eq!(verdict(&instance, &older).await, Err(AuthError::InvalidToken), "never issued");
    access(&instance).store_refresh_token(&instance.server.store, "kim", &older).await.unwrap();
    assert_eq!(verdict(&instance, &older).await, kim(Purpose::Refresh));
    let [_, newer] = issue(&instance, TokenWish::default()).await;
    assert_eq!(verdict(&instance, &older).await, Err(AuthError::InvalidToken));
    assert_eq!(verdict(&instance, &newer).await, kim(Purpose::Refresh));
}

#[tokio::test]
async fn time_runs_out_for_tokens_seen_before_too() {
    let instance = instance().await;
    for sub in [Purpose::Operation, Purpose::Refresh] {
        let over = sign(&instance, Claims { exp: now(), ..claims(sub) }).await;
        for _ in 0..2 {
            assert_eq!(verdict(&instance, &over).await, Err(AuthError::TokenExpired));
        }
        let refreshed = access(&instance).refresh_operation_token(&over).await.unwrap();
        assert_eq!(refreshed.unwrap_err(), AuthError::TokenExpired);
    }
    let life = Some(Life::seconds(1.0));
    let [short, _] = issue(&instance, TokenWish { operation_life: life, ..TokenWish::default() }).await;
    while verdict(&instance, &short).await.is_ok() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(verdict(&instance, &short).await, Err(AuthError::TokenExpired));
}

#[tokio::test]
async fn changes_of_the_user_act_on_tokens_seen_before() {
    let instance = instance().await;
    let [operation, refresh] = issue(&instance, TokenWish::default()).await;
    assert_eq!(verdict(&instance, &operation).await, kim(Purpose::Operation));
    assert_eq!(verdict(&instance, &refresh).await, kim(Purpose::Refresh));

    instance.admin(r#"{"operation":"alter_user","username":"kim","password":"other"}"#).await;
    assert_eq!(verdict(&instance, &operation).await, kim(Purpose::Operation));
    assert_eq!(verdict(&instance, &refresh).await, kim(Purpose::Refresh));

    instance.admin(r#"{"operation":"alter_user","username":"kim","active":false}"#).await;
    assert_eq!(verdict(&instance, &operation).await, Err(AuthError::InvalidToken));
    assert_eq!(verdict(&instance, &refresh).await, Err(AuthError::InvalidToken));

    instance.admin(r#"{"operation":"alter_user","username":"kim","active":true}"#).await;
    assert_eq!(verdict(&instance, &operation).await, kim(Purpose::Operation));
    assert_eq!(verdict(&instance, &refresh).await, kim(Purpose::Refresh));

    instance.admin(r#"{"operation":"drop_user","username":"kim"}"#).await;
    let Ok(Bearer::Operation(gone)) = access(&instance).verify_bearer(&operation).await else {
        panic!("it is still a token")
    };
    assert!(gone.permission().is_none());
    assert_eq!(verdict(&instance, &refresh).await, Err(AuthError::InvalidToken));
    let error = access(&instance).issue_tokens(&instance.server.store, &gone, TokenWish::default()).await;
    assert_eq!(error.err().unwrap().message, "unable to store refresh_token");
}

#[tokio::test]
async fn tokens_with_a_role_are_for_others() {
    let instance = instance().await;
    let wish = TokenWish { role: Some("app".to_owned()), ..TokenWish::default() };
    for token in issue(&instance, wish).await {
        assert_eq!(verdict(&instance, &token).await, Err(AuthError::InvalidToken));
    }
}

#[tokio::test]
async fn keys_of_another_instance_are_not_trusted() {
    let instance = instance().await;
    let other = Instance::new().await;
    let token = sign(&instance, claims(Purpose::Operation)).await;
    assert_eq!(verdict(&other, &token).await, Err(AuthError::InvalidToken));
    assert!(!other.server.config.root_path.join("keys").exists(), "no keys are made to find that out");
}

#[tokio::test]
async fn without_keys_there_are_no_tokens() {
    let instance = instance().await;
    let pass = instance.server.config.root_path.join("keys/.jwtPass");
    std::fs::write(pass, "wrong").unwrap();
    let answer = instance.admin(r#"{"operation":"create_authentication_tokens"}"#).await;
    assert_eq!(
        answer,
        r#"{"error":"unable to generate JWT as there are no encryption keys.  please contact your administrator"}"#
    );
}

#[tokio::test]
async fn what_is_stored_is_no_token() {
    let instance = instance().await;
    let [_, refresh] = issue(&instance, TokenWish::default()).await;
    let stored = instance
        .admin(r#"{"operation":"search_by_id","database":"system","table":"hdb_user","ids":["kim"],"get_attributes":["refresh_token"]}"#)
        .await;
    assert!(stored.contains("refresh_token") && !stored.contains(&refresh), "{stored}");
    let kim = access(&instance).user("kim").unwrap();
    let shown = format!("{kim:?} {} {}", Value::to_json(kim.info()), kim.listing().to_json());
    assert!(!shown.contains("refresh_token"), "{shown}");
}
