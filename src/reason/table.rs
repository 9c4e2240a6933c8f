//! The table of reasons.

use super::{CountedFor, OAuthError};

reasons! {
    "credential_missing" for [Request]
        means "The request has no credential for any alternative of its rule."
        remedy "Send one where the scheme expects it. If it was sent: compare the header and prefix with `from`, and \
                the matched rule with the one you mean."
        {
            CredentialMissing: 401 "Not authenticated" if "`missing_status` of a scheme asked for is 401";
            CredentialMissingForbidden: 403 "Not authenticated" if "`missing_status` of every scheme asked for is 403";
        }
    "credential_twice" for [Token Basic ApiKey]
        means "The request has the same kind of credential twice, and the two could be read differently."
        remedy "Send it once. Proxies in front that add an `Authorization` header of their own are a usual cause."
        {
            TokenTwice: 401 "Could not validate credentials", Challenge "invalid_token" if "it is a token";
            PasswordTwice: 401 "Incorrect username or password" if "it is a username and password";
            ApiKeyTwice: 403 "Invalid API key" if "it is an API key";
        }
    "scope_lacking" for [Token Basic ApiKey Certificate]
        means "The credential is good, and lacks a scope that the rule asks for."
        remedy "Grant the scope where the credential comes from; the challenge names it. Look into `scope_claims` if \
                the token has it under another claim."
        { ScopeLacking: 403 "Not enough permissions", Challenge "insufficient_scope"; }
    "user_disabled" for [Request Token Basic]
        means "The user is known and proven, and switched off by `disabled: true`."
        remedy "Remove `disabled` from the user's entry if the user may come back."
        { UserDisabled: 403 "Inactive user"; }
    "user_unknown" for [Token]
        means "The token is good, and its `sub` names no user of the scheme's `users` directory."
        remedy "Add the user to the directory, or remove `users` from the scheme."
        { UserUnknown: 401 "Could not validate credentials", Challenge "invalid_token"; }
    "token_malformed" for [Token]
        means "The credential is not a JWT in compact form."
        remedy "Send the token itself, three parts joined by dots. Opaque tokens need `introspection`."
        { TokenMalformed: 401 "Could not validate credentials", Challenge "invalid_token"; }
    "token_too_long" for [Token]
        means "The token is longer than `max_token_bytes`."
        remedy "Raise `max_token_bytes`, or have the issuer put less into the token."
        { TokenTooLong: 401 "Could not validate credentials", Challenge "invalid_token"; }
    "token_critical_extension" for [Token]
        means "The token's header has `crit`, and no extension is understood (RFC 7515 section 4.1.11)."
        remedy "Have the issuer make tokens without `crit`."
        { TokenCriticalExtension: 401 "Could not validate credentials", Challenge "invalid_token"; }
    "token_bad_signature" for [Token]
        means "The token is signed by another key than those of the scheme, or was changed."
        remedy "Compare `keys` with the issuer's, and the issuer of the token with the one you mean."
        { TokenBadSignature: 401 "Could not validate credentials", Challenge "invalid_token"; }
    "token_no_matching_key" for [Token]
        means "No key of the scheme has the token's `alg` and `kid`."
        remedy "Add the key or its algorithm. A key that the issuer changed lately is fetched within \
                `refetch_seconds`."
        { TokenNoMatchingKey: 401 "Could not validate credentials", Challenge "invalid_token"; }
    "token_key_unusable" for [Token]
        means "The token names a key that is in the key set and was left out of it."
        remedy "The log says why when the set is read: `key 2 (\"kid\") is left out: ...`. Have the issuer sign with a key \
                that can be used, such as RSA of 2048 bits or more."
        { TokenKeyUnusable: 401 "Could not validate credentials", Challenge "invalid_token"; }
    "token_too_many_keys" for [Token]
        means "The token names no key, and there are more keys of its algorithm than are tried on one token."
        remedy "Give the keys a `kid`, and have the issuer name it in the token's header."
        { TokenTooManyKeys: 401 "Could not validate credentials", Challenge "invalid_token"; }
    "token_expired" for [Token]
        means "The token's `exp` has passed."
        remedy "Get a new token. If it is new: compare the clocks of the issuer and of Envoy."
        { TokenExpired: 401 "Could not validate credentials", Challenge "invalid_token"; }
    "token_not_yet_valid" for [Token]
        means "The token's `nbf` has not come."
        remedy "Compare the clocks of the issuer and of Envoy, or raise `leeway_seconds`."
        { TokenNotYetValid: 401 "Could not validate credentials", Challenge "invalid_token"; }
    "token_issued_in_future" for [Token]
        means "The token's `iat` has not come."
        remedy "Compare the clocks of the issuer and of Envoy, or raise `leeway_seconds`."
        { TokenIssuedInFuture: 401 "Could not validate credentials", Challenge "invalid_token"; }
    "token_wrong_issuer" for [Token]
        means "The token's `iss` is not the scheme's `issuer`, or not as discovery says."
        remedy "Compare them letter by letter, a slash at the end included."
        { TokenWrongIssuer: 401 "Could not validate credentials", Challenge "invalid_token"; }
    "token_wrong_audience" for [Token]
        means "The token's `aud` has none of the scheme's `audiences`: it was made for another service."
        remedy "Ask the issuer for a token for this service, or add its audience to `audiences`."
        { TokenWrongAudience: 401 "Could not validate credentials", Challenge "invalid_token"; }
    "token_missing_claim" for [Token]
        means "The token lacks a claim of `required_claims`; the log at debug names it."
        remedy "Have the issuer add the claim, or remove it from `required_claims`."
        { TokenMissingClaim: 401 "Could not validate credentials", Challenge "invalid_token"; }
    "token_bad_claim" for [Token]
        means "A claim has the wrong type or an impossible value; the log at debug names it."
        remedy "Mend it where the token is made."
        { TokenBadClaim: 401 "Could not validate credentials", Challenge "invalid_token"; }
    "token_revoked" for [Token]
        means "The token is revoked by `revoked` or by the list of `revocation`."
        remedy "Get a new token, if the caller may have one."
        { TokenRevoked: 401 "Could not validate credentials", Challenge "invalid_token"; }
    "token_inactive" for [Token]
        means "The issuer was asked about the token, and answered that it is not active."
        remedy "Get a new token. If it is new: compare the issuer that made it with `introspection`."
        { TokenInactive: 401 "Could not validate credentials", Challenge "invalid_token"; }
    "token_other_use" for [Token]
        means "By the issuer's answer it is a refresh token, an ID token or another one that is no access token."
        remedy "Send the access token."
        { TokenOtherUse: 401 "Could not validate credentials", Challenge "invalid_token"; }
    "token_wrong_type" for [Token]
        means "The token's `typ` is none of `types`, or says that it is neither an access token nor an ID token."
        remedy "Send the access token. If this is one: name its `typ` in `types`."
        { TokenWrongType: 401 "Could not validate credentials", Challenge "invalid_token"; }
    "token_claim_refused" for [Token]
        means "A claim does not meet the condition that the scheme's `claims` has for it; the log at debug names it."
        remedy "Ask the issuer for a token that meets it, or change the condition."
        { TokenClaimRefused: 401 "Could not validate credentials", Challenge "invalid_token"; }
    "token_confirmation_unknown" for [Token]
        means "The token is bound (`cnf`) by a method that is neither a key's thumbprint nor a certificate's."
        remedy "Have the issuer bind it by `jkt` (RFC 9449) or `x5t#S256` (RFC 8705); or set `cnf: ignore`."
        { TokenConfirmationUnknown: 401 "Could not validate credentials", Challenge "invalid_token"; }
    "token_unbound" for [Token]
        means "The token is bound to no key or no certificate, and the scheme or the way it is sent asks for that."
        remedy "Have the client ask for a bound token; or remove `required` from `dpop` or `certificate_bound`. A token \
                without a key is sent with the scheme `Bearer`."
        { TokenUnbound: 401 "Could not validate credentials", Challenge "invalid_token"; }
    "token_certificate_mismatch" for [Token]
        means "The token is bound to a client certificate, and the connection has another one or none."
        remedy "Use the token over a connection with the certificate that it was issued for, and have the listener ask for \
                client certificates."
        { TokenCertificateMismatch: 401 "Could not validate credentials", Challenge "invalid_token"; }
    "dpop_proof_missing" for [Token]
        means "The token is bound to a key, and comes without a DPoP proof, or with the scheme `Bearer`."
        remedy "Send it as `Authorization: DPoP`, with a proof in the header `DPoP` (RFC 9449 section 7.1)."
        { DpopProofMissing: 401 "Could not validate credentials", Challenge "invalid_dpop_proof"; }
    "dpop_proof_invalid" for [Token]
        means "The DPoP proof is wrong; the log at debug says in what."
        remedy "Mend it in the client. If `htu` is wrong and a proxy in front changes host or path: set `dpop.origins`. If \
                `iat` is: compare the clocks."
        { DpopProofInvalid: 401 "Could not validate credentials", Challenge "invalid_dpop_proof"; }
    "dpop_proof_replayed" for [Token]
        means "The DPoP proof was used before."
        remedy "Have the client make a proof for each request, and for each try of a request. If it does: look for who \
                copies requests."
        { DpopProofReplayed: 401 "Could not validate credentials", Challenge "invalid_dpop_proof"; }
    "dpop_nonce_wanted" for [Token]
        means "The DPoP proof has no nonce that this Envoy gave out in the last five minutes."
        remedy "Nothing: clients try again with the nonce of the answer's `DPoP-Nonce` (RFC 9449 section 9)."
        { DpopNonceWanted: 401 "Could not validate credentials", Challenge "use_dpop_nonce"; }
    "dpop_replays_full" for [Token]
        means "There are more DPoP proofs in `dpop.max_age_seconds` than are remembered, of all clients or of this one."
        remedy "Try again as `Retry-After` says. If it lasts: lower `dpop.max_age_seconds`, or look for a flood."
        { DpopReplaysFull: 503 "Too many proofs at once"; }
    "claims_insufficient" for [Token]
        means "The token is good, and a claim does not meet the condition that the rule has for it."
        remedy "Compare the token with `claims` in the rule's `security`."
        { ClaimsInsufficient: 403 "Not enough permissions", Challenge "insufficient_scope"; }
    "authentication_insufficient" for [Token]
        means "The token is good, and its user logged in in another way (`acr`) or longer ago (`auth_time`) than the rule \
               asks for."
        remedy "Clients have their user log in again as the challenge says (RFC 9470). If they did: have the issuer put \
                `acr` and `auth_time` into its access tokens."
        {
            AuthenticationInsufficient: 401 "Could not validate credentials",
                Challenge "insufficient_user_authentication";
        }
    "certificate_not_allowed" for [Certificate]
        means "The client certificate is in no entry of the scheme's `allow`, or Envoy has not validated it."
        remedy "Add an entry; and have the listener validate certificates (`trusted_ca`), unless the entry is a `sha256`."
        { CertificateNotAllowed: 403 "Client certificate is not allowed"; }
    "api_key_unknown" for [ApiKey]
        means "No entry of the scheme's `api_keys` has the SHA-256 of this key."
        remedy "Compare it with `lychgate hash-key`. A line feed or a space that came along is a usual cause."
        { ApiKeyUnknown: 403 "Invalid API key"; }
    "api_key_expired" for [ApiKey]
        means "The key's `not_after` has passed."
        remedy "Give the client a new key, or move `not_after`."
        { ApiKeyExpired: 403 "Invalid API key"; }
    "api_key_disabled" for [ApiKey]
        means "The key is switched off by `disabled: true`."
        remedy "Remove `disabled` from its entry if the client may come back."
        { ApiKeyDisabled: 403 "Invalid API key"; }
    "basic_malformed" for [Basic]
        means "The `Authorization` header is not Base64 of `username:password` (RFC 7617)."
        remedy "Mend it in the client; `curl -u name` makes it right."
        { BasicMalformed: 401 "Incorrect username or password"; }
    "password_wrong" for [TokenEndpoint Basic]
        means "The password is wrong, or the directory has no such user; the answer does not distinguish the two."
        remedy "Try it with the hash of the user's entry, made by `lychgate hash-password`."
        { PasswordWrong: 401 "Incorrect username or password"; }
    "login_throttled" for [TokenEndpoint Basic]
        means "The name, or the client's address, has had more than `passwords.max_failures` wrong passwords."
        remedy "Wait as `Retry-After` says. If it is not an attack: look for a client that repeats an old password."
        { LoginThrottled: 429 "Too many failed logins"; }
    "login_busy" for [TokenEndpoint Basic]
        means "The worker has spent its share of time for hashing passwords."
        remedy "Try again as `Retry-After` says. If it lasts: raise `passwords.worker_share_percent`, choose cheaper \
                hashes, or look for a flood of logins."
        { LoginBusy: 503 "Too many logins at once"; }
    "keys_unavailable" for [Token]
        means "The key set of the token's issuer was never fetched, or is older than `max_stale_seconds`."
        remedy "Look for `cannot be fetched` in Envoy's log: it names the cluster and the fault. Check that the \
                cluster exists and reaches the issuer."
        { KeysUnavailable: 503 "Signing keys are not available"; }
    "introspection_unavailable" for [Token]
        means "The issuer cannot be asked about the token."
        remedy "Look for `introspection` in Envoy's log: it names the fault. Check the cluster and the client's secret."
        { IntrospectionUnavailable: 503 "Token introspection is not available"; }
    "revocation_unavailable" for [Token]
        means "The list of revoked tokens was never fetched, or is older than `max_stale_seconds`."
        remedy "Look for `cannot be fetched` in Envoy's log. `revocation.on_outage` decides whether tokens pass \
                meanwhile."
        { RevocationUnavailable: 503 "Revocation list is not available"; }
    "token_request_invalid" for [TokenEndpoint]
        means "The request for a token is not a good form of the password grant; `error` in the answer says how."
        remedy "Send `username` and `password`, each once, as RFC 6749 section 4.3.2 has it."
        {
            UsernameOrPasswordMissing: 400 "username and password are required", Body "invalid_request"
                if "one of the two is missing or empty";
            FormParameterTwice: 400 "A parameter is there twice", Body "invalid_request"
                if "the form has a parameter twice";
            GrantTypeUnsupported: 400 "grant_type must be password", Body "unsupported_grant_type"
                if "`grant_type` is another";
            FormScopeInvalid: 400 "scope holds characters that no scope has", Body "invalid_scope"
                if "`scope` is no list of scopes (RFC 6749 section 3.3)";
            AuthorizationTwice: 400 "Two Authorization headers", Body "invalid_request"
                if "there are two `Authorization` headers";
            ClientNamedTwice: 400 "The client names itself in two ways", Body "invalid_request"
                if "a client is in `Authorization` and in the form";
        }
    "client_invalid" for [TokenEndpoint]
        means "The client that asks for a token is not one of `issue.clients`, or its secret is wrong."
        remedy "Compare `client_id` and `client_secret` with `issue.clients`."
        { ClientInvalid: 401 "Invalid client", Body "invalid_client"; }
    "media_type_unsupported" for [TokenEndpoint]
        means "The request for a token is not of the media type `application/x-www-form-urlencoded`."
        remedy "Send a form, not JSON."
        { MediaTypeUnsupported: 415 "Unsupported Media Type"; }
    "body_too_large" for [TokenEndpoint]
        means "The body of a request for a token is longer than 8 KiB."
        remedy "Send a shorter form."
        { BodyTooLarge: 413 "Content Too Large"; }
    "method_not_allowed" for [Request]
        means "A token endpoint was asked by another method than POST, or the documentation by another than GET and \
               HEAD."
        remedy "Use a method of the answer's `Allow` header."
        { MethodNotAllowed: 405 "Method Not Allowed"; }
    "body_timeout" for [TokenEndpoint]
        means "The form of a request for a token did not arrive in time."
        remedy "Look for a slow client or a proxy in front that keeps bodies back."
        { BodyTimeout: 408 "Request Timeout"; }
    "body_held_back" for [TokenEndpoint]
        means "Envoy holds the form of a request for a token back until the filter lets its head go on."
        remedy "Set `allow_on_headers_stop_iteration: true` in the plugin's config (Envoy 1.35 and later), or \
                `issue: {release_head: true}`."
        { BodyHeldBack: 408 "Request Timeout"; }
    "no_rule" for [Request]
        means "No rule matches the request, and there is no top-level `security`."
        remedy "Add a rule for it, or a top-level `security`."
        { NoRule: 403 "Forbidden"; }
    "rule_denies" for [Request]
        means "The rule that matches lets no request in; or its OpenAPI operation needs what cannot be checked here."
        remedy "If that is not meant: change its `security`, or give the scheme another kind under `schemes`."
        { RuleDenies: 403 "Forbidden"; }
    "client_address_unknown" for [Request]
        means "A rule that would match asks for the client's network (`match.client`), and the client has no IP address."
        remedy "Let Envoy know the client (`use_remote_address`, `xff_num_trusted_hops`); on a Unix socket use rules \
                without `client`."
        { ClientAddressUnknown: 403 "Forbidden"; }
    "ambiguous_path" for [Request]
        means "The path has two readings: `//`, `..`, an encoded slash, a bad or double percent-encoding and the like."
        remedy "Send the path in normal form. The response-code details say what is ambiguous. If the service needs such \
                a path, name it in `match.allow` of its rule."
        { AmbiguousPath: 400 "Ambiguous path"; }
    "ambiguous_host" for [Request]
        means "The rules match on hosts, and the request's host has two readings."
        remedy "Send a plain host name in `Host` or `:authority`."
        { AmbiguousHost: 400 "Ambiguous host"; }
    "ambiguous_header" for [Request]
        means "A rule that would match asks for a header (`match.headers`), and the request has several lines of it: the \
               condition holds for some of them only."
        remedy "Send the header once. If a proxy in front sets it, let that proxy replace what the client sends."
        { AmbiguousHeader: 400 "Ambiguous header"; }
    "path_too_long" for [Request]
        means "The path is longer than `max_path_bytes`, or than the rules decide on."
        remedy "Raise `max_path_bytes`, or send a shorter path."
        { PathTooLong: 414 "URI Too Long"; }
    "too_many_waiting" for [Request]
        means "Too many requests wait for keys, for introspection or for their form: on the worker, with this \
               credential, on this connection or from this address."
        remedy "Try again as `Retry-After` says. If it lasts: look why the issuer is slow, or for a flood."
        { TooManyWaiting: 503 "Too many requests are waiting"; }
    "host_failure" for [Request Basic Token]
        means "Envoy did not do its part: a call of the filter failed; the log at debug names it."
        remedy "Look whether `capability_restriction_config` leaves out a call that Lychgate needs (docs/operations.md)."
        { HostFailure: 500 "Internal Server Error"; }
    "other" for [Request]
        means "The filter refused for a reason that has no word or no stat: a fault in Lychgate."
        remedy "Report it, with the line of the log."
        { Other: 500 "Internal Server Error"; }
}
