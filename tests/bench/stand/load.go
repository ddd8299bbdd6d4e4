package main

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"
)

// Every load begins with URL CERT KEY CA.
func client(args []string) (*tls.Config, *http.Client) {
	pair, err := tls.LoadX509KeyPair(args[1], args[2])
	if err != nil {
		fail(err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{pair}, RootCAs: authorities(args[3])}
	transport := &http.Transport{TLSClientConfig: config, MaxIdleConnsPerHost: 10000, DisableCompression: true}
	return config, &http.Client{Transport: transport}
}

func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		fail(err)
	}
	return n
}

// requests ... CONNECTIONS COUNT: keep-alive, each connection one request at a time.
func requests(args []string) {
	_, web := client(args)
	connections, count := number(args[4]), number(args[5])
	var all sync.WaitGroup
	for range connections {
		all.Add(1)
		go func() {
			defer all.Done()
			for range count / connections {
				get(web, args[0])
			}
		}()
	}
	all.Wait()
	fmt.Println("ok")
}

func get(web *http.Client, url string) {
	answer, err := web.Get(url)
	if err != nil {
		fail(err)
	}
	size, err := io.Copy(io.Discard, answer.Body)
	answer.Body.Close()
	if err != nil || answer.StatusCode != 200 || size < 3000 {
		fail(fmt.Errorf("status %d, %d bytes, %v", answer.StatusCode, size, err))
	}
}

// watches ... COUNT: hold them open until standard input ends.
func watches(args []string) {
	_, web := client(args)
	for range number(args[4]) {
		answer, err := web.Get(args[0])
		if err != nil {
			fail(err)
		}
		if answer.StatusCode != 200 {
			fail(fmt.Errorf("status %d", answer.StatusCode))
		}
		defer answer.Body.Close()
	}
	fmt.Println("open")
	io.Copy(io.Discard, os.Stdin)
}

// slow ... SECONDS: read 3 MB/s of a big body.
func slow(args []string) {
	_, web := client(args)
	answer, err := web.Get(args[0])
	if err != nil {
		fail(err)
	}
	defer answer.Body.Close()
	fmt.Println("open")
	buffer := make([]byte, 30_000)
	for end := time.Now().Add(time.Duration(number(args[4])) * time.Second); time.Now().Before(end); {
		if _, err := io.ReadFull(answer.Body, buffer); err != nil {
			fail(err)
		}
		time.Sleep(10 * time.Millisecond)
	}
	fmt.Println("ok")
}
