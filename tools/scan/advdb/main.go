// Command advdb makes a grype vulnerability database of advisories.
//
//	advdb <work-dir> <out-dir> < advisories.jsonl
//
// It reads one JSON object a line and leaves vulnerability.db and an archive for `grype db import` in <out-dir>, whose
// path it prints. <work-dir> holds files that are not needed afterwards. Both are made when missing; <out-dir> must be
// empty.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/anchore/grype/grype/db"
	"github.com/anchore/grype/grype/db/provider"
)

// Schemas that select the processor and say how the workspace is laid out (github.com/anchore/vunnel).
const (
	advisorySchema  = "https://raw.githubusercontent.com/anchore/vunnel/main/schema/vulnerability/os/schema-1.1.0.json"
	workspaceSchema = "https://raw.githubusercontent.com/anchore/vunnel/main/schema/provider-workspace-state/schema-1.0.3.json"
)

// Advisory is one vulnerability of one source package of a distribution.
type Advisory struct {
	// ID is the name of the vulnerability: CVE-2026-1234.
	ID string
	// Distro is the distribution and its version: debian:12.
	Distro string
	// Package is the source package.
	Package string
	// Fixed is the first version without the vulnerability; empty while there is none.
	Fixed string
	// Severity is Critical, High, Medium, Low, Negligible or Unknown.
	Severity string
	// FixedAt is the day the fix appeared, YYYY-MM-DD; may be empty.
	FixedAt string
	// Description and Link are for people; may be empty.
	Description string
	Link        string
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: advdb <work-dir> <out-dir> < advisories.jsonl")
		os.Exit(2)
	}
	archive, err := run(os.Stdin, os.Args[1], os.Args[2], time.Now().UTC())
	if err != nil {
		fmt.Fprintln(os.Stderr, "advdb:", err)
		os.Exit(1)
	}
	fmt.Println(archive)
}

func run(input io.Reader, work, out string, now time.Time) (string, error) {
	advisories, err := read(input)
	if err != nil {
		return "", err
	}
	state, err := writeWorkspace(work, advisories, now)
	if err != nil {
		return "", fmt.Errorf("write workspace: %w", err)
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return "", err
	}
	config := db.BuildConfig{SchemaVersion: 6, Directory: out, States: provider.States{*state}, Timestamp: now, Hydrate: true}
	if err := db.Build(config); err != nil {
		return "", fmt.Errorf("build database: %w", err)
	}
	if err := db.Package(out, "", "tar.zst", nil); err != nil {
		return "", fmt.Errorf("pack database: %w", err)
	}
	return findArchive(out)
}

func read(input io.Reader) ([]Advisory, error) {
	var advisories []Advisory
	scanner := bufio.NewScanner(input)
	scanner.Buffer(nil, 16<<20)
	for line := 1; scanner.Scan(); line++ {
		if strings.TrimSpace(scanner.Text()) == "" {
			continue
		}
		var advisory Advisory
		decoder := json.NewDecoder(strings.NewReader(scanner.Text()))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&advisory); err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		if err := advisory.check(); err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		advisories = append(advisories, advisory)
	}
	if err := scanner.Err(); err != nil {
		return nil, err
	}
	if len(advisories) == 0 {
		return nil, errors.New("no advisory on standard input")
	}
	return advisories, nil
}

func (a Advisory) check() error {
	if a.ID == "" || a.Distro == "" || a.Package == "" || a.Severity == "" {
		return errors.New("ID, Distro, Package and Severity are needed")
	}
	if !strings.Contains(a.Distro, ":") {
		return fmt.Errorf("Distro %q is not <id>:<version>", a.Distro)
	}
	if a.FixedAt == "" {
		return nil
	}
	if _, err := time.Parse(time.DateOnly, a.FixedAt); err != nil {
		return fmt.Errorf("FixedAt %q is not YYYY-MM-DD", a.FixedAt)
	}
	return nil
}

// writeWorkspace lays advisories out as the provider "debian" of vunnel would.
func writeWorkspace(work string, advisories []Advisory, now time.Time) (*provider.State, error) {
	workspace := provider.NewWorkspaceWriter(work, "debian")
	records, order := merge(advisories)
	var files []provider.File
	for _, key := range order {
		content, err := json.Marshal(records[key])
		if err != nil {
			return nil, err
		}
		file, err := workspace.WriteResult(strings.NewReplacer(":", "-", "/", "-").Replace(key)+".json", content)
		if err != nil {
			return nil, err
		}
		files = append(files, *file)
	}
	if err := workspace.WriteListing(files); err != nil {
		return nil, err
	}
	state := provider.State{
		Provider: "debian", Version: 1, Processor: "vunnel@0", Timestamp: now, Store: "flat-file", URLs: []string{},
		Schema:  provider.Schema{Version: "1.0.3", URL: workspaceSchema},
		Listing: &provider.File{Path: "results/listing.xxh64"}, // without it no result is read
	}
	if err := workspace.WriteState(state); err != nil {
		return nil, err
	}
	return provider.NewWorkspaceFromExisting(workspace.Path()).ReadState()
}

type envelope struct {
	Schema     string `json:"schema"`
	Identifier string `json:"identifier"`
	Item       item   `json:"item"`
}

type item struct {
	Vulnerability vulnerability
}

type vulnerability struct {
	Name, NamespaceName, Severity, Description, Link string
	CVSS                                             []any
	Metadata                                         map[string]any
	FixedIn                                          []fixedIn
}

type fixedIn struct {
	Name, NamespaceName, Version, VersionFormat string
	Available                                   *available `json:",omitempty"`
}

type available struct {
	Date, Kind string
}

// merge makes one record per vulnerability and distribution, which is what the processor expects: packages in FixedIn.
func merge(advisories []Advisory) (map[string]*envelope, []string) {
	records := map[string]*envelope{}
	var order []string
	for _, a := range advisories {
		key := a.Distro + "/" + strings.ToLower(a.ID)
		if records[key] == nil {
			records[key] = &envelope{Schema: advisorySchema, Identifier: key, Item: item{Vulnerability: vulnerability{
				Name: a.ID, NamespaceName: a.Distro, Severity: a.Severity, Description: a.Description, Link: a.link(),
				CVSS: []any{}, Metadata: map[string]any{},
			}}}
			order = append(order, key)
		}
		list := &records[key].Item.Vulnerability.FixedIn
		*list = append(*list, a.fixedIn())
	}
	return records, order
}

func (a Advisory) link() string {
	if a.Link != "" {
		return a.Link
	}
	return "https://security-tracker.debian.org/tracker/" + a.ID
}

func (a Advisory) fixedIn() fixedIn {
	fixed := fixedIn{Name: a.Package, NamespaceName: a.Distro, Version: a.Fixed, VersionFormat: "dpkg"}
	if fixed.Version == "" {
		fixed.Version = "None"
	}
	if a.FixedAt != "" {
		fixed.Available = &available{Date: a.FixedAt, Kind: "advisory"}
	}
	return fixed
}

func findArchive(out string) (string, error) {
	archives, err := filepath.Glob(filepath.Join(out, "*.tar.zst"))
	if err != nil {
		return "", err
	}
	if len(archives) != 1 {
		return "", fmt.Errorf("%d archives in %s instead of one", len(archives), out)
	}
	return archives[0], nil
}
