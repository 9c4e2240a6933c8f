// The verdict of npm `oauth4webapi` on requests, as a resource server of its own. On standard input:
// {issuer, audience, jwks, requests: [{url, method, headers: [[name, value in base64]], required}]}; on standard
// output: for each request null, or its complaint.

import { readFileSync } from 'node:fs';
import { clockTolerance, jwksCache, validateJwtAccessToken } from 'oauth4webapi';

const { issuer, audience, jwks, requests } = JSON.parse(readFileSync(0, 'utf8'));
const server = { issuer, jwks_uri: `${issuer}/jwks` };
const verdicts = [];
for (const { url, method, headers, required } of requests) {
  try {
    const sent = new Headers(headers.map(([name, value]) => [name, Buffer.from(value, 'base64').toString('latin1')]));
    const request = new Request(url, { method, headers: sent });
    await validateJwtAccessToken(server, request, audience, {
      requireDPoP: required,
      [clockTolerance]: 60,
      [jwksCache]: { jwks, uat: Math.floor(Date.now() / 1000) },
    });
    verdicts.push(null);
  } catch (error) {
    verdicts.push(`${error.name}: ${error.message}`);
  }
}
process.stdout.write(JSON.stringify(verdicts));
