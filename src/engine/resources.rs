//! The metadata of protected resources (RFC 9728), served to everyone: also to scripts of any origin, for clients in
//! browsers read it before they have a token.

use crate::decision::{Attribution, Decision, Denial, Response, RuleId};
use crate::policy::Resource;
use crate::reason::Reason;
use crate::request::Request;

/// The answer to a request for the metadata of `resource`.
///
/// # Errors
/// If it is asked for by another method.
pub fn answer(resource: &Resource, request: &Request<'_>) -> Result<Decision, Denial> {
    let attribution = Attribution::rule(RuleId::Documentation);
    let answer = |status, body: Vec<u8>| {
        let response = Response::new(status, "application/json", body.into(), "resource_metadata")
            .with_header("access-control-allow-origin", "*");
        Response { attribution, ..response }
    };
    match request.method() {
        b"GET" | b"HEAD" => {
            let response = answer(200, resource.metadata.clone()).with_header("cache-control", "max-age=300");
            Ok(Decision::LocalReply(response))
        }
        b"OPTIONS" => Ok(Decision::LocalReply(
            answer(204, Vec::new())
                .with_header("access-control-allow-methods", "GET, HEAD, OPTIONS")
                .with_header("access-control-allow-headers", "*")
                .with_header("access-control-max-age", "86400"),
        )),
        _ => Err(Denial::new(Reason::MethodNotAllowed)
            .at(attribution)
            .with_header("allow", "GET, HEAD, OPTIONS")),
    }
}
