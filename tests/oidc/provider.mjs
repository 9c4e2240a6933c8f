// A certified OpenID provider for the tests. Usage: provider.mjs PORT ISSUER
//
// Its keys are rotated by POST /test/rotate: the new key replaces the old one, or stands beside it
// with ?keep=1. Whoever comes to log in is logged in as `alice` and consents to everything.

import * as http from 'node:http';
import { randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair } from 'jose';
import Provider, { errors } from 'oidc-provider';

const [port, issuer] = process.argv.slice(2);
const RESOURCE = 'https://api.example';
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
      { client_id: 'web', client_secret: 'web-secret', grant_types: ['authorization_code'], redirect_uris: ['https://app.example/back'], response_types: ['code'] },
    ],
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    scopes: ['openid', 'items:read', 'items:write'],
    enabledJWA: { idTokenSigningAlgValues: ['ES256', 'RS256'] },
    cookies: { keys: ['a key of the tests'] },
    pkce: { required: () => false },
    ttl: { ClientCredentials: 600, AccessToken: 600 },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true, allowedPolicy: async () => true },
      revocation: { enabled: true, allowedPolicy: async () => true },
      resourceIndicators: {
        enabled: true,
        defaultResource: async () => undefined,
        useGrantedResource: async () => true,
        getResourceServerInfo: async (_ctx, resource) => {
          if (resource !== RESOURCE) throw new errors.InvalidTarget();
          return { scope: 'items:read items:write', audience: RESOURCE, accessTokenFormat: 'jwt', accessTokenTTL: 600, jwt: { sign: { alg: 'ES256' } } };
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
    return provider.interactionFinished(request, response, { login: { accountId: 'alice' } });
  }
  const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope('openid items:read items:write');
  grant.addResourceScope(RESOURCE, 'items:read items:write');
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
