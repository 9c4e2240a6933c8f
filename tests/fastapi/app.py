"""The routes of FastAPI's security chapter, for the difference test.

The same secret, users and keys as in tests/envoy/fastapi_compat. What the chapter shows once is shown
once here: a password flow with scopes, bearer, API keys in all three places, Basic, and
authentication that is optional.
"""

import secrets
from datetime import datetime, timedelta, timezone
from typing import Annotated

import bcrypt
import jwt
from fastapi import Depends, FastAPI, HTTPException, Security, status
from fastapi.security import (
    APIKeyCookie,
    APIKeyHeader,
    APIKeyQuery,
    HTTPAuthorizationCredentials,
    HTTPBasic,
    HTTPBasicCredentials,
    HTTPBearer,
    OAuth2PasswordBearer,
    OAuth2PasswordRequestForm,
    SecurityScopes,
)

SECRET_KEY = "a secret for tests that is long enough for every HMAC there is: 64+"
ALGORITHM = "HS256"
# `secret`
HASH = "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"
USERS = {
    "johndoe": {"disabled": False, "scopes": ["items:read", "items:write"]},
    "alice": {"disabled": False, "scopes": ["items:read"]},
    "gone": {"disabled": True, "scopes": ["items:read"]},
}
API_KEYS = {"good-key"}

app = FastAPI(title="Chapter", version="1.0")
oauth2 = OAuth2PasswordBearer(
    tokenUrl="token",
    scopes={"items:read": "Read items.", "items:write": "Write items.", "admin": "Everything."},
)
optional_oauth2 = OAuth2PasswordBearer(tokenUrl="token", auto_error=False, scheme_name="OptionalOAuth2")
bearer = HTTPBearer()
header_key = APIKeyHeader(name="X-API-Key")
query_key = APIKeyQuery(name="api_key")
cookie_key = APIKeyCookie(name="session_key")
maybe_header_key = APIKeyHeader(name="X-API-Key", auto_error=False, scheme_name="MaybeHeaderKey")
maybe_query_key = APIKeyQuery(name="api_key", auto_error=False, scheme_name="MaybeQueryKey")
basic = HTTPBasic()


def checks(username: str, password: str):
    user = USERS.get(username)
    right = bcrypt.checkpw(password.encode()[:72], HASH.encode())
    return user if user and right else None


def read(token: str):
    """The subject and the scopes of a token, or nothing."""
    try:
        payload = jwt.decode(
            token, SECRET_KEY, algorithms=[ALGORITHM], leeway=60, options={"require": ["exp", "sub"]}
        )
    except jwt.InvalidTokenError:
        return None
    if payload["sub"] not in USERS:
        return None
    return payload["sub"], payload.get("scopes", [])


async def current_user(security_scopes: SecurityScopes, token: Annotated[str, Depends(oauth2)]):
    scheme = f'Bearer scope="{security_scopes.scope_str}"' if security_scopes.scopes else "Bearer"
    found = read(token)
    if found is None:
        raise HTTPException(
            status_code=status.HTTP_401_UNAUTHORIZED,
            detail="Could not validate credentials",
            headers={"WWW-Authenticate": scheme},
        )
    username, scopes = found
    # The chapter asks for scopes first and for the disabled flag in a dependant of this one.
    if USERS[username]["disabled"]:
        raise HTTPException(status_code=400, detail="Inactive user")
    for scope in security_scopes.scopes:
        if scope not in scopes:
            raise HTTPException(
                status_code=status.HTTP_403_FORBIDDEN,
                detail="Not enough permissions",
                headers={"WWW-Authenticate": scheme},
            )
    return username


def key_is_good(key: str):
    if not any(secrets.compare_digest(key, good) for good in API_KEYS):
        raise HTTPException(status_code=403, detail="Invalid API key")
    return key


@app.post("/token")
async def login(form: Annotated[OAuth2PasswordRequestForm, Depends()]):
    user = checks(form.username, form.password)
    if not user:
        raise HTTPException(
            status_code=status.HTTP_401_UNAUTHORIZED,
            detail="Incorrect username or password",
            headers={"WWW-Authenticate": "Bearer"},
        )
    if user["disabled"]:
        raise HTTPException(status_code=400, detail="Inactive user")
    scopes = [scope for scope in user["scopes"] if not form.scopes or scope in form.scopes]
    expires = datetime.now(timezone.utc) + timedelta(minutes=30)
    claims = {"sub": form.username, "scopes": scopes, "exp": expires}
    return {"access_token": jwt.encode(claims, SECRET_KEY, algorithm=ALGORITHM), "token_type": "bearer"}


@app.get("/health")
async def health():
    return {"status": "ok"}


@app.get("/users/me")
async def me(user: Annotated[str, Depends(current_user)]):
    return {"username": user}


@app.get("/items/")
async def read_items(user: Annotated[str, Security(current_user, scopes=["items:read"])]):
    return {"user": user}


@app.post("/items/")
async def create_item(user: Annotated[str, Security(current_user, scopes=["items:write"])]):
    return {"user": user}


@app.get("/items/special")
async def special(key: Annotated[str, Security(header_key)]):
    return {"key": key_is_good(key) and "good"}


@app.get("/items/{item_id}")
async def read_item(item_id: str, user: Annotated[str, Security(current_user, scopes=["items:read"])]):
    return {"item": item_id, "user": user}


@app.delete("/items/{item_id}")
async def delete_item(item_id: str, user: Annotated[str, Security(current_user, scopes=["admin"])]):
    return {"item": item_id, "user": user}


@app.get("/protected/")
async def protected(credentials: Annotated[HTTPAuthorizationCredentials, Security(bearer)]):
    if read(credentials.credentials) is None:
        raise HTTPException(
            status_code=401,
            detail="Could not validate credentials",
            headers={"WWW-Authenticate": "Bearer"},
        )
    return {"protected": True}


@app.get("/data/")
async def data(key: Annotated[str, Security(header_key)]):
    return {"data": key_is_good(key) and True}


@app.get("/data/query")
async def data_query(key: Annotated[str, Security(query_key)]):
    return {"data": key_is_good(key) and True}


@app.get("/data/cookie")
async def data_cookie(key: Annotated[str, Security(cookie_key)]):
    return {"data": key_is_good(key) and True}


@app.get("/data/either")
async def data_either(
    header: Annotated[str | None, Security(maybe_header_key)],
    query: Annotated[str | None, Security(maybe_query_key)],
):
    if not header and not query:
        raise HTTPException(status_code=403, detail="Not authenticated")
    return {"data": key_is_good(header or query) and True}


@app.get("/basic/")
async def basic_route(credentials: Annotated[HTTPBasicCredentials, Depends(basic)]):
    user = checks(credentials.username, credentials.password)
    if not user:
        raise HTTPException(
            status_code=401,
            detail="Incorrect username or password",
            headers={"WWW-Authenticate": "Basic"},
        )
    return {"username": credentials.username}


@app.get("/optional/")
async def optional(token: Annotated[str | None, Depends(optional_oauth2)]):
    found = read(token) if token else None
    return {"username": found[0] if found else None}


# Its document has the two as alternatives, and the path as one segment.
@app.get("/both/", tags=["needs both"])
async def both(
    user: Annotated[str, Security(current_user, scopes=["items:read"])],
    key: Annotated[str, Security(header_key)],
):
    return {"both": key_is_good(key) and user}


@app.get("/files/{file_path:path}")
async def file(file_path: str, user: Annotated[str, Security(current_user, scopes=["items:read"])]):
    return {"file": file_path}
