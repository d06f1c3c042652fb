"""An overlay as one stream of manifests, with the image that its pods are to run.

Usage: k8s_render.py KUBECTL OVERLAY [IMAGE]. The checkout is not changed: a kustomization beside the overlay would be.
"""

import subprocess
import sys
import tempfile
from pathlib import Path


def main(kubectl: str, overlay: str, image: str | None = None) -> None:
    """Write it to standard output.

    Raises:
        SystemExit: the overlay cannot be rendered, or no image of its is ours.
    """
    directory = Path(overlay).resolve()
    if image is None:
        sys.stdout.write(_kustomize(kubectl, directory))
        return
    name, at, digest = image.partition("@")
    colon = ":" if not at and ":" in name.rpartition("/")[2] else ""
    name, _, tag = name.rpartition(":") if colon else (name, "", "")
    version = f"digest: {digest}" if at else f'newTag: "{tag or "latest"}"'
    with tempfile.TemporaryDirectory(dir=directory.parent, prefix=".render-") as folder:
        rows = [
            "apiVersion: kustomize.config.k8s.io/v1beta1",
            "kind: Kustomization",
            f"resources: [../{directory.name}]",
            "images:",
        ]
        for ours in ("ghcr.io/battlescope/battlescope", "battlescope"):
            rows += [f"  - name: {ours}", f"    newName: {name}", f"    {version}"]
        (Path(folder) / "kustomization.yaml").write_text("\n".join(rows) + "\n")
        rendered = _kustomize(kubectl, Path(folder))
    if f"image: {image}" not in rendered:
        raise SystemExit(f"no pod of {overlay} runs {image}")
    sys.stdout.write(rendered)


def _kustomize(kubectl: str, directory: Path) -> str:
    done = subprocess.run([kubectl, "kustomize", directory], capture_output=True, text=True, check=False)
    if done.returncode:
        hint = " (make it of secrets.env.example)" if "secrets.env" in done.stderr else ""
        raise SystemExit(done.stderr.strip() + hint)
    return done.stdout


if __name__ == "__main__":
    main(*sys.argv[1:])
