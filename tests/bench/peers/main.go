// The parties of the bench that are not plane: a stand-in API server, a plain Go proxy, the load.
package main

import (
	"fmt"
	"os"
)

const usage = `usage:
  peers stub PORT CERT KEY                      a stand-in for an API server
  peers proxy PORT UPSTREAM CERT KEY CA         what a Go programmer writes in an afternoon
  peers load URL CA CERT KEY REQUESTS CLIENTS   requests over kept-alive HTTP/1.1 connections`

func main() {
	verbs := map[string]struct {
		run       func(arguments []string) error
		arguments int
	}{"stub": {stub, 3}, "proxy": {proxy, 5}, "load": {load, 6}}
	if len(os.Args) < 2 || len(os.Args)-2 != verbs[os.Args[1]].arguments {
		fmt.Fprintln(os.Stderr, usage)
		os.Exit(2)
	}
	if err := verbs[os.Args[1]].run(os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
