package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// upstream ADDRESS CERT KEY: a list of 3.9 kB, logs of ?mb=N, watches that stay silent, an exec that echoes.
func upstream(args []string) {
	item := []byte(`{"kind":"Pod","metadata":{"name":"x"}},`)
	list := append([]byte(`{"kind":"PodList","apiVersion":"v1","items":[`), bytes.Repeat(item, 100)...)
	list = append(list[:len(list)-1], "]}"...)
	answer := func(w http.ResponseWriter, r *http.Request) {
		switch path := r.URL.Path; {
		case strings.HasSuffix(path, "/exec"):
			echo(w, r)
		case strings.HasSuffix(path, "/log"):
			logs(w, r)
		case r.URL.Query().Get("watch") == "true":
			silence(w, r)
		case path == "/version":
			reply(w, map[string]string{"major": "1", "minor": "34", "gitVersion": "v1.34.4"})
		case strings.HasSuffix(path, "/namespaces/kube-system"):
			reply(w, map[string]any{"kind": "Namespace", "apiVersion": "v1",
				"metadata": map[string]string{"name": "kube-system", "uid": "stand"}})
		case strings.HasSuffix(path, "accessreviews"):
			reply(w, map[string]any{"kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1",
				"spec": map[string]any{}, "status": map[string]bool{"allowed": true}})
		default:
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Length", strconv.Itoa(len(list)))
			w.Write(list)
		}
	}
	// HTTP/1.1 for all: an upgrade needs the connection.
	server := &http.Server{Addr: args[0], Handler: http.HandlerFunc(answer), Protocols: http1()}
	fail(server.ListenAndServeTLS(args[1], args[2]))
}

func http1() *http.Protocols {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return protocols
}

func reply(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(value)
}

func logs(w http.ResponseWriter, r *http.Request) {
	megabytes, _ := strconv.Atoi(r.URL.Query().Get("mb"))
	chunk := bytes.Repeat([]byte("x"), 32<<10)
	for range megabytes * 32 {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
}

func silence(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.(http.Flusher).Flush()
	for {
		select {
		case <-r.Context().Done():
			return
		case <-time.After(10 * time.Second):
			w.Write([]byte("{\"type\":\"BOOKMARK\",\"object\":{}}\n"))
			w.(http.Flusher).Flush()
		}
	}
}
