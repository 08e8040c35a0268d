"""openapi/gateway.yaml for the tests: read once, references resolved, schemas checked."""
import json
import os
import pathlib
import re
import sys

try:
    import jsonschema
    import yaml
except ImportError:
    print("python3-yaml or python3-jsonschema is not installed")
    sys.exit(77)

ROOT = pathlib.Path(os.environ.get("CLAIMGATE_SOURCE", pathlib.Path(__file__).resolve().parents[2]))
FILE = ROOT / "openapi" / "gateway.yaml"
METHODS = ("get", "put", "post", "delete", "patch", "head", "options")


class Reader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """A name that stands twice in a mapping is an error, and times stay text."""

    def construct_mapping(self, node, deep=False):
        names = [self.construct_object(key, deep=deep) for key, _ in node.value]
        double = {str(name) for name in names if names.count(name) > 1}
        if double:
            raise ValueError(f"line {node.start_mark.line + 1}: {', '.join(sorted(double))} stands twice")
        return super().construct_mapping(node, deep)


def load():
    with open(FILE, encoding="utf-8") as file:
        return yaml.load(file, Loader=Reader)


def rebased(node, place):
    """Local references of an embedded file lead to where it stands now."""
    if isinstance(node, dict):
        return {key: place + value[1:] if key == "$ref" and isinstance(value, str) and value.startswith("#") else rebased(value, place)
                for key, value in node.items() if key not in ("$id", "$schema")}
    return [rebased(value, place) for value in node] if isinstance(node, list) else node


class Spec:
    """The document with the schema files beside it embedded, so that every reference is local."""

    def __init__(self):
        self.document = load()
        self.files = {}
        self.root = self.embedded(self.document)
        self.root["files"] = self.files

    def embedded(self, node):
        if isinstance(node, dict):
            out = {}
            for key, value in node.items():
                if key == "$ref" and isinstance(value, str) and not value.startswith("#"):
                    value = self.embed(value)
                out[key] = value if key == "$ref" else self.embedded(value)
            return out
        return [self.embedded(value) for value in node] if isinstance(node, list) else node

    def embed(self, name):
        path, _, fragment = name.partition("#")
        place = re.sub(r"[^a-z]", "-", path)
        if place not in self.files:
            content = json.loads((FILE.parent / path).read_text(encoding="utf-8"))
            self.files[place] = rebased(content, f"#/files/{place}")
        return f"#/files/{place}{fragment}"

    def find(self, reference):
        node = self.root
        for step in reference.lstrip("#").strip("/").split("/"):
            node = node[step.replace("~1", "/").replace("~0", "~")]
        return node

    def resolved(self, node):
        """Follows a reference of OpenAPI (parameter, response, header, example); members beside it win."""
        while isinstance(node, dict) and "$ref" in node:
            node = {**self.find(node["$ref"]), **{key: value for key, value in node.items() if key != "$ref"}}
        return node

    def operations(self):
        """(operationId, method, path, operation), the parameters resolved."""
        for path, item in self.root["paths"].items():
            for method in METHODS:
                if method in item:
                    yield item[method]["operationId"], method.upper(), path, item[method]

    def parameters(self, operation):
        return [self.resolved(p) for p in operation.get("parameters", [])]

    def examples(self, media):
        return {name: self.resolved(example)["value"] for name, example in media.get("examples", {}).items()}

    def problems(self, schema, value):
        """What is wrong with the value, as a list of texts."""
        whole = {"components": self.root["components"], "files": self.files, "allOf": [schema]}
        validator = jsonschema.Draft202012Validator(whole)
        return [f"{'/'.join(map(str, e.absolute_path))}: {e.message[:200]}" for e in validator.iter_errors(value)][:5]
