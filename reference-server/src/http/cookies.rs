//! The cookie of a session.

use super::Peer;
use crate::config::Authentication;
use chrono::Utc;
use hyper::HeaderMap;
use hyper::header::{
    ACCESS_CONTROL_EXPOSE_HEADERS, COOKIE, HOST, HeaderName, HeaderValue, ORIGIN, SET_COOKIE,
};
use hyper::http::request::Parts;

const SUFFIX: &str = "-hdb-session";
const SESSION_HEADER: HeaderName = HeaderName::from_static("x-hdb-session");

/// When cookies end that are to last: as late as can be written.
const LAST_DAY: &str = "Tue, 01 Oct 8307 19:33:20 GMT";

/// The session id that a request presents, whether or not there is such a session.
pub(super) fn presented(head: &Parts) -> Option<&str> {
    if !head.headers.contains_key(COOKIE) {
        return None;
    }
    let name = name(head);
    let cookies = head.headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    cookies.flat_map(|value| value.split(';')).find_map(|cookie| {
        let (found, value) = cookie.split_once('=')?;
        (found.trim() == name).then(|| value.trim())
    })
}

/// The cookie's name: sites on one machine, told apart by ports only, must not share it.
fn name(head: &Parts) -> String {
    let site = site(head);
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut name = site.to_owned();
    if let Some(at) = name.find(|c| !is_word(c)) {
        name.replace_range(at..=at, "_");
    }
    name + SUFFIX
}

/// The site a request is sent from or else to, without the scheme.
fn site(head: &Parts) -> &str {
    let site = match head.headers.get(ORIGIN) {
        Some(origin) => origin.to_str().unwrap_or_default(),
        None => host(head),
    };
    let site = site.strip_prefix("https://").or_else(|| site.strip_prefix("http://")).unwrap_or(site);
    // These would end the name or the cookie.
    if site.contains([';', ',', '=', ' ', '"', '\t']) { "" } else { site }
}

/// The host a request is sent to.
fn host(head: &Parts) -> &str {
    match head.headers.get(HOST) {
        Some(host) => host.to_str().unwrap_or_default(),
        // HTTP/2 has it elsewhere.
        None => head.uri.authority().map_or("", |authority| authority.as_str()),
    }
}

/// Hands a new session to the client.
pub(super) fn set(head: &Parts, peer: &Peer, settings: &Authentication, id: &str, answer: &mut HeaderMap) {
    let expires = match settings.cookie_expires.and_then(|life| chrono::Duration::from_std(life).ok()) {
        Some(life) => {
            Utc::now().checked_add_signed(life).map(|end| end.format("%a, %d %b %Y %H:%M:%S GMT").to_string())
        }
        None => None,
    };
    let expires = expires.as_deref().unwrap_or(LAST_DAY);
    let mut cookie = format!(
        "{}={id}; Path=/; Expires={expires}{}",
        name(head),
        if fault!("cookie-without-httponly") { "" } else { "; HttpOnly" }
    );
    if let Some(domain) = settings.cookie_domains.iter().find(|domain| is_within(site(head), domain)) {
        cookie.push_str("; Domain=");
        cookie.push_str(domain);
    }
    let host = host(head);
    let is_local = ["localhost:", "127.0.0.1:", "::1"].iter().any(|start| host.starts_with(start));
    let is_secure = is_local || matches!(peer, Peer::Network { secure: true, .. });
    if is_secure {
        cookie.push_str("; SameSite=None; Secure");
        answer.insert(SESSION_HEADER, HeaderValue::from_static("Secure"));
        answer.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("X-Hdb-Session"));
    }
    match HeaderValue::from_str(&cookie) {
        Ok(cookie) => drop(answer.append(SET_COOKIE, cookie)),
        Err(_) => {
            tracing::warn!("a session cookie cannot be sent: authentication.cookie.domains is no domain")
        }
    }
}

/// Whether a site is a domain, or below it.
fn is_within(site: &str, domain: &str) -> bool {
    let (site, domain) = (without_port(site).to_ascii_lowercase(), domain.to_ascii_lowercase());
    let domain = domain.strip_prefix('.').unwrap_or(&domain);
    site.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

fn without_port(site: &str) -> &str {
    match site.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => site,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::http::Certified;
    use hyper::Request;
    use std::net::Ipv4Addr;
    use std::time::Duration;

    fn head(headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::builder();
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    fn cookie(head: &Parts, secure: bool, adjust: impl FnOnce(&mut Authentication)) -> (String, HeaderMap) {
        let mut settings = Config::new("/nowhere").authentication;
        adjust(&mut settings);
        let mut answer = HeaderMap::new();
        let peer =
            Peer::Network { address: Ipv4Addr::LOCALHOST.into(), secure, certified: Certified::Nothing };
        set(head, &peer, &settings, "ID", &mut answer);
        (answer[SET_COOKIE].to_str().unwrap().to_owned(), answer)
    }

    #[test]
    fn names() {
        for (headers, expected) in [
            (vec![("host", "localhost:9925")], "localhost_9925-hdb-session"),
            (
                vec![("host", "x"), ("origin", "https://console.shop.example")],
                "console_shop.example-hdb-session",
            ),
            (vec![("host", "x"), ("origin", "null")], "null-hdb-session"),
            (vec![("host", "shop")], "shop-hdb-session"),
            (vec![("host", "a;b")], "-hdb-session"),
            (vec![], "-hdb-session"),
        ] {
            assert_eq!(name(&head(&headers)), expected, "{headers:?}");
        }
    }

    #[test]
    fn the_right_cookie_is_found() {
        let of = |cookies: &[&str]| {
            let mut headers = vec![("host", "h:1")];
            headers.extend(cookies.iter().map(|cookie| ("cookie", *cookie)));
            presented(&head(&headers)).map(str::to_owned)
        };
        assert_eq!(of(&["a=b; h_1-hdb-session=one; c=d"]).as_deref(), Some("one"));
        assert_eq!(of(&["a=b", "h_1-hdb-session=two"]).as_deref(), Some("two"));
        assert_eq!(of(&["g_1-hdb-session=one", "h_1-hdb-sessions=x", "h_1-hdb-session"]), None);
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn cookies_of_plain_sites() {
        let (cookie, answer) = cookie(&head(&[("host", "shop.example:9925")]), false, |_| {});
        assert_eq!(
            cookie,
            "shop_example:9925-hdb-session=ID; Path=/; Expires=Tue, 01 Oct 8307 19:33:20 GMT; HttpOnly"
        );
        assert_eq!(answer.len(), 1);
    }

    #[test]
    fn cookies_of_secure_sites() {
        for (host, secure) in [("shop.example", true), ("localhost:9925", false), ("127.0.0.1:80", false)] {
            let (cookie, answer) = cookie(&head(&[("host", host)]), secure, |_| {});
            assert!(cookie.ends_with("; HttpOnly; SameSite=None; Secure"), "{cookie}");
            assert_eq!(answer["x-hdb-session"], "Secure");
            assert_eq!(answer["access-control-expose-headers"], "X-Hdb-Session");
        }
    }

    #[test]
    fn domains_and_ends_as_configured() {
        let shop = head(&[("host", "ops.shop.example:9925")]);
        let (cookie, _) = cookie(&shop, true, |settings| {
            settings.cookie_domains = vec!["hop.example".to_owned(), ".shop.example".to_owned()];
            settings.cookie_expires = Some(Duration::from_secs(60));
        });
        assert!(cookie.contains("; HttpOnly; Domain=.shop.example; SameSite=None; Secure"), "{cookie}");
        let year = chrono::Utc::now().format("%Y").to_string();
        assert!(cookie.contains(&format!(" {year} ")) && !cookie.contains("8307"), "{cookie}");
    }
}
