#!/usr/bin/env python3
"""What a scan of a root file system must find, derived without any code of Berth.

    expected-findings.py ROOT ADVISORIES

ROOT is a folder, ADVISORIES one with OSV documents: archives (NAME/all.zip) or lines (NAME.jsonl). One line a finding: id, package, version, path.
Packages are listed by the tools that installed them or by their own metadata (dpkg-query, importlib.metadata, package.json,
deps.json, pom.properties); versions are compared by dpkg, npm's semver, pip's packaging and Maven's own ComparableVersion.
The evaluation of ranges is that of the OSV schema.
"""
import functools
import glob
import importlib.metadata
import io
import json
import os
import re
import subprocess
import sys
import zipfile


def debian(root):
    status = os.path.join(root, "var/lib/dpkg/status")
    if not os.path.exists(status) or "ID=debian" not in release(root):
        return
    form = "${db:Status-Status}\t${source:Package}\t${source:Version}\t${Package}\t${Version}\n"
    out = subprocess.run(["dpkg-query", "--admindir", os.path.dirname(status), "-W", "-f", form], check=True, capture_output=True, text=True).stdout
    for line in out.splitlines():
        state, source, source_version, name, version = line.split("\t")
        if state == "installed":
            yield source, source_version, name, version, ""


def release(root):
    for path in ("etc/os-release", "usr/lib/os-release"):
        try:
            with open(os.path.join(root, path), encoding="utf-8") as file:
                return file.read()
        except OSError:
            pass
    return ""


def npm(root):
    for folder, _, files in os.walk(root):
        if "package.json" not in files or "node_modules" not in folder:
            continue
        path = os.path.join(folder, "package.json")
        with open(path, encoding="utf-8") as file:
            package = json.load(file)
        if package.get("name") and package.get("version"):
            yield package["name"], package["version"], package["name"], package["version"], os.path.relpath(path, root)


def python(root):
    for folder in sorted({os.path.dirname(p) for e in ("dist-info", "egg-info") for p in glob.glob(root + "/**/*." + e, recursive=True)}):
        for one in importlib.metadata.distributions(path=[folder]):
            file = "METADATA" if str(one._path).endswith("dist-info") else "PKG-INFO"
            path = os.path.relpath(str(one._path), root) + ("/" + file if os.path.isdir(one._path) else "")
            name = re.sub(r"[-_.]+", "-", one.metadata["Name"]).lower()
            yield name, one.version, one.metadata["Name"], one.version, path


def nuget(root):
    for path in glob.glob(root + "/**/*.deps.json", recursive=True):
        with open(path, encoding="utf-8") as file:
            libraries = json.load(file)["libraries"]
        for key, library in libraries.items():
            if library["type"] == "package":
                name, version = key.split("/")
                yield name.lower(), version, name, version, os.path.relpath(path, root)


def maven(root):
    def inside(data, path):
        with zipfile.ZipFile(io.BytesIO(data)) as jar:
            for entry in jar.namelist():
                if entry.endswith("/pom.properties"):
                    fields = dict(line.split("=", 1) for line in jar.read(entry).decode().splitlines() if "=" in line and not line.startswith("#"))
                    name = fields["groupId"].strip() + ":" + fields["artifactId"].strip()
                    yield name, fields["version"].strip(), name, fields["version"].strip(), path
                elif entry.endswith(".jar"):
                    yield from inside(jar.read(entry), path + "/" + entry)
    for path in glob.glob(root + "/**/*.jar", recursive=True):
        with open(path, "rb") as file:
            yield from inside(file.read(), os.path.relpath(path, root))


@functools.lru_cache(maxsize=None)
def by_dpkg(a, b):
    return -1 if subprocess.run(["dpkg", "--compare-versions", a, "lt", b]).returncode == 0 else 0 if a == b or subprocess.run(["dpkg", "--compare-versions", a, "eq", b]).returncode == 0 else 1


@functools.lru_cache(maxsize=None)
def by_semver(a, b):
    node = semver()
    node.stdin.write(a + "\t" + b + "\n")
    node.stdin.flush()
    return int(node.stdout.readline())


@functools.lru_cache(maxsize=None)
def semver():
    root = subprocess.run(["npm", "root", "-g"], check=True, capture_output=True, text=True).stdout.strip()
    program = """const s=require(process.argv[1]);const f=v=>s.parse(v)||s.coerce(v,{includePrerelease:true});
        require('readline').createInterface({input:process.stdin}).on('line',l=>{const [a,b]=l.split('\\t');console.log(s.compare(f(a),f(b)))})"""
    module = next(p for p in (os.path.join(root, "npm/node_modules/semver"), "/usr/share/nodejs/semver", "/usr/lib/node_modules/npm/node_modules/semver") if os.path.isdir(p))
    return subprocess.Popen(["node", "-e", program, module], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def by_packaging(a, b):
    from pip._vendor.packaging.version import Version
    left, right = Version(a), Version(b)
    return (left > right) - (left < right)


@functools.lru_cache(maxsize=None)
def by_maven(a, b):
    jar = next(p for p in sorted(glob.glob("/usr/share/java/maven-artifact*.jar") + glob.glob("/usr/share/maven/lib/maven-artifact*.jar") + glob.glob("/opt/maven*/lib/maven-artifact*.jar")))
    path = ":".join([jar] + sorted(glob.glob(os.path.dirname(jar) + "/*commons-lang3*.jar")))
    out = subprocess.run(["java", "-cp", path, "org.apache.maven.artifact.versioning.ComparableVersion", a, b], check=True, capture_output=True, text=True).stdout
    sign = re.search(r"^\s*\S+ ([<>]|==) \S+", out, re.M)[1]
    return {"<": -1, "==": 0, ">": 1}[sign]


KINDS = [
    (debian, by_dpkg, "Debian", lambda root: "Debian:" + re.search(r'VERSION_ID="?(\d+)', release(root))[1]),
    (npm, by_semver, "npm", lambda root: "npm"),
    (python, by_packaging, "PyPI", lambda root: "PyPI"),
    (nuget, by_semver, "NuGet", lambda root: "NuGet"),
    (maven, by_maven, "Maven", lambda root: "Maven"),
]


def holds(affected, version, compare):
    if version in affected.get("versions", []):
        return True
    for one in affected.get("ranges", []):
        if one["type"] == "GIT":
            continue
        inside = False
        events = [next(iter(event.items())) for event in one["events"]]
        order = functools.cmp_to_key(lambda a, b: (-1 if a[1] == "0" and b[1] != "0" else 1 if b[1] == "0" and a[1] != "0" else 0 if a[1] == b[1] else compare(a[1], b[1])) or (a[0] != "introduced") - (b[0] != "introduced"))
        for kind, at in sorted(events, key=order):
            if kind == "introduced" and (at == "0" or compare(version, at) >= 0):
                inside = True
            elif kind == "fixed" and compare(version, at) >= 0:
                inside = False
            elif kind == "last_affected" and compare(version, at) > 0:
                inside = False
        if inside:
            return True
    return False


def advisories(folder, ecosystem):
    found = {}
    for document in documents(folder, ecosystem):
        if document.get("withdrawn"):
            continue
        for affected in document.get("affected", []):
            package = affected.get("package", {})
            found.setdefault((package.get("ecosystem"), key(ecosystem, package.get("name", ""))), []).append((document["id"], affected))
    return found


def documents(folder, ecosystem):
    lines = os.path.join(folder, ecosystem + ".jsonl")
    if os.path.exists(lines):
        with open(lines, encoding="utf-8") as file:
            yield from (json.loads(line) for line in file if line.strip())
        return
    with zipfile.ZipFile(os.path.join(folder, ecosystem, "all.zip")) as archive:
        yield from (json.loads(archive.read(name)) for name in archive.namelist())


def key(ecosystem, name):
    return re.sub(r"[-_.]+", "-", name).lower() if ecosystem == "PyPI" else name.lower() if ecosystem in ("NuGet", "npm") else name


def main():
    root, folder = sys.argv[1].rstrip("/"), sys.argv[2]
    lines = set()
    for packages, compare, ecosystem, of in KINDS:
        listed = list(packages(root))
        if not listed:
            continue
        known, scope = advisories(folder, ecosystem), of(root)
        for name, version, shown, shown_version, path in listed:
            for identity, affected in known.get((scope, key(ecosystem, name)), []):
                if holds(affected, version, compare):
                    lines.add("\t".join([identity, shown, shown_version, path]))
    if lines:
        print("\n".join(sorted(lines)))
    if semver.cache_info().currsize:
        semver().stdin.close()
        semver().wait()


if __name__ == "__main__":
    main()
