package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
)

// goproxy ADDRESS UPSTREAM CERT KEY CA: httputil.ReverseProxy with mutual TLS, impersonation and a JSON
// line per request that goes nowhere. No sessions, no policies, no audit on disk.
func goproxy(args []string) {
	target, err := url.Parse(args[1])
	if err != nil {
		fail(err)
	}
	pool := authorities(args[4])
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.FlushInterval = -1
	proxy.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, MaxIdleConnsPerHost: 100}
	lines := json.NewEncoder(io.Discard)
	serve := func(w http.ResponseWriter, r *http.Request) {
		user := r.TLS.PeerCertificates[0].Subject.CommonName
		for name := range r.Header {
			if strings.HasPrefix(name, "Impersonate-") {
				r.Header.Del(name)
			}
		}
		r.Header.Set("Impersonate-User", user)
		r.Header.Set("Impersonate-Group", "admins")
		lines.Encode(map[string]string{"user": user, "path": r.URL.Path, "verb": r.Method})
		proxy.ServeHTTP(w, r)
	}
	server := &http.Server{
		Addr: args[0], Handler: http.HandlerFunc(serve), Protocols: http1(),
		TLSConfig: &tls.Config{ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert},
	}
	fail(server.ListenAndServeTLS(args[2], args[3]))
}

func authorities(path string) *x509.CertPool {
	text, err := os.ReadFile(path)
	if err != nil {
		fail(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(text)
	return pool
}
