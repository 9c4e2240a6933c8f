// A certified OpenID provider for the tests. Usage: provider.mjs PORT ISSUER
//
// Its keys are rotated by POST /test/rotate: the new key replaces the old one, or stands beside it
// with ?keep=1. Every client that comes to log in is logged in as `alice`, by the first of `acr_values`, and consents to
// everything. Clients register themselves. The header `x-client-certificate` (DER, base64) is the certificate of a
// client, as a proxy that ends TLS would hand it on.

import * as http from 'node:http';
import { randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair } from 'jose';
import Provider, { errors } from 'oidc-provider';

const [port, issuer] = process.argv.slice(2);
// The resources that tokens are for (RFC 8707); an MCP server is on a port of its own in each run.
const RESOURCES = /^(https:\/\/(api|other)\.example|http:\/\/127\.0\.0\.1:\d+\/mcp)$/;
const SCOPES = 'items:read items:write mcp:use';
let keys = [];
let provider;

async function rotate(keep) {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const key = { ...(await exportJWK(privateKey)), kid: randomUUID(), use: 'sig', alg: 'ES256' };
  keys = [key, ...(keep ? keys : [])];
  provider = new Provider(issuer, {
    jwks: { keys },
    clients: [
      { client_id: 'machine', client_secret: 'machine-secret', grant_types: ['client_credentials'], redirect_uris: [], response_types: [] },
      { client_id: 'gate', client_secret: 'gate secret & more', grant_types: [], redirect_uris: [], response_types: [] },
      { client_id: 'gate-post', client_secret: 'gate-secret', token_endpoint_auth_method: 'client_secret_post', grant_types: [], redirect_uris: [], response_types: [] },
      { client_id: 'bound', client_secret: 'bound-secret', grant_types: ['client_credentials'], redirect_uris: [], response_types: [], tls_client_certificate_bound_access_tokens: true },
      { client_id: 'web', client_secret: 'web-secret', grant_types: ['authorization_code'], redirect_uris: ['https://app.example/back'], response_types: ['code'] },
    ],
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    scopes: ['openid', 'offline_access', ...SCOPES.split(' ')],
    acrValues: ['pwd', 'mfa'],
    // What RFC 9470 asks of a JWT access token.
    extraTokenClaims: async (ctx) => {
      const code = ctx.oidc.entities.AuthorizationCode;
      return code && { acr: code.acr, auth_time: code.authTime };
    },
    enabledJWA: { idTokenSigningAlgValues: ['ES256', 'RS256'] },
    cookies: { keys: ['a key of the tests'] },
    pkce: { required: () => false },
    ttl: { ClientCredentials: 600, AccessToken: 600 },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true, allowedPolicy: async () => true },
      revocation: { enabled: true, allowedPolicy: async () => true },
      registration: { enabled: true },
      dPoP: { enabled: true },
      mTLS: {
        enabled: true,
        certificateBoundAccessTokens: true,
        getCertificate: (ctx) => {
          const der = ctx.get('x-client-certificate');
          return der && `-----BEGIN CERTIFICATE-----\n${der}\n-----END CERTIFICATE-----`;
        },
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: async () => undefined,
        useGrantedResource: async () => true,
        getResourceServerInfo: async (_ctx, resource) => {
          if (!RESOURCES.test(resource)) throw new errors.InvalidTarget();
          return { scope: SCOPES, audience: resource, accessTokenFormat: 'jwt', accessTokenTTL: 600, jwt: { sign: { alg: 'ES256' } } };
        },
      },
    },
    findAccount: async (_ctx, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
    interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
  });
  provider.on('server_error', (_ctx, error) => console.error(error));
}

async function interaction(request, response) {
  const { prompt, params, session } = await provider.interactionDetails(request, response);
  if (prompt.name === 'login') {
    return provider.interactionFinished(request, response, { login: { accountId: 'alice', acr: params.acr_values?.split(' ')[0] } });
  }
  const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope(`openid offline_access ${SCOPES}`);
  for (const resource of [params.resource ?? []].flat()) grant.addResourceScope(resource, SCOPES);
  return provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } });
}

await rotate(false);
http
  .createServer(async (request, response) => {
    try {
      const url = new URL(request.url, issuer);
      if (url.pathname === '/test/rotate') {
        await rotate(url.searchParams.has('keep'));
        response.end(JSON.stringify({ kid: keys[0].kid }));
      } else if (url.pathname.startsWith('/interaction/')) {
        await interaction(request, response);
      } else {
        provider.callback()(request, response);
      }
    } catch (error) {
      console.error(error);
      response.statusCode = 500;
      response.end(String(error));
    }
  })
  .listen(Number(port), '127.0.0.1', () => console.log('ready'));
