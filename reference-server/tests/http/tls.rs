//! The secure port: which certificate it shows, and what clients' certificates prove.

use super::authority::{Authority, serve_with};
use super::listeners::client;
use super::{ADMIN, Instance, MUST_LOGIN};
use rcgen::{CrlDistributionPoint, KeyPair, SerialNumber};
use reference_server::config::{CertificateUser, Lists, Mtls, Verification};
use reqwest::{Certificate, Identity, RequestBuilder, Response};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;

impl Authority {
    fn signed(&self, name: &str, hosts: &[&str]) -> (String, String) {
        self.signed_with(name, hosts, |_| {})
    }

    fn trusted(&self) -> Certificate {
        Certificate::from_pem(self.pem.as_bytes()).unwrap()
    }

    fn client(&self, name: &str) -> Identity {
        let (pem, key) = self.signed(name, &[]);
        Identity::from_pem(format!("{pem}{key}").as_bytes()).unwrap()
    }
}

/// An instance with a secure port and a key for its own certificates, because making one takes a while.
pub async fn secure(mtls: Option<Mtls>) -> Instance {
    Instance::with(|config| {
        config.network.secure_port = Some(0);
        config.network.mtls = mtls;
        let keys = config.root_path.join("keys");
        std::fs::create_dir_all(&keys).unwrap();
        std::fs::write(keys.join("privateKey.pem"), KeyPair::generate().unwrap().serialize_pem()).unwrap();
    })
    .await
}

impl Instance {
    async fn json(&self, request: Value) -> Value {
        self.operation(&request.to_string()).await.json()
    }

    async fn add_certificate(&self, name: &str, pair: (String, String), more: Value) {
        let mut request = json!({"operation": "add_certificate", "name": name, "certificate": pair.0,
            "private_key": pair.1, "is_authority": false});
        request.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
        let answer = self.json(request).await;
        assert_eq!(answer, json!({"message": format!("Successfully added certificate: {name}")}));
    }

    pub async fn trust(&self, authority: &Authority) {
        let answer = self
            .json(json!({"operation": "add_certificate", "name": "ca", "certificate": authority.pem, "is_authority": true}))
            .await;
        assert_eq!(answer, json!({"message": "Successfully added certificate: ca"}));
    }

    pub async fn own_authority(&self) -> Certificate {
        let listed = self.json(json!({"operation": "list_certificates"})).await;
        let own = listed.as_array().unwrap().iter().find(|one| one["is_authority"] == true).unwrap();
        Certificate::from_pem(own["certificate"].as_str().unwrap().as_bytes()).unwrap()
    }

    fn address(&self, host: &str) -> String {
        format!("https://{host}:{}/", self.running().secure.unwrap().port())
    }

    /// Asks who one is, trusting nobody but the authority and showing a certificate.
    pub fn asking(&self, trusted: Certificate, identity: Option<Identity>) -> RequestBuilder {
        let mut builder = client().tls_certs_only([trusted]);
        if let Some(identity) = identity {
            builder = builder.identity(identity);
        }
        builder
            .build()
            .unwrap()
            .post(self.address("localhost"))
            .header("content-type", "application/json")
            .body(r#"{"operation":"user_info"}"#)
    }
}

pub async fn told(request: RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

async fn health(instance: &Instance, host: &str, trusted: &Certificate) -> reqwest::Result<Response> {
    let place = instance.running().secure.unwrap();
    let client = client().tls_certs_only([trusted.clone()]).resolve(host, place).build().unwrap();
    client.get(format!("{}health", instance.address(host))).send().await
}

#[tokio::test]
async fn the_secure_port_makes_its_own_certificate_and_keeps_it() {
    let instance = Instance::with(|config| config.network.secure_port = Some(0)).await;
    let trusted = instance.own_authority().await;
    let keys = instance.folder.path().join("keys");
    let mode = std::fs::metadata(keys.join("privateKey.pem")).unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0, "only the owner reads the key");
    let response = health(&instance, "localhost", &trusted).await.unwrap();
    assert_eq!((response.version(), response.status().as_u16()), (reqwest::Version::HTTP_2, 200));
    let old = client().tls_certs_only([trusted.clone()]).http1_only().build().unwrap();
    let response = old.get(instance.address("127.0.0.1")).send().await.unwrap();
    assert_eq!(response.version(), reqwest::Version::HTTP_11);
    assert_eq!(response.headers()["connection"], "keep-alive");
}

#[tokio::test]
async fn certificates_of_the_table_are_used_at_once_for_their_hosts() {
    let instance = secure(None).await;
    let own = instance.own_authority().await;
    let authority = Authority::new("Test Authority");
    let trusted = authority.trusted();
    assert!(health(&instance, "shop.example", &trusted).await.is_err());
    let pair = authority.signed("shop", &["shop.example", "*.shop.example"]);
    instance.add_certificate("shop", pair, json!({"uses": ["mqtt"]})).await;
    for host in ["shop.example", "eu.shop.example"] {
        assert!(health(&instance, host, &trusted).await.is_ok(), "{host}");
        assert!(health(&instance, host, &own).await.is_err(), "{host}");
    }
    // The one for everybody else is the best of all.
    let pair = authority.signed("api", &["localhost", "other.example"]);
    instance
        .add_certificate("api", pair, json!({"uses": ["operations-api"], "hosts": ["other.example"]}))
        .await;
    assert!(health(&instance, "other.example", &trusted).await.is_ok());
    let removed = instance.json(json!({"operation": "remove_certificate", "name": "api"})).await;
    assert_eq!(removed, json!({"message": "Successfully removed api"}));
    assert!(health(&instance, "other.example", &trusted).await.is_err());
    assert!(health(&instance, "localhost", &own).await.is_ok());
}

#[tokio::test]
async fn configured_files_come_into_the_table() {
    let authority = Authority::new("Test Authority");
    let (pem, key) = authority.signed("node.example", &["node.example"]);
    let instance = Instance::with(|config| {
        config.network.secure_port = Some(0);
        let keys = config.root_path.join("own");
        std::fs::create_dir_all(&keys).unwrap();
        for (name, text) in [("c.pem", &pem), ("k.pem", &key), ("ca.pem", &authority.pem)] {
            std::fs::write(keys.join(name), text).unwrap();
        }
        config.tls.certificate = Some(keys.join("c.pem"));
        config.tls.private_key = Some(keys.join("k.pem"));
        config.tls.certificate_authority = Some(keys.join("ca.pem"));
    })
    .await;
    assert!(health(&instance, "node.example", &authority.trusted()).await.is_ok());
    let found = instance
        .json(json!({"operation": "search_by_value", "database": "system", "table": "hdb_certificate",
            "attribute": "name", "value": "*", "get_attributes": ["name", "is_authority", "private_key_name"]}))
        .await;
    assert_eq!(
        found,
        json!([
            {"name": "Test Authority", "is_authority": true, "private_key_name": null},
            {"name": "node.example", "is_authority": false, "private_key_name": "k.pem"},
        ])
    );
    instance.json(json!({"operation": "remove_certificate", "name": "node.example"})).await;
    assert!(instance.folder.path().join("own/k.pem").exists(), "the file is not the server's to remove");
}

#[tokio::test]
async fn a_client_s_certificate_is_its_user() {
    let instance = secure(Some(Mtls::default())).await;
    let own = instance.own_authority().await;
    let authority = Authority::new("Test Authority");
    let asking = |name: &str| instance.asking(own.clone(), Some(authority.client(name)));
    // An authority nobody knows: the certificate proves nothing, yet the client may show something else.
    let nobody = (401, serde_json::from_str(MUST_LOGIN).unwrap());
    assert_eq!(told(asking("admin")).await, nobody);
    assert_eq!(told(asking("admin").header("authorization", ADMIN)).await.0, 200);
    instance.trust(&authority).await;
    let (status, body) = told(asking("admin")).await;
    assert_eq!((status, &body["username"]), (200, &json!("admin")));
    // The certificate beats the header, wrong as it is.
    assert_eq!(told(asking("admin").header("authorization", "Basic YWRtaW46d3Jvbmc=")).await.0, 200);
    let (status, body) = told(asking("nosuch")).await;
    assert_eq!(status, 403);
    assert_eq!(
        body["unauthorized_access"][0],
        "User nosuch has no role or permissions.  Please assign the user a valid role."
    );
    let added = json!({"operation": "add_user", "username": "idle", "password": "x", "role": "super_user", "active": false});
    assert_eq!(instance.json(added).await, json!({"message": "idle successfully added"}));
    assert_eq!(
        told(asking("idle")).await,
        (401, json!({"error": "Cannot complete request: User is inactive"}))
    );
    assert_eq!(told(instance.asking(own.clone(), None)).await, nobody);
    // An authority that is gone is trusted no more.
    instance.json(json!({"operation": "remove_certificate", "name": "ca"})).await;
    assert_eq!(told(asking("admin")).await, nobody);
}

#[tokio::test]
async fn certificates_can_be_required() {
    let instance =
        secure(Some(Mtls { user: CertificateUser::Nobody, required: true, ..Mtls::default() })).await;
    let own = instance.own_authority().await;
    let authority = Authority::new("Test Authority");
    instance.trust(&authority).await;
    assert!(instance.asking(own.clone(), None).send().await.is_err());
    let stranger = Authority::new("Another Authority").client("admin");
    assert!(instance.asking(own.clone(), Some(stranger)).send().await.is_err());
    let asking = || instance.asking(own.clone(), Some(authority.client("admin")));
    assert_eq!(told(asking()).await.0, 401);
    assert_eq!(told(asking().header("authorization", ADMIN)).await.1["username"], "admin");
}

#[tokio::test]
async fn all_certificates_can_stand_for_one_user() {
    let instance =
        secure(Some(Mtls { user: CertificateUser::Named("admin".to_owned()), ..Mtls::default() })).await;
    let own = instance.own_authority().await;
    let authority = Authority::new("Test Authority");
    instance.trust(&authority).await;
    let asking = instance.asking(own, Some(authority.client("anybody")));
    assert_eq!(told(asking).await.1["username"], "admin");
}

/// Serves the same bytes to everybody who asks, and returns where.
async fn serve(bytes: Vec<u8>) -> String {
    serve_with(move |_| bytes.clone()).await
}

#[tokio::test]
async fn revoked_certificates_are_refused() {
    let authority = Authority::new("Test Authority");
    let lists = |next: i32, by: &Authority| by.list(next, &[7]);
    let current = serve(lists(2090, &authority)).await;
    let outdated = serve(lists(2025, &authority)).await;
    let foreign = serve(lists(2090, &Authority::new("Test Authority"))).await;
    let nowhere = "http://127.0.0.1:1/list".to_owned();
    let client = |serial: u8, place: Option<&String>| {
        let (pem, key) = authority.signed_with("admin", &[], |params| {
            params.serial_number = Some(SerialNumber::from_slice(&[serial]));
            params.crl_distribution_points =
                place.map(|place| CrlDistributionPoint { uris: vec![place.clone()] }).into_iter().collect();
        });
        Identity::from_pem(format!("{pem}{key}").as_bytes()).unwrap()
    };
    let refused = (401, json!({"error": "Certificate revoked or verification failed"}));
    for fail_open in [false, true] {
        let crl = Lists { fail_open, ..Lists::default() };
        let verification = Some(Verification { crl, ..Verification::default() });
        let instance = secure(Some(Mtls { verification, ..Mtls::default() })).await;
        let own = instance.own_authority().await;
        instance.trust(&authority).await;
        let asking = |identity| instance.asking(own.clone(), Some(identity));
        assert_eq!(told(asking(client(8, Some(&current)))).await.0, 200);
        assert_eq!(told(asking(client(7, Some(&current)))).await, refused);
        assert_eq!(told(asking(client(7, Some(&current))).header("authorization", ADMIN)).await, refused);
        assert_eq!(told(asking(client(7, None))).await.0, 200, "there is nothing to check");
        for place in [&outdated, &foreign, &nowhere] {
            let (status, body) = told(asking(client(8, Some(place)))).await;
            assert_eq!(status, if fail_open { 200 } else { 401 }, "{place}: {body}");
        }
    }
}
