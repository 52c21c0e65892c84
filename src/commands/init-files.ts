/** ingot.yaml as `ingot init` writes it: what most fleets set, with the rest as comments. */
export function settingsTemplate(fleet: string): string {
  return `# Settings of the fleet. Every key: docs/definitions.md.
fleet: ${fleet}

# Where releases go: <registry>/<image>. Without it, a registry on this machine, in .ingot/.
# registry: ghcr.io/acme/golden

platforms: [linux/amd64, linux/arm64]

# BuildKit of your own, by platform. Without it, one is started here, and arm64 is emulated.
# builders:
#   linux/arm64: tcp://arm64-builder:1234

# "ingot keys create" makes a key. Without this, one is made in .ingot/ at first use.
# signing:
#   key: { env: INGOT_SIGNING_KEY }

# Tags that move with each release, beside those of the version line (12, 12.4).
channels:
  - name: stable

# What is checked before a release. block: not released; warn: released and said; off.
policy:
  vulnerabilities:
    critical: { level: block, leeway: 0d }    # days since the fix came out
    high: { level: warn, leeway: 14d }
  size: { max: 300MiB, growth: 25% }

# Read upstreams from somewhere else, such as a pull-through cache.
# upstreams:
#   docker.io: mirror.acme.example/hub

# For the build only; it never stays in an image.
# proxy: { http: "http://proxy.acme.example:3128", https: "http://proxy.acme.example:3128", no: acme.example }

# Repositories whose pins are moved to each new release.
# downstreams:
#   - { forge: local, path: ../service.git }
#   - { forge: gitea, url: https://git.acme.example, owner: acme, token: { env: GITEA_TOKEN } }
`;
}

export const PACKAGES = `# Package sets that images share, by package manager. An image names a set in "packages:".
base:
  apt: [ca-certificates, tzdata]
`;

export const DEBIAN_IMAGE = `# The folder's name is the image's name.
description: Debian with certificates and time zones
# owners: [{ team: platform, contact: platform@acme.example }]

# Releases are 12.0.0, 12.0.1 (an input moved), 12.1.0 (this folder changed). A new line starts anew.
line: "12"

# An upstream, or an image of this fleet: { golden: debian }.
from: debian:12-slim

packages: [base]        # sets of ../packages.yaml
# install: [curl]       # packages of this image alone
upgrade: all            # all | security | none

# files:
#   - { source: files/company.crt, to: trust-store }
#   - { source: files/motd, to: /etc/motd, mode: "0644", owner: "0:0" }

locale: C.UTF-8
user: 10001
`;

export const DEBIAN_SMOKE = `# container-structure-test 2.0.0. A release needs all of these to pass, on each platform.
schemaVersion: 2.0.0
commandTests:
  - name: it is Debian 12
    command: cat
    args: [/etc/debian_version]
    expectedOutput: ['^12\\.']
  - name: it does not run as root
    command: id
    args: [-u]
    expectedOutput: ['^10001\\s*$']
fileExistenceTests:
  - name: certificates of public authorities
    path: /etc/ssl/certs/ca-certificates.crt
metadataTest:
  user: "10001"
`;
