// policy-check asks the code that podman and skopeo run whether a policy.json accepts an image.
//
// ingot's tests use it because Debian builds skopeo without sigstore signatures, so that nothing installable there
// enforces sigstoreSigned.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/containers/image/v5/docker"
	"github.com/containers/image/v5/image"
	"github.com/containers/image/v5/manifest"
	"github.com/containers/image/v5/signature"
	"github.com/containers/image/v5/types"
	"github.com/opencontainers/go-digest"
)

const usage = `usage: policy-check [--insecure] POLICY REGISTRIES_D REFERENCE [PLATFORM]

  POLICY        a policy.json (containers-policy.json(5))
  REGISTRIES_D  a folder of registries.d files (containers-registries.d(5))
  REFERENCE     host/repository:tag or host/repository@sha256:...
  PLATFORM      linux/arm64 and the like: the manifest that podman and skopeo would copy from an index;
                without it the manifest that the reference names

Exit codes: 0 accepted, 1 rejected (reason on stdout), 2 usage, 4 the registry or a file could not be read.
`

const (
	accepted = iota
	rejected
	badUsage
	_
	notAsked
)

type request struct {
	policy, registriesDir, reference, platform string
	insecure                                   bool
}

func main() {
	insecure := flag.Bool("insecure", false, "allow http and unknown certificates")
	flag.Usage = func() { fmt.Fprint(os.Stderr, usage) }
	flag.Parse()
	if flag.NArg() < 3 || flag.NArg() > 4 {
		flag.Usage()
		os.Exit(badUsage)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	code := run(ctx, request{flag.Arg(0), flag.Arg(1), flag.Arg(2), flag.Arg(3), *insecure})
	cancel()
	os.Exit(code)
}

func run(ctx context.Context, request request) int {
	allowed, reason, err := check(ctx, request)
	switch {
	case err != nil:
		fmt.Fprintf(os.Stderr, "could not check %s: %v\n", request.reference, err)
		return notAsked
	case !allowed:
		fmt.Printf("rejected: %v\n", reason)
		return rejected
	default:
		fmt.Println("accepted")
		return accepted
	}
}

func check(ctx context.Context, request request) (allowed bool, reason, err error) {
	policy, err := signature.NewPolicyFromFile(request.policy)
	if err != nil {
		return false, nil, err
	}
	policyContext, err := signature.NewPolicyContext(policy)
	if err != nil {
		return false, nil, err
	}
	defer policyContext.Destroy()

	system := systemContext(request)
	reference, err := docker.ParseReference("//" + request.reference)
	if err != nil {
		return false, nil, err
	}
	source, err := reference.NewImageSource(ctx, system)
	if err != nil {
		return false, nil, err
	}
	defer source.Close()
	instance, err := chooseInstance(ctx, source, system, request.platform)
	if err != nil {
		return false, nil, err
	}
	// A refusal and a registry that fails while signatures are read both come back as an error with false; policy
	// enforcement makes no difference between them, and neither do we.
	allowed, reason = policyContext.IsRunningImageAllowed(ctx, image.UnparsedInstance(source, instance))
	return allowed, reason, nil
}

// systemContext shuts out this machine's own registries.conf and credentials helpers: only the arguments count.
func systemContext(request request) *types.SystemContext {
	system := &types.SystemContext{
		RegistriesDirPath:           request.registriesDir,
		SystemRegistriesConfPath:    os.DevNull,
		SystemRegistriesConfDirPath: os.DevNull,
	}
	if request.insecure {
		system.DockerInsecureSkipTLSVerify = types.OptionalBoolTrue
	}
	parts := strings.SplitN(request.platform, "/", 3)
	if len(parts) >= 2 {
		system.OSChoice, system.ArchitectureChoice = parts[0], parts[1]
	}
	if len(parts) == 3 {
		system.VariantChoice = parts[2]
	}
	return system
}

// chooseInstance picks the manifest as copy does: nil means the one that the reference names.
func chooseInstance(ctx context.Context, source types.ImageSource, system *types.SystemContext, platform string) (*digest.Digest, error) {
	if platform == "" {
		return nil, nil
	}
	bytes, mediaType, err := image.UnparsedInstance(source, nil).Manifest(ctx)
	if err != nil {
		return nil, err
	}
	if !manifest.MIMETypeIsMultiImage(mediaType) {
		return nil, nil
	}
	list, err := manifest.ListFromBlob(bytes, mediaType)
	if err != nil {
		return nil, err
	}
	chosen, err := list.ChooseInstance(system)
	if err != nil {
		return nil, err
	}
	return &chosen, nil
}
