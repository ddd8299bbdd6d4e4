package main

import (
	"bufio"
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"time"
)

const websocketKey = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" // RFC 6455 section 1.3

// stub answers like an API server as far as the bench asks: small objects, ?mb=N for big bodies,
// ?watch=1, exec that echoes, and what plane asks when a cluster is registered.
func stub(arguments []string) error {
	runtime.GOMAXPROCS(1)
	small := bytes.Repeat([]byte(`{"kind":"Pod","metadata":{"name":"x"}},`), 100)
	answer := func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		w.Header().Set("Content-Type", "application/json")
		switch {
		case r.Header.Get("Upgrade") != "":
			echo(w, r)
		case query.Get("mb") != "":
			big(w, query.Get("mb"))
		case query.Get("watch") != "":
			watch(w, r)
		case r.URL.Path == "/version":
			io.WriteString(w, `{"major":"1","minor":"34","gitVersion":"v1.34.0-stub","gitCommit":"stub",
				"gitTreeState":"clean","buildDate":"2026-01-01T00:00:00Z","goVersion":"go1.24",
				"compiler":"gc","platform":"linux/amd64"}`)
		case strings.HasSuffix(r.URL.Path, "/selfsubjectaccessreviews"):
			io.WriteString(w, `{"spec":{},"status":{"allowed":true}}`)
		case strings.HasSuffix(r.URL.Path, "/namespaces/kube-system"):
			io.WriteString(w, `{"metadata":{"name":"kube-system","uid":"stub"}}`)
		default:
			w.Header().Set("Content-Length", strconv.Itoa(len(small)))
			w.Write(small)
		}
	}
	server := &http.Server{Addr: "127.0.0.1:" + arguments[0], Handler: http.HandlerFunc(answer)}
	return server.ListenAndServeTLS(arguments[1], arguments[2])
}

func big(w http.ResponseWriter, megabytes string) {
	chunk := bytes.Repeat([]byte("x"), 32768)
	n, _ := strconv.Atoi(megabytes)
	for range n * 32 {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
}

func watch(w http.ResponseWriter, r *http.Request) {
	flusher := w.(http.Flusher)
	flusher.Flush()
	for {
		select {
		case <-r.Context().Done():
			return
		case <-time.After(10 * time.Second):
			io.WriteString(w, "{}\n")
			flusher.Flush()
		}
	}
}

// echo is an exec of cat: what comes on channel 0 (stdin) goes back on channel 1 (stdout).
func echo(w http.ResponseWriter, r *http.Request) {
	connection, stream, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer connection.Close()
	digest := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + websocketKey))
	fmt.Fprintf(connection, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"+
		"Upgrade: websocket\r\nSec-WebSocket-Accept: %s\r\nSec-WebSocket-Protocol: v5.channel.k8s.io\r\n\r\n",
		base64.StdEncoding.EncodeToString(digest[:]))
	for {
		message, err := readFrame(stream.Reader)
		if err != nil {
			return
		}
		if len(message) > 0 && message[0] == 0 {
			message[0] = 1
			connection.Write(append([]byte{0x82, byte(len(message))}, message...))
		}
	}
}

// readFrame reads one masked frame of fewer than 126 bytes, which is all that a keystroke needs.
func readFrame(reader *bufio.Reader) ([]byte, error) {
	head := make([]byte, 6)
	if _, err := io.ReadFull(reader, head); err != nil {
		return nil, err
	}
	length := head[1] & 0x7f
	if length > 125 || head[0]&0x0f == 8 {
		return nil, io.EOF
	}
	message := make([]byte, length)
	if _, err := io.ReadFull(reader, message); err != nil {
		return nil, err
	}
	mask := head[2:]
	for i := range message {
		message[i] ^= mask[i%4]
	}
	return message, nil
}
