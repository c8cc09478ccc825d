//! The form of tokens.

use super::claims::Claims;
use super::keys::Keys;
use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, Validation, decode_header};

const HEADER: &str = r#"{"alg":"RS256","typ":"JWT"}"#;

/// Makes a token. The same claims make the same token.
pub(super) fn encode(keys: &Keys, claims: &Claims) -> anyhow::Result<String> {
    let mut token = URL_SAFE_NO_PAD.encode(HEADER);
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(serde_json::to_vec(claims)?, &mut token);
    let signature = jsonwebtoken::crypto::sign(token.as_bytes(), &keys.signing, Algorithm::RS256)
        .context("a token cannot be signed")?;
    token.push('.');
    token.push_str(&signature);
    Ok(token)
}

/// Whether a text could be one of our tokens, told without any key.
pub(super) fn is_plausible(token: &str) -> bool {
    decode_header(token).is_ok_and(|header| header.alg == Algorithm::RS256)
}

/// What a token says, when its signature is ours. Whether its time is over is for the caller to see, each time.
pub(super) fn decode(keys: &Keys, token: &str) -> Option<Claims> {
    let mut validation = Validation::new(Algorithm::RS256);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    jsonwebtoken::decode::<Claims>(token, &keys.verifying, &validation).ok().map(|token| token.claims)
}

#[cfg(test)]
mod tests {
    use super::super::claims::Purpose;
    use super::super::keys::sample;
    use super::*;

    fn claims(username: &str) -> Claims {
        let username = username.to_owned();
        Claims { username, super_user: true, role: None, iat: 1, exp: 2, sub: Purpose::Refresh }
    }

    fn forged(header: &str, signature: &str) -> String {
        let claims = serde_json::to_vec(&claims("kim")).unwrap();
        format!("{}.{}.{signature}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn what_is_encoded_is_decoded() {
        let token = encode(&sample(), &claims("kim")).unwrap();
        assert!(token.starts_with("eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9."), "{token}");
        assert!(is_plausible(&token));
        assert_eq!(decode(&sample(), &token), Some(claims("kim")));
        assert_eq!(token, encode(&sample(), &claims("kim")).unwrap());
    }

    #[test]
    fn a_token_of_anything_else_is_none() {
        let keys = sample();
        let token = encode(&keys, &claims("kim")).unwrap();
        let other = encode(&keys, &claims("eve")).unwrap();
        let parts = |token: &str| token.split('.').map(str::to_owned).collect::<Vec<_>>();
        let spliced = format!("{}.{}.{}", parts(&token)[0], parts(&other)[1], parts(&token)[2]);
        let hmac = jsonwebtoken::encode(
            &jsonwebtoken::Header::new(Algorithm::HS256),
            &claims("kim"),
            &jsonwebtoken::EncodingKey::from_secret(sample().public_pem.as_bytes()),
        );
        for wrong in [
            String::new(),
            "junk".to_owned(),
            "a.b.c".to_owned(),
            format!("{token}AAAA"),
            format!("x{token}"),
            token[..token.len() - 1].to_owned(),
            format!("{token}.x"),
            spliced,
            forged(r#"{"alg":"none","typ":"JWT"}"#, ""),
            forged(r#"{"alg":"RS384","typ":"JWT"}"#, &parts(&token)[2]),
            forged(HEADER, ""),
            hmac.unwrap(),
        ] {
            assert_eq!(decode(&keys, &wrong), None, "{wrong}");
        }
    }
}
