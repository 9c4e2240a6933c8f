"""What each operation of an OpenAPI document needs, read without the code under test.

Usage: read.py FOLDER. Prints a JSON object for each document of the folder, in the order of their names:
  file       its path below the folder
  version    its `openapi`
  schemes    name to kind of each scheme that can be checked: "apiKey", "basic" or "token"
  operations [method, path, need]: need is null for nothing, "denied" for what nothing can give, else a list of
             alternatives, each an object of scheme to scopes. The path is one of those that a client may ask for.
"""

import itertools
import json
import os
import re
import sys
import urllib.parse

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


def follow(document, value):
    """The value at the end of a chain of references within the document, with what stands beside them."""
    beside = {}
    seen = set()
    while isinstance(value, dict) and isinstance(value.get("$ref"), str) and value["$ref"].startswith("#"):
        reference = urllib.parse.unquote(value["$ref"][1:])
        if reference in seen:
            break
        seen.add(reference)
        beside = {**{key: own for key, own in value.items() if key != "$ref"}, **beside}
        value = document
        for step in reference.split("/")[1:]:
            value = value[step.replace("~1", "/").replace("~0", "~")]
    return {**value, **beside} if beside and isinstance(value, dict) else value


def bases(owner):
    """The paths of the URLs of `servers`; None if there are none."""
    found = []
    for server in owner.get("servers") or []:
        names = re.findall(r"\{([^}]*)\}", server["url"])
        variables = server.get("variables") or {}
        values = []
        for name in names:
            variable = variables.get(name) or {}
            own = list(variable.get("enum") or [])
            if variable.get("default") is not None and variable["default"] not in own:
                own.append(variable["default"])
            values.append(own or ["unknown"])
        for chosen in itertools.product(*values):
            url = server["url"]
            for name, value in zip(names, chosen):
                url = url.replace("{" + name + "}", value, 1)
            path = urllib.parse.urlsplit(urllib.parse.urljoin("http://here/", url)).path.strip("/")
            base = "/" + path if path else ""
            if base not in found:
                found.append(base)
    return found or None


def kind_of(scheme):
    """What kind of credential a scheme asks for; None if it is none that a gateway can check."""
    kind = scheme.get("type")
    if kind == "http":
        return {"basic": "basic", "bearer": "token"}.get(str(scheme.get("scheme")).lower())
    if kind == "apiKey":
        return "apiKey" if scheme.get("in") in ("header", "query", "cookie") else None
    return "token" if kind in ("oauth2", "openIdConnect") else None


def need_of(security, kinds):
    """The alternatives that a request may have, as the specification reads a list of Security Requirement Objects."""
    if not security:
        return None
    possible = [one for one in security if all(name not in kinds or kinds[name] for name in one)]
    return possible or "denied"


def ask(template):
    """A path that the template matches."""
    return re.sub(r"\{[^}]*\}", "z", template)


def operations(document, kinds):
    found = []
    root = bases(document)
    for template, item in (document.get("paths") or {}).items():
        if template.startswith("x-"):
            continue
        item = follow(document, item)
        path = re.split(r"[?#]", template)[0]
        methods = [method for method in METHODS if method in item]
        for method in methods:
            operation = follow(document, item[method])
            security = operation["security"] if "security" in operation else document.get("security")
            own = bases(operation) or bases(item) or root or [""]
            for base in own:
                need = need_of(security, kinds)
                found.append([method.upper(), ask(base + path), need])
                if method == "get" and "head" not in methods:
                    found.append(["HEAD", ask(base + path), need])
    return found


def read(document):
    schemes = (document.get("components") or {}).get("securitySchemes") or {}
    kinds = {name: kind_of(follow(document, scheme)) for name, scheme in schemes.items()}
    return {
        "version": document["openapi"],
        "schemes": {name: kind for name, kind in kinds.items() if kind},
        "operations": operations(document, kinds),
    }


def main(folder):
    names = []
    for path, _, files in os.walk(folder):
        names += [os.path.relpath(os.path.join(path, name), folder) for name in files if name.endswith(".json")]
    for name in sorted(names):
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            document = json.load(file)
        # The folder has an index as well.
        if isinstance(document, dict) and "openapi" in document:
            print(json.dumps({"file": name, **read(document)}))


main(sys.argv[1])
