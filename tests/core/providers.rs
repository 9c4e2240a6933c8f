//! Tokens in the shape of ten providers', and the configurations of docs/recipes/providers.md for them.
//!
//! The keys are replaced by one of ours, and discovery by what the provider's document says; the rest of each configuration
//! is as it is printed.

use lychgate::decision::Decision;
use lychgate::engine::Engine;
use lychgate::host::InMemoryHost;
use lychgate::request::Request;
use lychgate_tests::book::blocks;
use lychgate_tests::keys;
use lychgate_tests::tokens::{Token, now};
use serde_json::{Value, json};

/// A token, a path, and what becomes of it: the subject and the scopes that the upstream is told, or the status.
struct Try {
    claims: Value,
    path: &'static str,
    told: Result<(&'static str, &'static str), u16>,
}

fn good(claims: Value, subject: &'static str, scopes: &'static str) -> Try {
    Try { claims, path: "/", told: Ok((subject, scopes)) }
}

fn bad(claims: Value, status: u16) -> Try {
    Try { claims, path: "/", told: Err(status) }
}

/// `claims` with these besides.
fn with(claims: &Value, more: Value) -> Value {
    let mut claims = claims.clone();
    for (name, value) in more.as_object().expect("an object") {
        claims[name] = value.clone();
    }
    claims
}

/// The issuer by the provider's discovery document, and what is tried.
fn providers() -> Vec<(&'static str, &'static str, Vec<Try>)> {
    let cognito = json!({
        "iss": "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Example", "client_id": "app1", "origin_jti": "o",
        "event_id": "e", "token_use": "access", "scope": "openid items:read", "auth_time": now(), "jti": "j",
        "username": "jd", "cognito:groups": ["Admins"],
    });
    let tenant = "11111111-1111-1111-1111-111111111111";
    let entra = json!({
        "aud": "22222222-2222-2222-2222-222222222222", "iss": format!("https://login.microsoftonline.com/{tenant}/v2.0"),
        "azp": "c", "name": "John Doe", "oid": "o", "preferred_username": "jd@shop.example", "rh": "r", "scp": "access_as_user",
        "roles": ["admin"], "tid": tenant, "uti": "u", "ver": "2.0", "nbf": now(), "sub": "pairwise",
    });
    let keycloak = json!({
        "iss": "https://sso.shop.example/realms/shop", "aud": ["shop-api", "account"], "typ": "Bearer", "azp": "shop", "sid": "s",
        "acr": "1", "allowed-origins": ["*"], "realm_access": {"roles": ["offline_access", "admin"]},
        "resource_access": {"shop.api": {"roles": ["items:read"]}, "account": {"roles": ["manage-account"]}},
        "scope": "openid profile", "email_verified": true, "preferred_username": "jd", "jti": "j",
    });
    let auth0 = json!({
        "iss": "https://shop.eu.auth0.com/", "sub": "auth0|1", "aud": ["https://api.shop.example", "https://shop.eu.auth0.com/userinfo"],
        "azp": "c", "scope": "openid profile", "permissions": ["items:read"], "https://shop.example/tenant": "acme",
    });
    let okta = json!({
        "ver": 1, "jti": "AT.x", "iss": "https://shop.okta.com/oauth2/default", "aud": "api://default", "cid": "0oa1example",
        "uid": "u", "scp": ["openid", "items:read"], "auth_time": now(), "sub": "jd@shop.example", "groups": ["Everyone", "Shop Admins"],
    });
    let google = json!({
        "iss": "https://accounts.google.com", "azp": "1", "aud": "https://api.shop.example", "sub": "1",
        "email": "robot@shop.iam.gserviceaccount.com", "email_verified": true,
    });
    let firebase = json!({
        "iss": "https://securetoken.google.com/shop", "aud": "shop", "auth_time": now(), "user_id": "u", "sub": "u",
        "name": "J\u{f6}rg ", "email": "j@shop.example", "firebase": {"identities": {}, "sign_in_provider": "password"},
    });
    let kubernetes = json!({
        "aud": ["shop-api"], "iss": "https://kubernetes.default.svc.cluster.local", "nbf": now(), "jti": "j",
        "kubernetes.io": {"namespace": "prod", "node": {"name": "n"}, "pod": {"name": "p"},
            "serviceaccount": {"name": "billing", "uid": "u"}},
        "sub": "system:serviceaccount:prod:billing",
    });
    let actions = json!({
        "iss": "https://token.actions.githubusercontent.com", "aud": "https://deploy.shop.example", "repository": "shop/api",
        "sub": "repo:shop/api:environment:production", "ref": "refs/heads/main", "environment": "production", "actor": "jd",
        "repository_owner": "shop", "workflow": "deploy", "event_name": "push", "runner_environment": "github-hosted",
    });
    let spiffe = json!({"sub": "spiffe://example.org/ns/prod/sa/billing", "aud": ["spiffe://example.org/ns/prod/sa/api"]});
    let at = |path, one: Try| Try { path, ..one };
    vec![
        (
            "Amazon Cognito",
            "",
            vec![
                good(cognito.clone(), "johndoe", "openid items:read admin"),
                bad(with(&cognito, json!({"token_use": "id", "aud": "app1", "client_id": null})), 401),
                bad(with(&cognito, json!({"client_id": "app2"})), 401),
                bad(
                    with(&cognito, json!({"iss": "https://cognito-idp.eu-central-1.amazonaws.com/other"})),
                    401,
                ),
            ],
        ),
        (
            "Entra ID, one tenant",
            "",
            vec![
                good(entra.clone(), "pairwise", "access_as_user admin"),
                bad(with(&entra, json!({"aud": "00000003-0000-0000-c000-000000000000"})), 401),
                bad(with(&entra, json!({"ver": "1.0"})), 401),
                bad(with(&entra, json!({"scp": null})), 403),
            ],
        ),
        (
            "Entra ID, many tenants",
            "https://login.microsoftonline.com/{tenantid}/v2.0",
            vec![
                good(entra.clone(), "pairwise", "access_as_user admin"),
                bad(with(&entra, json!({"tid": "33333333-3333-3333-3333-333333333333"})), 401),
                bad(
                    with(&entra, json!({"tid": "4", "iss": "https://login.microsoftonline.com/4/v2.0"})),
                    401,
                ),
            ],
        ),
        (
            "Keycloak",
            "",
            vec![
                good(keycloak.clone(), "johndoe", "openid profile offline_access admin items:read"),
                bad(with(&keycloak, json!({"typ": "ID"})), 401),
                bad(
                    with(&keycloak, json!({"typ": "Refresh", "aud": "https://sso.shop.example/realms/shop"})),
                    401,
                ),
                bad(with(&keycloak, json!({"aud": "account"})), 401),
                bad(with(&keycloak, json!({"realm_access": {"roles": []}})), 403),
            ],
        ),
        (
            "Auth0",
            "https://shop.eu.auth0.com/",
            vec![
                good(auth0.clone(), "auth0|1", "items:read"),
                bad(with(&auth0, json!({"iss": "https://shop.eu.auth0.com"})), 401),
                bad(with(&auth0, json!({"aud": "https://shop.eu.auth0.com/userinfo"})), 401),
                bad(with(&auth0, json!({"permissions": []})), 403),
            ],
        ),
        (
            "Okta",
            "",
            vec![
                good(okta.clone(), "jd@shop.example", "openid items:read admin"),
                bad(with(&okta, json!({"cid": "0oa2"})), 401),
                bad(with(&okta, json!({"scp": ["openid"]})), 403),
            ],
        ),
        (
            "Google",
            "",
            vec![
                good(google.clone(), "robot@shop.iam.gserviceaccount.com", ""),
                bad(with(&google, json!({"email": "other@shop.iam.gserviceaccount.com"})), 401),
                bad(with(&google, json!({"email_verified": false})), 401),
                bad(with(&google, json!({"email_verified": "true"})), 401),
                bad(with(&google, json!({"aud": "https://other.example"})), 401),
            ],
        ),
        (
            "Firebase",
            "",
            vec![
                good(firebase.clone(), "u", ""),
                bad(with(&firebase, json!({"firebase": {"sign_in_provider": "anonymous"}})), 401),
                bad(
                    with(&firebase, json!({"iss": "https://securetoken.google.com/other", "aud": "other"})),
                    401,
                ),
            ],
        ),
        (
            "Kubernetes service accounts",
            "",
            vec![
                good(kubernetes.clone(), "system:serviceaccount:prod:billing", ""),
                bad(with(&kubernetes, json!({"kubernetes.io": {"namespace": "dev"}})), 401),
                bad(with(&kubernetes, json!({"aud": ["https://kubernetes.default.svc.cluster.local"]})), 401),
            ],
        ),
        (
            "GitHub Actions",
            "",
            vec![
                at("/production/x", good(actions.clone(), "repo:shop/api:environment:production", "")),
                at("/production/x", bad(with(&actions, json!({"ref": "refs/heads/fix"})), 403)),
                at("/production/x", bad(with(&actions, json!({"environment": null})), 403)),
                good(
                    with(&actions, json!({"ref": "refs/heads/fix"})),
                    "repo:shop/api:environment:production",
                    "",
                ),
                bad(with(&actions, json!({"repository": "shop/api-fork"})), 401),
                bad(with(&actions, json!({"repository": "evil/api"})), 401),
            ],
        ),
        (
            "SPIFFE JWT-SVID",
            "",
            vec![
                good(spiffe.clone(), "spiffe://example.org/ns/prod/sa/billing", ""),
                bad(with(&spiffe, json!({"sub": "spiffe://example.org/ns/prod/sa/web"})), 401),
                bad(with(&spiffe, json!({"aud": ["spiffe://example.org/ns/prod/sa/other"]})), 401),
                bad(with(&spiffe, json!({"aud": null})), 401),
            ],
        ),
    ]
}

/// The configuration with a key of ours.
fn with_our_key(mut configuration: Value, discovered: &str) -> Value {
    for (_, scheme) in configuration["schemes"].as_object_mut().expect("schemes") {
        let url = scheme["openIdConnectUrl"].as_str().map(str::to_owned);
        let jwt = scheme["jwt"].as_object_mut().expect("jwt");
        jwt.remove("cluster");
        jwt.remove("remote_jwks");
        jwt.insert("keys".into(), json!([{"alg": "HS256", "secret": keys::SECRET}]));
        let by_url = url.map(|url| url.replace("/.well-known/openid-configuration", ""));
        let issuer = if discovered.is_empty() { by_url } else { Some(discovered.to_owned()) };
        if let Some(issuer) = issuer {
            jwt.insert("issuer".into(), issuer.into());
        }
    }
    configuration
}

#[test]
fn the_tokens_of_ten_providers_are_taken_by_the_configurations_of_the_recipe() {
    let text = lychgate_tests::book::read("docs/recipes/providers.md");
    let headings: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    let configurations = blocks("docs/recipes/providers.md");
    let providers = providers();
    assert_eq!(headings, providers.iter().map(|(name, ..)| *name).collect::<Vec<_>>());
    assert_eq!(configurations.len(), providers.len());
    let mut faults = Vec::new();
    for ((name, discovered, tries), block) in providers.into_iter().zip(configurations) {
        let configuration: Value = serde_saphyr::from_str(&block.text).expect("YAML");
        let configuration = with_our_key(configuration, discovered);
        let engine = Engine::compile(configuration.to_string().as_bytes(), &|_| None);
        let engine = engine.unwrap_or_else(|errors| panic!("{name}: {errors:?}")).engine;
        assert!(
            tries.iter().any(|one| one.told.is_ok()) && tries.iter().any(|one| one.told.is_err()),
            "{name}"
        );
        for Try { claims, path, told } in tries {
            let token = claims
                .as_object()
                .expect("claims")
                .iter()
                .fold(Token::new(), |token, (claim, value)| token.claim(claim, value.clone()));
            let authorization = format!("Bearer {}", token.sign("HS256"));
            let headers: [(&[u8], &[u8]); 4] = [
                (b":method", b"GET"),
                (b":path", path.as_bytes()),
                (b":authority", b"a"),
                (b"authorization", authorization.as_bytes()),
            ];
            let seen = match engine.decide(&Request::new(&headers), &InMemoryHost::at(now()), false) {
                Decision::Allow(allow) => {
                    let identity = allow.identity.expect("an identity");
                    Ok((identity.subject.clone().unwrap_or_default(), identity.scopes.join(" ")))
                }
                Decision::Deny(denial) => Err(denial.status()),
                _ => panic!("{name}: another decision"),
            };
            let told = told.map(|(subject, scopes)| (subject.to_owned(), scopes.to_owned()));
            if seen != told {
                faults.push(format!("{name}: {claims}\n  seen {seen:?}, expected {told:?}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
