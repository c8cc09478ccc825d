//! A command that repeats one request, without secrets: passwords and tokens are shell variables to be set first.

use crate::runner::Caller;
use crate::secrets::MASK;
use crate::target::{Place, Request, Target};
use base64::Engine as _;
use std::fmt::Write as _;

/// The command that repeats a request.
pub fn line(target: &Target, caller: &Caller, request: &Request) -> String {
    if let Some(wire) = &request.wire {
        return netcat(target, wire);
    }
    let mut line = String::from("curl -sS -i");
    let url = match &target.place {
        Place::Unix(path) => {
            let _ = write!(line, " --unix-socket {}", quote(&path.display().to_string()));
            "http://localhost".to_owned()
        }
        Place::Tcp { .. } => target.address(),
    };
    let by_hand = request.header("authorization");
    match caller {
        Caller::Admin if by_hand == Some(&target.admin.basic()) => {
            let _ = write!(line, " -u {}\":$PASSWORD\"", quote(&target.admin.username));
        }
        Caller::User(user) if by_hand == Some(&user.basic()) => {
            let _ = write!(line, " -u {}\":$PASSWORD\"", quote(&user.username));
        }
        Caller::Bearer(_) if by_hand.is_some() => line.push_str(" -H \"Authorization: Bearer $TOKEN\""),
        _ if by_hand.is_some() => line.push_str(" -H \"Authorization: $AUTHORIZATION\""),
        _ => {}
    }
    for (name, value) in &request.headers {
        if !name.eq_ignore_ascii_case("authorization") {
            // curl sends a header without a value only when it ends with a semicolon.
            let header = if value.is_empty() { format!("{name};") } else { format!("{name}: {value}") };
            let _ = write!(line, " -H {}", quote(&header));
        }
    }
    if request.method == "HEAD" {
        line.push_str(" --head");
    } else if request.method != "POST" || request.body.is_empty() {
        let _ = write!(line, " -X {}", quote(&request.method));
    }
    let _ = write!(line, " {}", quote(&format!("{url}{}", request.path)));
    if request.body.is_empty() {
        return line;
    }
    match std::str::from_utf8(&request.body) {
        Ok(text) if !text.contains('\0') => {
            let secrets = crate::secrets::Secrets::new([target.admin.password.as_str()]);
            let shown = match request.json() {
                Some(value) if secrets.value(&value) != value => secrets.value(&value).to_string(),
                Some(_) => text.to_owned(),
                None => secrets.text(text),
            };
            let _ = write!(line, " --data-raw {}", quote(&shown));
            line
        }
        _ => {
            let encoded = base64::engine::general_purpose::STANDARD.encode(&request.body);
            format!("printf %s {encoded} | base64 -d | {line} --data-binary @-")
        }
    }
}

/// Bytes that no ordinary client sends go through netcat.
fn netcat(target: &Target, wire: &str) -> String {
    let secrets = crate::secrets::Secrets::new([target.admin.password.as_str()]);
    let mut format = String::new();
    for c in secrets.text(wire).chars() {
        match c {
            '\r' => format.push_str("\\r"),
            '\n' => format.push_str("\\n"),
            '\\' => format.push_str("\\\\"),
            '%' => format.push_str("%%"),
            c if c.is_control() => {
                let _ = write!(format, "\\{:03o}", u32::from(c));
            }
            c => format.push(c),
        }
    }
    let secret = format!("Authorization: {MASK}");
    let argument = if format.contains(&secret) { " \"$AUTHORIZATION\"" } else { "" };
    let format = format.replace(&secret, "Authorization: %s");
    let place = match &target.place {
        Place::Unix(path) => format!("-U {}", quote(&path.display().to_string())),
        Place::Tcp { host, port, .. } => format!("{host} {port}"),
    };
    format!("printf {}{argument} | nc {place}", quote(&format))
}

/// A word as a POSIX shell reads it back.
pub fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@,+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::{Credentials, Reach};
    use proptest::prelude::*;
    use serde_json::json;

    fn target(address: &str) -> Target {
        let admin = Credentials { username: "admin".into(), password: "Tr0ub4dor&3".into() };
        Target::new(address, admin, Reach::default()).unwrap()
    }

    #[test]
    fn an_operation_becomes_a_curl_line_without_its_secrets() {
        let target = target("http://127.0.0.1:9925");
        let body = json!({"operation": "add_user", "username": "it's", "password": "secret"});
        let request = Request::operation(&body, Some(target.admin.basic()));
        assert_eq!(
            line(&target, &Caller::Admin, &request),
            r#"curl -sS -i -u admin":$PASSWORD" -H 'Content-Type: application/json' http://127.0.0.1:9925/ --data-raw '{"operation":"add_user","username":"it'\''s","password":"[redacted]"}'"#
        );
        let health = Request {
            method: "GET".into(),
            path: "/health?a=1".into(),
            headers: vec![],
            body: vec![],
            wire: None,
        };
        assert_eq!(
            line(&target, &Caller::Nobody, &health),
            "curl -sS -i -X GET 'http://127.0.0.1:9925/health?a=1'"
        );
    }

    #[test]
    fn sockets_binary_bodies_and_raw_bytes_have_lines_too() {
        let target = target("unix:/run/ops");
        let mut request = Request::operation(&json!({}), Some("Bearer eyJx.y.z".into()));
        request.body = vec![0xa0, 0xff];
        assert_eq!(
            line(&target, &Caller::Bearer("eyJx.y.z".into()), &request),
            "printf %s oP8= | base64 -d | curl -sS -i --unix-socket /run/ops -H \"Authorization: Bearer $TOKEN\" -H 'Content-Type: application/json' http://localhost/ --data-binary @-"
        );
        request.wire = Some("POST / HTTP/1.1\r\nAuthorization: Basic YTpi\r\n\r\n100%".into());
        assert_eq!(
            line(&target, &Caller::Admin, &request),
            r#"printf 'POST / HTTP/1.1\r\nAuthorization: %s\r\n\r\n100%%' "$AUTHORIZATION" | nc -U /run/ops"#
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn a_shell_reads_back_what_was_quoted(word in "[^\0]{0,30}") {
            let out = std::process::Command::new("sh").arg("-c").arg(format!("printf %s {}", quote(&word))).output().unwrap();
            prop_assert_eq!(String::from_utf8(out.stdout).unwrap(), word);
        }
    }
}
