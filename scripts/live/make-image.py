"""Writes a Docker image archive of one layer: busybox with all its applets, and optionally a web page.

There is no registry to pull from, so this is where every image of the live tests starts.
`docker load` and `ctr images import` both read the archive.
"""

import argparse
import hashlib
import io
import json
import platform
import subprocess
import tarfile

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def add_file(archive, name, content, mode=0o644):
    entry = tarfile.TarInfo(name)
    entry.mode, entry.size = mode, len(content)
    archive.addfile(entry, io.BytesIO(content))


def add_directory(archive, name, mode=0o755):
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode = tarfile.DIRTYPE, mode
    archive.addfile(entry)


def add_link(archive, name, target):
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = tarfile.SYMTYPE, target
    archive.addfile(entry)


def root_layer(busybox, page):
    """The one layer, as bytes. No times go in, so that the same input gives the same digest."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as layer:
        for name in ("bin", "dev", "etc", "proc", "root", "sys", "www"):
            add_directory(layer, name)
        add_directory(layer, "tmp", 0o1777)
        add_file(layer, "etc/passwd", b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n")
        add_file(layer, "etc/group", b"root:x:0:\nnogroup:x:65534:\n")
        with open(busybox, "rb") as program:
            add_file(layer, "bin/busybox", program.read(), 0o755)
        for applet in subprocess.check_output([busybox, "--list"], text=True).split():
            if applet != "busybox":
                add_link(layer, f"bin/{applet}", "busybox")
        if page is not None:
            add_file(layer, "www/index.html", page.encode())
    return buffer.getvalue()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", required=True, help="the archive to write")
    parser.add_argument("--name", required=True, help="NAME:TAG of the image")
    parser.add_argument("--busybox", required=True, help="a static busybox")
    parser.add_argument("--page", help="the text of /www/index.html")
    parser.add_argument("command", nargs="+", help="what a container runs")
    options = parser.parse_args()

    layer = root_layer(options.busybox, options.page)
    config = json.dumps({
        "architecture": ARCHITECTURES.get(platform.machine(), platform.machine()),
        "os": "linux",
        "created": "1970-01-01T00:00:00Z",
        "config": {"Cmd": options.command, "Env": ["PATH=/bin"], "WorkingDir": "/"},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
    }).encode()
    config_name = f"{hashlib.sha256(config).hexdigest()}.json"
    manifest = json.dumps([{"Config": config_name, "RepoTags": [options.name], "Layers": ["layer.tar"]}]).encode()

    with tarfile.open(options.out, "w") as archive:
        add_file(archive, config_name, config)
        add_file(archive, "layer.tar", layer)
        add_file(archive, "manifest.json", manifest)


main()
