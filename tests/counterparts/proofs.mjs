// Proofs by npm `dpop`. On standard input: {keys: {alg: {pem, jwk}}, wanted: [{alg, htu, htm, nonce, token}]}, nonce and
// token null where there is none; on standard output: [{proof, thumbprint}].

import { readFileSync } from 'node:fs';
import { calculateThumbprint, generateProof } from 'dpop';

const KINDS = {
  ES256: { name: 'ECDSA', namedCurve: 'P-256' },
  RS256: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
  PS256: { name: 'RSA-PSS', hash: 'SHA-256' },
  EdDSA: { name: 'Ed25519' },
};
const { keys, wanted } = JSON.parse(readFileSync(0, 'utf8'));
const made = [];
for (const { alg, htu, htm, nonce, token } of wanted) {
  const { pem, jwk } = keys[alg];
  const der = Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64');
  const { alg: _alg, use: _use, key_ops: _ops, ...key } = jwk;
  const pair = {
    privateKey: await crypto.subtle.importKey('pkcs8', der, KINDS[alg], false, ['sign']),
    publicKey: await crypto.subtle.importKey('jwk', key, KINDS[alg], true, ['verify']),
  };
  const proof = await generateProof(pair, htu, htm, nonce ?? undefined, token ?? undefined);
  made.push({ proof, thumbprint: await calculateThumbprint(pair.publicKey) });
}
process.stdout.write(JSON.stringify(made));
