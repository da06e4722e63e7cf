<?php

declare(strict_types=1);

// A server for one test: `server.php PORT CONDUCT`. It answers with a rate that is signed, and misbehaves as it is told.
require __DIR__ . '/../autoload.php';
require __DIR__ . '/served.php';

$listener = stream_socket_server("tcp://127.0.0.1:$argv[1]");
echo "listening\n";
for ($count = 1; ; $count++) {
    $client = stream_socket_accept($listener, -1);
    $headers = [];
    while (($line = trim((string) fgets($client))) !== '') {
        if (str_contains($line, ':')) {
            [$name, $value] = explode(':', $line, 2);
            $headers[strtolower($name)] = trim($value);
        }
    }
    preg_match('/nonce="([^"]*)"/', $headers['authorization'], $found);
    $body = '{"fiat_currency":"eur","cents_per_btc":5000000,"source":"test","at":"2018-05-10T12:12:33Z","spread_bps":0}';
    $signed = "$found[1]\n{$headers['x-authorization-timestamp']}\n$body";
    $signature = base64_encode(hash_hmac('sha256', $signed, base64_decode(Bitpro\Tests\SECRET), true));
    $head = "HTTP/1.1 200 OK\r\nX-Server-Authorization-HMAC-SHA256: $signature\r\nConnection: close\r\n";
    fwrite($client, match (true) {
        $argv[2] === 'redirects' => "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n",
        $argv[2] === 'breaks' && $count === 1 => "{$head}Content-Length: 1000\r\n\r\n{",
        $argv[2] === 'chunks' => "{$head}Transfer-Encoding: chunked\r\n\r\n" . dechex(strlen($body)) . "\r\n$body\r\n0\r\n\r\n",
        default => "{$head}Content-Length: " . strlen($body) . "\r\n\r\n$body",
    });
    fclose($client);
}
