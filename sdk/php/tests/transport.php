<?php

declare(strict_types=1);

namespace Bitpro\Tests;

use Bitpro\Bitpro;
use Bitpro\ConnectionException;
use Bitpro\UnverifiedAnswerException;

/** Answers what the test's part in `onNetwork` says, on a real connection. */
function onNetwork(string $conduct, \Closure $test): void
{
    $listener = stream_socket_server('tcp://127.0.0.1:0');
    $port = (int) substr(strrchr(stream_socket_get_name($listener, false), ':'), 1);
    fclose($listener);
    $server = proc_open(
        [PHP_BINARY, __DIR__ . '/server.php', (string) $port, $conduct],
        [1 => ['pipe', 'w'], 2 => STDERR],
        $pipes,
    );
    try {
        same(fgets($pipes[1]), "listening\n", 'the server listens');
        $test(new Bitpro("http://127.0.0.1:$port", 'id', SECRET, timeout_secs: 5.0, pause: static fn () => null));
    } finally {
        proc_terminate($server);
        proc_close($server);
    }
}

// Calls: repeated where that is safe, and only believed where the server vouches for them.
return [
    'a lost answer is asked for again with the same idempotency key, signed anew' => function (): void {
        $served = new Served(static fn (int $count) => $count < 3 ? null : ['body' => json_encode(document('Charge'))]);
        (new Bitpro(...$served->options()))->charges->create(4200);
        $headers = array_column($served->seen, 'headers');
        same(count(array_unique(array_column($headers, 'Idempotency-Key'))), 1, 'one key');
        same(count(array_unique(array_map(nonce_of(...), $headers))), 3, 'three nonces');
        [$first, $second] = $served->pauses;
        same($first >= 0.5 && $first <= 0.75 && $second >= 1.0 && $second <= 1.5, true, "$first, $second");
    },
    "the caller's own idempotency key is sent, and reading has none" => function (): void {
        $served = new Served(static fn () => ['body' => json_encode(document('Charge'))]);
        $bitpro = new Bitpro(...$served->options());
        $bitpro->charges->create(4200, idempotency_key: 'order-7');
        $bitpro->charges->get('one');
        $keys = array_map(static fn (array $sent) => $sent['headers']['Idempotency-Key'] ?? null, $served->seen);
        same($keys, ['order-7', null], 'keys');
    },
    'a lost answer ends as one after the last repetition' => function (): void {
        $served = new Served(static fn () => null);
        $bitpro = new Bitpro(...$served->options(retries: 1));
        throws(ConnectionException::class, static fn () => $bitpro->rate(), 'lost');
        same(count($served->seen), 2, 'sent');
    },
    'a test delivery is never sent twice by itself' => function (): void {
        $served = new Served(static fn () => null);
        $bitpro = new Bitpro(...$served->options());
        throws(ConnectionException::class, static fn () => $bitpro->webhooks->test('one'), 'lost');
        same(count($served->seen), 1, 'sent');
    },
    'lists go on at their cursor and end without one' => function (): void {
        $charge = static fn (string $id) => [...document('Charge'), 'id' => $id];
        $pages = [
            ['charges' => [$charge('c'), $charge('b')], 'unreadable' => [], 'page' => 1, 'next_cursor' => 'n1'],
            ['charges' => [$charge('a')], 'unreadable' => [], 'page' => 2, 'next_cursor' => null],
        ];
        $served = new Served(static fn (int $count) => ['body' => json_encode($pages[$count - 1])]);
        $ids = [];
        foreach ((new Bitpro(...$served->options()))->charges->list(page: 1, per_page: 2, state: 'seen') as $one) {
            $ids[] = $one->id;
        }
        same($ids, ['c', 'b', 'a'], 'ids');
        $queries = array_map(static fn (array $sent) => parse_url($sent['url'], PHP_URL_QUERY), $served->seen);
        same($queries, ['state=seen&per_page=2&page=1', 'state=seen&per_page=2&cursor=n1'], 'queries');
    },
    'the log of events goes on until there is no more' => function (): void {
        $event = ['id' => '1', 'type' => 'charge:seen', 'occured_at' => '', 'data' => document('Charge')];
        $pages = [
            ['events' => [$event], 'next_cursor' => 'n1', 'has_more' => true],
            ['events' => [], 'next_cursor' => 'n1', 'has_more' => false],
        ];
        $served = new Served(static fn (int $count) => ['body' => json_encode($pages[$count - 1])]);
        $cursors = [];
        foreach ((new Bitpro(...$served->options()))->events->pages('n0') as $page) {
            $cursors[] = $page->next_cursor;
        }
        same($cursors, ['n1', 'n1'], 'cursors');
        $queries = array_map(static fn (array $sent) => parse_url($sent['url'], PHP_URL_QUERY), $served->seen);
        same($queries, ['after=n0', 'after=n1'], 'queries');
    },
    'addresses, secrets and ids that lead elsewhere are refused' => function (): void {
        $served = new Served(static fn () => []);
        $client = static fn (mixed ...$more) => new Bitpro(...$served->options(...$more));
        $bad = ['http://pay.example', 'ftp://pay.example', 'https://pay.example/shop', 'https://user@pay.example', 'https://pay.example?x', 'pay.example'];
        foreach ($bad as $url) {
            throws(\InvalidArgumentException::class, static fn () => $client(url: $url), $url);
        }
        foreach (['http://localhost:8080', 'http://127.0.0.1:8080', 'http://[::1]:8080', 'https://pay.example/'] as $url) {
            $client(url: $url);
        }
        $client(url: 'http://bitpro:8080', allow_http: true);
        foreach (['', 'short', 'not base64 at all, but quite long!'] as $secret) {
            throws(\InvalidArgumentException::class, static fn () => $client(secret: $secret), $secret);
        }
        foreach (['', '../webhooks', 'a/b', 'a?b', 'ä', "a\n"] as $id) {
            throws(\InvalidArgumentException::class, static fn () => $client()->charges->get($id), $id);
        }
    },
    'on a real connection, an answer that breaks off is asked for again' => function (): void {
        onNetwork('breaks', static function (Bitpro $bitpro): void {
            same($bitpro->rate()->cents_per_btc, 5_000_000, 'the second answer');
        });
    },
    'on a real connection, a chunked answer is read' => function (): void {
        onNetwork('chunks', static function (Bitpro $bitpro): void {
            same($bitpro->rate()->cents_per_btc, 5_000_000, 'the answer');
        });
    },
    'on a real connection, redirects are not followed' => function (): void {
        onNetwork('redirects', static function (Bitpro $bitpro): void {
            throws(UnverifiedAnswerException::class, static fn () => $bitpro->rate(), 'a redirect');
        });
    },
    'nobody at the address is a connection that failed' => function (): void {
        $bitpro = new Bitpro('http://127.0.0.1:1', 'id', SECRET, pause: static fn () => null);
        throws(ConnectionException::class, static fn () => $bitpro->rate(), 'nobody');
    },
];
