package main

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync"
)

const pods = 64 // different paths, so that no cache of the last request flatters anybody

// load sends requests as client-go does; every answer must be a 200 with its whole body.
func load(arguments []string) error {
	target, err := url.Parse(arguments[0])
	if err != nil {
		return err
	}
	pool, err := trust(arguments[1])
	if err != nil {
		return err
	}
	certificate, err := tls.LoadX509KeyPair(arguments[2], arguments[3])
	if err != nil {
		return err
	}
	requests, _ := strconv.Atoi(arguments[4])
	clients, _ := strconv.Atoi(arguments[5])
	config := &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{certificate}}
	failures := make(chan error, clients)
	var waiting sync.WaitGroup
	for range clients {
		waiting.Add(1)
		go func() {
			defer waiting.Done()
			if err := client(target, config, requests/clients); err != nil {
				failures <- err
			}
		}()
	}
	waiting.Wait()
	close(failures)
	return <-failures
}

func client(target *url.URL, config *tls.Config, requests int) error {
	connection, err := tls.Dial("tcp", target.Host, config)
	if err != nil {
		return err
	}
	defer connection.Close()
	reader := bufio.NewReaderSize(connection, 16<<10)
	for i := range requests {
		_, err := fmt.Fprintf(connection, "GET %s/api/v1/namespaces/default/pods/web-%d HTTP/1.1\r\n"+
			"Host: %s\r\nUser-Agent: kubectl/v1.34.4 (linux/amd64) kubernetes/0000000\r\n"+
			"Accept: application/json\r\nAccept-Encoding: gzip\r\n\r\n", target.Path, i%pods, target.Host)
		if err != nil {
			return err
		}
		answer, err := http.ReadResponse(reader, nil)
		if err != nil {
			return err
		}
		if size, err := io.Copy(io.Discard, answer.Body); err != nil || answer.StatusCode != 200 || size == 0 {
			return fmt.Errorf("request %d: %s, %d bytes, %v", i, answer.Status, size, err)
		}
	}
	return nil
}
