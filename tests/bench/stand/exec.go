package main

import (
	"bufio"
	"crypto/sha1"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sort"
	"time"
)

// The WebSocket of kubectl exec, v5.channel.k8s.io: a message begins with its channel, 0 is stdin,
// 1 stdout, 3 the final Status. Messages here are shorter than 126 bytes.
const protocol = "v5.channel.k8s.io"

func echo(w http.ResponseWriter, r *http.Request) {
	sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	connection, stream, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer connection.Close()
	fmt.Fprintf(stream, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Accept: %s\r\nSec-WebSocket-Protocol: %s\r\n\r\n", base64.StdEncoding.EncodeToString(sum[:]), protocol)
	stream.Flush()
	for {
		opcode, message, err := readFrame(stream.Reader)
		if err != nil || opcode == 8 {
			return
		}
		if opcode == 2 && message[0] == 0 {
			message[0] = 1
			stream.Write([]byte{0x82, byte(len(message))})
			stream.Write(message)
			stream.Flush()
		}
		if opcode == 2 && message[0] == 255 {
			status := append([]byte{3}, `{"metadata":{},"status":"Success"}`...)
			stream.Write(append([]byte{0x82, byte(len(status))}, status...))
			stream.Write([]byte{0x88, 2, 3, 0xe8})
			stream.Flush()
		}
	}
}

func readFrame(reader *bufio.Reader) (byte, []byte, error) {
	var head [2]byte
	if _, err := io.ReadFull(reader, head[:]); err != nil {
		return 0, nil, err
	}
	var mask [4]byte
	if head[1]&0x80 != 0 {
		if _, err := io.ReadFull(reader, mask[:]); err != nil {
			return 0, nil, err
		}
	}
	message := make([]byte, head[1]&0x7f)
	_, err := io.ReadFull(reader, message)
	for i := range message {
		message[i] ^= mask[i%4]
	}
	return head[0] & 0x0f, message, err
}

// keys ... COUNT: type on an exec's terminal and print the median time to the echo, in microseconds.
func keys(args []string) {
	config, _ := client(args)
	target, err := url.Parse(args[0])
	if err != nil {
		fail(err)
	}
	connection, err := tls.Dial("tcp", target.Host, config)
	if err != nil {
		fail(err)
	}
	fmt.Fprintf(connection, "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"+
		"Sec-WebSocket-Protocol: %s\r\n\r\n", target.RequestURI(), target.Host, protocol)
	reader := bufio.NewReader(connection)
	answer, err := http.ReadResponse(reader, nil)
	if err != nil || answer.StatusCode != 101 {
		fail(fmt.Errorf("no upgrade: %v %v", answer, err))
	}
	var took []time.Duration
	for i := range number(args[4]) {
		began := time.Now()
		// Masked with zeros, as RFC 6455 allows; the letter tells the echoes apart.
		connection.Write([]byte{0x82, 0x82, 0, 0, 0, 0, 0, byte('a' + i%26)})
		for {
			opcode, message, err := readFrame(reader)
			if err != nil {
				fail(err)
			}
			if opcode == 2 && len(message) == 2 && message[0] == 1 && message[1] == byte('a'+i%26) {
				break
			}
		}
		took = append(took, time.Since(began))
		time.Sleep(5 * time.Millisecond)
	}
	end := []byte{0x82, 0x82, 0, 0, 0, 0, 255, 0}
	connection.Write(end)
	sort.Slice(took, func(i, j int) bool { return took[i] < took[j] })
	fmt.Println(took[len(took)/2].Microseconds())
}
