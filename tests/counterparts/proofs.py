"""Proofs by PyPI `joserfc`. On standard input: {keys: {alg: {pem, jwk}}, wanted: [{alg, htu, htm, nonce, token}]}, nonce
and token null where there is none; on standard output: [{proof, thumbprint}]."""

import base64
import hashlib
import json
import sys
import time
import uuid

from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey

KINDS = {"E": ECKey, "R": RSAKey, "P": RSAKey}


def made(keys, alg, htu, htm, nonce, token):
    kind = OKPKey if alg == "EdDSA" else KINDS[alg[0]]
    key = kind.import_key(keys[alg]["pem"])
    claims = {"jti": str(uuid.uuid4()), "htm": htm, "htu": htu, "iat": int(time.time())}
    if token is not None:
        digest = hashlib.sha256(token.encode()).digest()
        claims["ath"] = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    if nonce is not None:
        claims["nonce"] = nonce
    header = {"typ": "dpop+jwt", "alg": alg, "jwk": key.as_dict(private=False)}
    return {"proof": jwt.encode(header, claims, key, algorithms=[alg]), "thumbprint": key.thumbprint()}


asked = json.load(sys.stdin)
json.dump([made(asked["keys"], **wanted) for wanted in asked["wanted"]], sys.stdout)
