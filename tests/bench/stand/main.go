// The stand for measurements, in one program: an API server that costs nothing, the reverse proxy
// that a Go programmer writes in an afternoon, and the load. Plain HTTP/1.1 over TLS, mutual where asked.
package main

import (
	"fmt"
	"os"
	"runtime"
)

func main() {
	if len(os.Args) < 2 {
		fail(fmt.Errorf("usage: stand upstream|goproxy|requests|watches|slow|keys ..."))
	}
	// One processor each, as the Python process beside them has.
	runtime.GOMAXPROCS(1)
	verbs := map[string]func([]string){
		"upstream": upstream, "goproxy": goproxy,
		"requests": requests, "watches": watches, "slow": slow, "keys": keys,
	}
	verb, known := verbs[os.Args[1]]
	if !known {
		fail(fmt.Errorf("no verb %q", os.Args[1]))
	}
	verb(os.Args[2:])
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
