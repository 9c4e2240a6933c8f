// The client of @modelcontextprotocol/sdk, which logs in by the program `$BROWSER`. Usage: sdk_client.mjs URL

import { spawn } from 'node:child_process';
import * as http from 'node:http';
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

const url = new URL(process.argv[2]);
let receive;
const code = new Promise((resolve) => (receive = resolve));
const listener = http.createServer((request, response) => {
  response.end('logged in');
  receive(new URL(request.url, 'http://localhost').searchParams.get('code'));
});
await new Promise((resolve) => listener.listen(0, '127.0.0.1', resolve));
const redirectUrl = `http://127.0.0.1:${listener.address().port}/callback`;

// What it is told of this login, in memory.
const stored = {};
const authProvider = {
  redirectUrl,
  clientMetadata: { client_name: 'sdk', redirect_uris: [redirectUrl], grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'], token_endpoint_auth_method: 'none' },
  clientInformation: () => stored.client,
  saveClientInformation: (client) => { stored.client = client; },
  tokens: () => stored.tokens,
  saveTokens: (tokens) => { stored.tokens = tokens; },
  codeVerifier: () => stored.verifier,
  saveCodeVerifier: (verifier) => { stored.verifier = verifier; },
  redirectToAuthorization: (to) => { spawn('sh', ['-c', process.env.BROWSER.replace('%s', '"$0"'), to.href]); },
};

const client = new Client({ name: 'sdk', version: '1' });
const transport = () => new StreamableHTTPClientTransport(url, { authProvider });
const first = transport();
try {
  await client.connect(first);
  throw new Error('connected without a login');
} catch (error) {
  if (!(error instanceof UnauthorizedError)) throw error;
  await first.finishAuth(await code);
  await client.connect(transport());
}
const { content } = await client.callTool({ name: 'whoami', arguments: {} });
console.log(content[0].text);
await client.close();
process.exit(0);
